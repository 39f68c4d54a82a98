"""References on the command line, in `[target]` and in the variables: one question for a whole command."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.conftest import Trailboss
from tests.conftest import Sandbox
from tests.secrets.conftest import Op, op
from trailboss.cli.options import Options
from trailboss.cli.output import Output
from trailboss.cli.passthrough import environment
from trailboss.cli.run import Run
from trailboss.cli.words import split
from trailboss.errors import SecretError

__all__ = ["op"]


@pytest.fixture
def vault(op: Op, account: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Op:
    """The account of the sandbox, as Cloudflare's: its token and its id are in a vault."""
    found = account.connection
    api = [
        {"label": "token", "value": found.token},
        {"label": "account", "value": found.account_id},
        {"label": "url", "value": found.api_url},
    ]
    secret = {"title": "stripe", "fields": [{"label": "key", "value": "canary-5512"}]}
    op.set(vaults={"Ops": [{"title": "cloudflare", "fields": api}, secret]})
    monkeypatch.setenv("PATH", f"{op.folder}{os.pathsep}{os.environ['PATH']}")
    return op


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "wrangler.jsonc").write_text('{"name": "api", "compatibility_date": "2026-01-01"}')
    (folder / "trailboss.toml").write_text(
        '[target]\nname = "${WHERE:-cloudflare}"\nbase_url = "op://Ops/cloudflare/url"\n'
        'account_id = "op://Ops/cloudflare/account"\n'
    )
    (folder / ".env").write_text("CLOUDFLARE_API_TOKEN=op://Ops/cloudflare/token\n")
    monkeypatch.chdir(folder)
    return folder


def asked(op: Op) -> list[str]:
    return [" ".join(call["argv"]) for call in op.calls]


def names(account: Sandbox, script: str) -> list[str]:
    found = account.call("GET", f"{account.account}/workers/scripts/{script}/secrets")
    return [item["name"] for item in found]


def test_one_question_for_a_whole_command(
    vault: Op, project: Path, account: Sandbox, trailboss: Trailboss
) -> None:
    (project / "secrets.env").write_text("A=op://Ops/stripe/key\nB=op://Ops/stripe\n")
    done = trailboss("secret", "bulk", "secrets.env", "--json")
    assert done.status == 0, done.err
    assert done.json["account_id"] == account.connection.account_id
    assert asked(vault) == ["item get stripe --vault=Ops --format=json", "inject"]
    assert names(account, "api") == ["A", "B"]
    assert "canary-5512" not in done.out + done.err and account.connection.token not in done.out + done.err


