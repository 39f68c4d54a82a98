"""A marked secret goes through every way in and every failure, and is found nowhere else."""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import onepassword.core
import pytest

from tests.secrets.conftest import Op
from tests.secrets.standin_connect import TOKEN, Server
from tests.secrets.test_service_account import Native, Refusal
from trailboss.errors import SecretError
from trailboss.secrets import read_dotenv, read_secrets

CANARY = "canary-7f3a91"
SERVICE = f"ops_{CANARY}-token"
VAULTS = {"v": [{"title": "i", "fields": [{"label": "f", "value": CANARY}, {"label": "g", "value": "x"}]}]}
GOOD = "A=op://v/i/f\nB=op://v/i/g\n"


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[str]]]:
    """Everything that is written while a test runs: logs, temporary files, caches."""
    folder = tmp_path / "places"
    for name in ("TMPDIR", "HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        (folder / name).mkdir(parents=True)
        monkeypatch.setenv(name, str(folder / name))
    monkeypatch.setattr("tempfile.tempdir", None)
    handler = logging.FileHandler(folder / "log")
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)

    def leaks() -> list[str]:
        handler.flush()
        files = [file for file in folder.rglob("*") if file.is_file()]
        return [str(file) for file in files if CANARY.encode() in file.read_bytes()]

    yield leaks
    root.removeHandler(handler)
    root.setLevel(level)
    handler.close()
    assert not leaks()


@pytest.fixture
def ways(op: Op, connect: Server, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, str]]:
    """The environment of each backend."""
    op.set(vaults=VAULTS)
    connect.vaults = VAULTS
    native = Native()
    monkeypatch.setattr(onepassword.core.UniffiCore, "__init__", lambda core: setattr(core, "core", native))
    monkeypatch.setattr(
        "tests.secrets.test_service_account.VALUES", {"op://v/i/f": CANARY, "op://v/i/g": "x"}
    )
    native.errors = {"op://v/i/nope": "fieldNotFound"}
    return {
        "op": op.environ,
        "connect": {"OP_CONNECT_HOST": connect.url, "OP_CONNECT_TOKEN": TOKEN},
        "service-account": {"OP_SERVICE_ACCOUNT_TOKEN": SERVICE},
    }


def shown(error: BaseException) -> str:
    """Everything an error could show: with the variables of our own frames, and what it was raised from."""
    found = [str(error), repr(error), *traceback.format_exception(error)]
    if isinstance(error, SecretError):
        found += [json.dumps(error.as_json()), repr(vars(error))]
    for one in (error, error.__context__, error.__cause__):
        if one is None:
            continue
        frames = traceback.StackSummary.extract(traceback.walk_tb(one.__traceback__), capture_locals=True)
        own = f"trailboss{os.sep}secrets"
        kept = [f for f in frames if own in f.filename or "tests" not in f.filename]
        found += traceback.StackSummary.from_list(kept).format()
    return "\n".join(found)


def refused(work: Callable[[], object]) -> str:
    with pytest.raises(SecretError) as caught:
        work()
    text = shown(caught.value)
    assert CANARY not in text, text
    return text


@pytest.mark.parametrize("way", ["op", "connect", "service-account"])
def test_the_value_arrives_and_shows_itself_nowhere(
    way: str, ways: dict[str, dict[str, str]], op: Op, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / ".env"
    file.write_text(GOOD)
    found = read_dotenv(file, ways[way])
    assert found["A"].reveal() == CANARY
    assert CANARY not in f"{found} {found['A']} {found['A']!r:>20}"
    with pytest.raises(TypeError):
        json.dumps(found)
    logging.getLogger("trailboss").warning("%s %r", found, found["A"])
    assert CANARY not in json.dumps([{**call, "environ": call["environ"]} for call in op.calls])
    assert CANARY not in "".join(capfd.readouterr())


@pytest.mark.parametrize("way", ["op", "connect", "service-account"])
@pytest.mark.parametrize("wrong", ["op://v/i/nope", "${NOPE}", "op://v/i", "{{ op://v/$A/$B/$C/$D }}"])
def test_a_failure_beside_it(way: str, wrong: str, ways: dict[str, dict[str, str]], tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"{GOOD}P={CANARY}\nC={CANARY}{wrong}\nD=/x\n" if "{" in wrong else f"{GOOD}C={wrong}\n")
    refused(lambda: read_dotenv(file, {**ways[way], "OTHER": CANARY}))


def test_an_answer_that_is_none(
    ways: dict[str, dict[str, str]], op: Op, connect: Server, tmp_path: Path
) -> None:
    file = tmp_path / ".env"
    file.write_text(GOOD)
    connect.body = f"<html>{CANARY}".encode()
    assert "not JSON" in refused(lambda: read_dotenv(file, ways["connect"]))
    for status in ("0", "1"):
        script = f"#!/bin/sh\ncat >/dev/null\necho {CANARY}\nexit {status}\n"
        (op.folder / "op").write_text(script)
        refused(lambda: read_dotenv(file, ways["op"]))


def test_tokens(op: Op, connect: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_text(GOOD)
    refused(lambda: read_dotenv(file, {"OP_CONNECT_HOST": connect.url, "OP_CONNECT_TOKEN": CANARY}))
    refused(lambda: read_dotenv(file, {"OP_CONNECT_HOST": "http://127.0.0.1:1", "OP_CONNECT_TOKEN": CANARY}))
    refused(lambda: read_dotenv(file, {"OP_SERVICE_ACCOUNT_TOKEN": SERVICE}))
    native = Native()
    native.refusal = Refusal("Other", f"{SERVICE} was revoked")
    monkeypatch.setattr(onepassword.core.UniffiCore, "__init__", lambda core: setattr(core, "core", native))
    refused(lambda: read_dotenv(file, {"OP_SERVICE_ACCOUNT_TOKEN": SERVICE}))
    op.set(says=f"(401) Unauthorized: {SERVICE} has expired")
    monkeypatch.setattr("trailboss.secrets.backends.service_account.find_spec", lambda name: None)
    refused(lambda: read_dotenv(file, {**op.environ, "OP_SERVICE_ACCOUNT_TOKEN": SERVICE}))


@pytest.mark.parametrize(
    "text",
    [
        f"A={CANARY}\nB='open",
        f"A={CANARY}\n{CANARY} is not a line\n",
        f'{{"A": "{CANARY}",\n oops}}',
        f'{{"A": "{CANARY}", "B": 1}}',
        f'{{"A": "{CANARY}", "B": "${{NOPE}}"}}',
        f'{{"A": "{CANARY} {{{{ op://v/i }}}}"}}',
    ],
)
def test_a_file_that_is_wrong(text: str, tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_text(text)
    refused(lambda: read_secrets(file, {"HOME": CANARY}))
