"""The `op` backend against a stand-in program that behaves as `op` 2 is documented to."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.secrets.conftest import Op
from trailboss.errors import SecretError
from trailboss.secrets.backends import Answer, Unresolved
from trailboss.secrets.backends.op_cli import OpCli, find
from trailboss.secrets.backends.op_messages import about_references, message
from trailboss.secrets.reference import Reference
from trailboss.values import Secret


def backend(op: Op, *, account: str | None = None, seconds: float = 20, **more: str) -> OpCli:
    program = find(op.environ)
    assert program
    return OpCli(program, {**op.environ, **more}, account, seconds)


def ask(cli: OpCli, *texts: str) -> dict[str, Answer]:
    found = asyncio.run(cli.resolve([Reference.parse(text) for text in texts]))
    return {str(reference): answer for reference, answer in found.items()}


def test_many_references_in_one_process(op: Op) -> None:
    texts = ["op://prod/Stripe/secret key", "op://PROD/stripe/a/Key", "op://App Staging/api/token"]
    many = [*texts, "op://prod/db/password", "op://prod/Stripe/code?attribute=otp", texts[0]]
    found = ask(backend(op), *many)
    assert [answer.reveal() for answer in found.values() if isinstance(answer, Secret)] == [
        "sk_live_1",
        "in-a",
        "staging-token",
        "two\nlines {{ op://prod/db/x }} ${Y}\n",
        "123456",
    ]
    assert [call["argv"] for call in op.calls] == [["inject"]]


def test_the_account_is_named_and_connect_does_not_displace_it(op: Op) -> None:
    cli = backend(op, account="my.1password.com", OP_CONNECT_HOST="h", OP_CONNECT_TOKEN="t", OP_DEBUG="true")
    ask(cli, "op://prod/db/password")
    (call,) = op.calls
    assert call["argv"] == ["inject", "--account", "my.1password.com"]
    assert not {"OP_CONNECT_HOST", "OP_CONNECT_TOKEN", "OP_DEBUG"} & set(call["environ"])


def test_everything_that_is_wrong_is_found(op: Op) -> None:
    wrong = {
        "op://nope/Stripe/key": Unresolved("vault", "unknown"),
        "op://prod/Nope/key": Unresolved("item", "unknown"),
        "op://prod/twice/password": Unresolved("item", "ambiguous"),
        "op://prod/Stripe/z/key": Unresolved("section", "unknown"),
        "op://prod/Stripe/nope": Unresolved("field", "unknown"),
        "op://prod/Stripe/key": Unresolved("field", "ambiguous"),
    }
    found = ask(backend(op), "op://prod/db/password", *wrong)
    assert {key: answer for key, answer in found.items() if isinstance(answer, Unresolved)} == wrong
    assert isinstance(found["op://prod/db/password"], Secret)


@pytest.mark.parametrize(
    ("says", "code", "more"),
    [
        ("You are not currently signed in. Please run `op signin --help` for instructions", "TB7042", {}),
        ("account is not signed in", "TB7042", {}),
        ("connecting to desktop app: couldn't connect to the 1Password desktop app", "TB7042", {}),
        ("error initializing client: authorization prompt dismissed, please try again", "TB7043", {}),
        ("(401) Unauthorized: the token has expired", "TB7044", {"OP_SERVICE_ACCOUNT_TOKEN": "ops_x"}),
        ("(429) Too Many Requests: You've reached the hourly limit", "TB7046", {}),
        ("Get \"https://my.1password.com\": dial tcp: lookup my.1password.com: no such host", "TB7047", {}),
        ("multiple accounts found. Use the --account flag or set OP_ACCOUNT", "TB7053", {}),
        ("something else", "TB7049", {}),
    ],
)  # fmt: skip
def test_refusals(op: Op, says: str, code: str, more: dict[str, str]) -> None:
    op.set(says=says)
    with pytest.raises(SecretError) as caught:
        ask(backend(op, **more), "op://prod/db/password")
    assert caught.value.code == code
    assert caught.value.hint


@pytest.mark.parametrize(
    ("version", "more"), [("1.14.0", {}), ("2.17.0", {"OP_SERVICE_ACCOUNT_TOKEN": "ops_x"})]
)
def test_an_old_program_is_told_apart_when_it_fails(op: Op, version: str, more: dict[str, str]) -> None:
    op.set(version=version, says='unknown command "inject" for "op"')
    with pytest.raises(SecretError, match=version) as caught:
        ask(backend(op, **more), "op://prod/db/password")
    assert caught.value.code == "TB7041"


def test_the_version(op: Op) -> None:
    assert asyncio.run(backend(op).version()) == (2, 31, 1)
    op.set(version="who knows")
    with pytest.raises(SecretError) as caught:
        asyncio.run(backend(op).version())
    assert caught.value.code == "TB7049"


def test_no_answer_leaves_no_process(op: Op) -> None:
    op.set(hangs=True)
    with pytest.raises(SecretError) as caught:
        ask(backend(op, seconds=1), "op://prod/db/password")
    assert caught.value.code == "TB7048"
    assert not left_over(op)


def test_cancelling_leaves_no_process(op: Op) -> None:
    op.set(hangs=True)

    async def cancelled() -> None:
        task = asyncio.create_task(backend(op).resolve([Reference("prod", "db", None, "password")]))
        while not op.calls:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(cancelled())
    assert not left_over(op)


def left_over(op: Op) -> list[str]:
    """Our children that are the stand-in."""
    own = str(os.getpid())
    children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
    return [pid for pid in children if str(op.folder) in Path(f"/proc/{pid}/cmdline").read_text()]


def test_the_program_has_gone(op: Op) -> None:
    cli = backend(op)
    (op.folder / "op").unlink()
    with pytest.raises(SecretError) as caught:
        ask(cli, "op://prod/db/password")
    assert caught.value.code == "TB7040"


def test_an_answer_of_another_form_is_not_guessed_at(op: Op) -> None:
    (op.folder / "op").write_text("#!/bin/sh\ncat >/dev/null\necho hello\n")
    with pytest.raises(SecretError) as caught:
        ask(backend(op), "op://prod/db/password")
    assert caught.value.code == "TB7049"


def test_bytes_that_are_no_text_are_not_changed_into_some(op: Op) -> None:
    program = f"#!{sys.executable} -IS\nimport sys\nt = sys.stdin.read().splitlines()\n"
    program += "sys.stdout.buffer.write(f'{t[0]}\\n'.encode() + b'a\\xff' + f'\\n{t[2]}\\n'.encode())\n"
    (op.folder / "op").write_text(program)
    (answer,) = ask(backend(op), "op://prod/x/file").values()
    assert answer == Unresolved("field", "unsupported", "the file is not text")


@pytest.mark.parametrize(
    ("says", "wrong", "part"),
    [
        ("[ERROR] 2026/07/08 19:40:01 \"db\" isn't an item in the \"prod\" vault. Specify the item with its "
         "UUID, name, or domain.", {"op://prod/db/a"}, "item"),
        ("could not read secret 'op://prod/db/a': \"db\" isn't an item in the \"prod\" vault", {"op://prod/db/a"},
         "item"),
        ("could not resolve item UUID for item db", {"op://prod/db/a", "op://other/db/a"}, "item"),
        ("could not resolve item UUID for item db: could not find item db in vault "
         "abcdefghijklmnopqrstuvwxyz", {"op://prod/db/a", "op://other/db/a"}, "item"),
        ("item 'other/db' does not have a field 'a'", {"op://other/db/a"}, "field"),
        ("\"other\" isn't a vault in this account.", {"op://other/db/a"}, "vault"),
    ],
)  # fmt: skip
def test_messages_seen_in_the_wild(says: str, wrong: set[str], part: str) -> None:
    asked = [Reference.parse(text) for text in ("op://prod/db/a", "op://other/db/a", "op://prod/x/y")]
    found = about_references(says, asked)
    assert {str(reference) for reference in found} == wrong
    assert {answer.part for answer in found.values()} == {part}


def test_a_message_shows_no_token() -> None:
    assert message("[ERROR] 2026/07/08 19:40:01 bad ops_eyJhbGciOiJFUzI1 here\nmore") == "bad <token> here"