def test_nothing_is_asked_that_is_not_used(
    vault: Op, project: Path, account: Sandbox, trailboss: Trailboss, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trailboss("environments", "list").status == 0
    monkeypatch.setenv("TRAILBOSS_SANDBOX_HOME", str(account.home))
    assert (
        trailboss("secret", "put", "A", "--target", "sandbox:test", stdin="op://Ops/stripe/key\n").status == 0
    )
    assert asked(vault) == []


def test_wrangler_gets_the_token_and_not_the_reference(
    vault: Op, tmp_path: Path, account: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("CLOUDFLARE_API_TOKEN=op://Ops/cloudflare/token\n")
    line = split(["kv", "key", "list"])
    found = environment(Run.start(Options()), line)
    assert found["CLOUDFLARE_API_TOKEN"] == account.connection.token
    (tmp_path / ".env").write_text("CLOUDFLARE_API_TOKEN=plain\n")
    assert "CLOUDFLARE_API_TOKEN" not in environment(Run.start(Options()), line)


def test_a_value_by_reference(vault: Op, project: Path, account: Sandbox, trailboss: Trailboss) -> None:
    done = trailboss("secret", "put", "A", "--value-from", "op://Ops/stripe/key")
    assert done.status == 0, done.err
    assert names(account, "api") == ["A"] and "canary-5512" not in done.out + done.err
    refused = trailboss("secret", "put", "A", "--value-from", "canary-5512", "--json")
    assert refused.status == 2 and refused.error["code"] == "TB9080"
    assert "canary-5512" not in json.dumps(refused.error)


def test_a_wrong_reference_is_shown_where_it_is_written(
    vault: Op, project: Path, trailboss: Trailboss
) -> None:
    text = (project / "trailboss.toml").read_text().replace("cloudflare/account", "cloudflare/acount")
    (project / "trailboss.toml").write_text(text)
    done = trailboss("whoami", "--json")
    assert done.status == 1 and done.error["code"] == "TB7033"
    assert done.error["where"] == f"{project / 'trailboss.toml'}:4:1"
    assert 'no field "acount" in the item "cloudflare"' in done.error["message"]


def test_a_person_is_asked_which_field_is_meant(
    vault: Op, project: Path, account: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(_output: Output, question: str, *, default: str = "", hidden: bool = False) -> str:
        asked.append(question)
        return "account"

    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(Output, "ask", answer)
    found = Run.start(Options()).value(" op://Ops/cloudflare", "--connection-string")
    assert found.reveal() == account.connection.account_id
    assert asked == ["Which field of op://Ops/cloudflare? (token, account, url)"]
    with pytest.raises(SecretError, match="names no field"):
        Run.start(Options(json=True)).value("op://Ops/cloudflare", "--connection-string")


def test_several_values_are_one_question(vault: Op, project: Path) -> None:
    wanted = {"a": "op://Ops/stripe/key", "b": "op://Ops/cloudflare/url", "c": "plain"}
    found = Run.start(Options()).values(wanted)
    assert found["a"].reveal() == "canary-5512" and found["c"].reveal() == "plain"
    assert asked(vault) == ["inject"]


@pytest.mark.parametrize(
    ("says", "code"),
    [
        ("You are not currently signed in. Please run `op signin --help` for instructions", "TB7042"),
        ("error initializing client: authorization prompt dismissed, please try again", "TB7043"),
        ("(429) Too Many Requests: You've reached the hourly limit", "TB7046"),
    ],
)
def test_1password_refuses(vault: Op, project: Path, trailboss: Trailboss, says: str, code: str) -> None:
    vault.set(says=says)
    done = trailboss("secret", "put", "A", "--value-from", "op://Ops/stripe/key", "--json")
    assert (done.status, done.error["code"]) == (1, code) and done.error["hint"]


@pytest.mark.parametrize(
    ("text", "code", "says", "line"),
    [
        ("A=op://Nope/stripe/key", "TB7030", 'no vault "Nope"', 2),
        ("A=op://Ops/nope/key", "TB7031", 'no item "nope" in the vault "Ops"', 2),
        ("A=op://Ops/stripe/nope", "TB7033", 'no field "nope" in the item "stripe"', 2),
        ("A=op://Ops/twice/key", "TB7034", 'more than one field "key" in the item "twice"', 2),
        ("A=op://Ops/twice", "TB7036", "names no field", 2),
        ("A=op://Ops/stripe/s/e/f/key", "TB7020", "too many parts", 2),
        ("canary-7 is no line", "TB7001", "not NAME=value", 2),
        ("A='canary-7", "TB7002", "never ends", 2),
    ],
)
def test_what_is_wrong_with_a_file(
    vault: Op, project: Path, trailboss: Trailboss, text: str, code: str, says: str, line: int
) -> None:
    state = json.loads((vault.folder / "state.json").read_text())["vaults"]
    twice = [{"label": "key", "value": "a", "section": "x"}, {"label": "key", "value": "b", "section": "y"}]
    state["Ops"].append({"title": "twice", "fields": twice})
    vault.set(vaults=state)
    (project / "values").write_text(f"# values\n{text}\n")
    done = trailboss("secret", "bulk", "values", "--target", "cloudflare", "--json")
    assert (done.status, done.error["code"]) == (1, code) and says in done.error["message"]
    assert done.error["where"] == f"values:{line}" and done.error["hint"]
    assert "canary-7" not in done.out + done.err
