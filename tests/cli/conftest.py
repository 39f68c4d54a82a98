"""Run the command line in this process, in a copy of an example project, against the suite's sandbox."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Sandbox
from trailboss.cli.main import main

EXAMPLES = Path(__file__).parents[2] / "examples"
CLEAR = (
    "TRAILBOSS_TARGET",
    "TRAILBOSS_ENV",
    "TRAILBOSS_SANDBOX",
    "CLOUDFLARE_ENV",
    "CLOUDFLARE_API_TOKEN",
    "CLOUDFLARE_ACCOUNT_ID",
    "CLOUDFLARE_API_BASE_URL",
    "CLOUDFLARE_API_KEY",
    "CLOUDFLARE_EMAIL",
)


@dataclass
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error object of a `--json` run."""
        return self.json["error"]


Trailboss = Callable[..., Done]


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in CLEAR:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def trailboss(monkeypatch: pytest.MonkeyPatch) -> Trailboss:
    """`trailboss("versions", "list", "--json")` in this process; `stdin` is what is piped in."""

    def run(*words: str, stdin: str | None = None) -> Done:
        out, err = io.StringIO(), io.StringIO()
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin or ""))
        with redirect_stdout(out), redirect_stderr(err):
            status = main(list(words))
        return Done(status, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def target(account: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """An empty sandbox account that every command acts on."""
    monkeypatch.setenv("TRAILBOSS_SANDBOX_HOME", str(account.home))
    monkeypatch.setenv("TRAILBOSS_TARGET", "sandbox:test")
    return account


@pytest.fixture
def hello(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of examples/hello, which is also the working folder."""
    return example("hello", tmp_path, monkeypatch)


def example(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of an example project; it becomes the working folder."""
    folder = tmp_path / name
    shutil.copytree(
        EXAMPLES / name, folder, ignore=shutil.ignore_patterns(".wrangler", ".trailboss", "node_modules")
    )
    monkeypatch.chdir(folder)
    return folder
