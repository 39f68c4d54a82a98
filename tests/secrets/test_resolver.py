from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.secrets.conftest import Op
from tests.secrets.standin_connect import TOKEN, Server
from trailboss.errors import SecretError
from trailboss.secrets import (
    Resolver,
    SecretsFile,
    Vaults,
    Wanted,
    given,
    read_dotenv,
    read_secrets,
    resolve,
    resolve_tree_now,
)
from trailboss.secrets.settings import SecretsSettings
from trailboss.secrets.unresolved import UnresolvedError
from trailboss.values import Location, Secret

FILE = """\
ENV=Staging
KEY=op://prod/Stripe/secret key
URL="postgres://u:{{ op://prod/Stripe/publishable-key }}@h/${NAME:-db}"
TOKEN=op://App $ENV/api/token
PLAIN=plain
LITERAL='${HOME}'
AGAIN=${KEY}
"""
VALUES = {
    "ENV": "Staging",
    "KEY": "sk_live_1",
    "URL": "postgres://u:pk_live_1@h/db",
    "TOKEN": "staging-token",
    "PLAIN": "plain",
    "LITERAL": "${HOME}",
    "AGAIN": "sk_live_1",
}


def shown(found: dict[str, Secret]) -> dict[str, str]:
    return {name: value.reveal() for name, value in found.items()}


def test_a_dotenv_file_in_one_process(op: Op, tmp_path: Path) -> None:
    file = tmp_path / ".env.staging"
    file.write_text(FILE)
    assert shown(read_dotenv(file, op.environ)) == VALUES
    assert len(op.calls) == 1


def test_the_same_file_through_connect(connect: Server, tmp_path: Path) -> None:
    file = tmp_path / ".env.staging"
    file.write_text(FILE)
    environ = {"OP_CONNECT_HOST": connect.url, "OP_CONNECT_TOKEN": TOKEN}
    assert shown(read_dotenv(file, environ)) == VALUES


def test_a_json_file(op: Op, tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    file.write_text('{"KEY": "op://prod/Stripe/secret key",\n "GONE": null, "URL": "x-${KEY}"}')
    found = read_secrets(file, {**op.environ, "KEY": "env"})
    assert {name: value and value.reveal() for name, value in found.items()} == {
        "KEY": "sk_live_1",
        "GONE": None,
        "URL": "x-env",
    }


def test_only_what_is_wanted_is_asked_for(op: Op, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(FILE)
    found = read_dotenv(file, op.environ, only=lambda name: name == "PLAIN")
    assert shown(found) == {"PLAIN": "plain"}
    assert not op.calls


def test_everything_wrong_is_named_with_its_place(op: Op, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("A=op://prod/Stripe/nope\nB=op://nope/x/y\nC=op://prod/db/password\n")
    with pytest.raises(UnresolvedError) as caught:
        read_dotenv(file, op.environ)
    error = caught.value
    assert error.code == "TB7033" and error.where == Location(file, 1)
    assert [problem.name for problem in error.problems] == ["A", "B"]
    assert f'A ({file}:1): op://prod/Stripe/nope: there is no field "nope" in the item "Stripe".' in str(
        error
    )
    assert f'B ({file}:2): op://nope/x/y: there is no vault "nope".' in str(error)
    assert "two" not in str(error)


@pytest.mark.parametrize(
    ("text", "code", "says", "hint"),
    [
        ("op://prd/Stripe/key", "TB7030", 'no vault "prd"', '"prod"'),
        ("op://prod/Strpe/key", "TB7031", 'no item "Strpe" in the vault "prod"', '"Stripe"'),
        ("op://prod/Stripe/c/key", "TB7032", 'no section "c" in the item', '"a", "b"'),
        ("op://prod/Stripe/secretkey", "TB7033", 'no field "secretkey"', '"secret key"'),
        ("op://prod/Stripe/key", "TB7034", 'more than one field "key"', "id"),
        ("op://prod/twice/password", "TB7034", 'more than one item "twice"', "id"),
        ("op://prod/Stripe/key?attribute=otp", "TB7034", "more than one", "id"),
        ("op://prod/Stripe/a/key?attribute=otp", "TB7035", 'attribute "otp" of the field "key"', "Check"),
    ],
)
def test_the_part_that_is_wrong(connect: Server, text: str, code: str, says: str, hint: str) -> None:
    environ = {"OP_CONNECT_HOST": connect.url, "OP_CONNECT_TOKEN": TOKEN}
    with pytest.raises(UnresolvedError) as caught:
        resolve(text, environ, name="KEY")
    assert caught.value.code == code
    assert says in str(caught.value) and str(caught.value).startswith("KEY: ")
    assert hint in caught.value.hint


def test_a_value_is_never_read_for_references(op: Op) -> None:
    """`op run` and backends hand over values that may look like references themselves."""
    environ = {**op.environ, "X": "${HOME} {{ op://prod/db/password }}"}
    assert resolve("${X}", environ).reveal() == environ["X"]
    assert resolve("op://prod/db/password", environ).reveal() == "two\nlines {{ op://prod/db/x }} ${Y}\n"


def test_a_value_typed_in_is_a_reference_as_a_whole_or_itself(op: Op) -> None:
    assert resolve("op://prod/Stripe/secret key", op.environ, literal=True).reveal() == "sk_live_1"
    for text in ("pa${SS}word", "see op://prod/Stripe/secret", " $${x} "):
        assert resolve(text, {}, literal=True).reveal() == text


def test_the_environment_backend_answers_by_name_and_asks_nobody(op: Op) -> None:
    settings = SecretsSettings(backend="environment")
    resolver = Resolver({**op.environ, "KEY": "from op run", "LEFT": "op://a/b/c"}, settings)
    found = resolver.resolve_now({0: Wanted("op://nope/x/y", "KEY")})
    assert found[0].reveal() == "from op run"
    for name in ("OTHER", "LEFT"):
        with pytest.raises(SecretError, match="environment") as caught:
            resolver.resolve_now({0: Wanted("op://nope/x/y", name)})
        assert caught.value.code == "TB7004"
    assert not op.calls


def test_inside_an_event_loop_and_twice(op: Op) -> None:
    async def both() -> None:
        resolver = Resolver(op.environ)
        wanted = {"a": Wanted("op://prod/Stripe/secret key"), "b": Wanted("x")}
        assert shown(resolver.resolve_now(wanted)) == {"a": "sk_live_1", "b": "x"}
        assert shown(await resolver.resolve(wanted)) == {"a": "sk_live_1", "b": "x"}

    asyncio.run(both())
    assert len(op.calls) == 1


def test_a_table(op: Op) -> None:
    data = {"target": {"api_token": "op://prod/Stripe/secret key", "n": 1}, "list": ["${X}", "x", True]}
    found = resolve_tree_now(data, Resolver({**op.environ, "X": "y"}))
    assert found == {"target": {"api_token": Secret("sk_live_1"), "n": 1}, "list": [Secret("y"), "x", True]}
    target = {"account_id": "${ACCOUNT}", "api_token": "${X}"}
    resolver = Resolver({"X": "y", "ACCOUNT": "0123"})
    found = resolve_tree_now(target, resolver, secret=lambda keys: keys[-1] == "api_token")
    assert found == {"account_id": "0123", "api_token": Secret("y")}
    with pytest.raises(SecretError, match="not set") as caught:
        resolve_tree_now({"a": {"b": "${NOPE}"}}, Resolver({}), lambda *keys: Location(Path("t.toml"), 7))
    assert caught.value.where == Location(Path("t.toml"), 7)


def test_no_backend_is_looked_for_without_a_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    from trailboss.secrets import vaults

    def never(*words: object) -> None:
        raise AssertionError

    monkeypatch.setattr(vaults, "choose", never)
    assert resolve("${A}", {"A": "1"}).reveal() == "1"


def test_importing_the_room_loads_nothing_heavy() -> None:
    script = "import sys, trailboss.secrets; print([m for m in sys.argv[1:] if m in sys.modules])"
    heavy = ("httpx", "pydantic", "asyncio", "ssl", "onepassword", "tomlkit")
    done = subprocess.run([sys.executable, "-c", script, *heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_value_from_the_command_line(op: Op) -> None:
    environ = {**op.environ, "X": "y"}
    for text, value in (
        ("op://prod/Stripe/secret key", "sk_live_1"),
        ("${X}", "y"),
        ("${NOPE:-z}", "z"),
        ("postgres://u:{{ op://prod/Stripe/a/key }}@h/${X}", "postgres://u:in-a@h/y"),
        ("pa${SS}word", "pa${SS}word"),
        ("see op://prod/Stripe/key", "see op://prod/Stripe/key"),
    ):
        assert given(text, environ).reveal() == value


def test_several_resolvers_ask_one_question(op: Op, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("A=op://prod/Stripe/a/key\nB=op://prod/Nope/x\n")
    vaults = Vaults(op.environ)
    file = SecretsFile.read(tmp_path / "a", op.environ, vaults=vaults)
    file.expect()
    token = Resolver(op.environ, vaults=vaults).resolve_now({0: Wanted("op://App Staging/api/token")})
    assert token[0].reveal() == "staging-token"
    asked = len(op.calls)
    with pytest.raises(UnresolvedError) as caught:
        file.values()
    assert caught.value.code == "TB7031" and caught.value.where == Location(tmp_path / "a", 2)
    assert file.values(lambda name: name == "A")["A"] == Secret("in-a")
    assert len(op.calls) == asked
