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
    "GITHUB_ACTIONS",
    "GITHUB_STEP_SUMMARY",
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
    surround(monkeypatch)
    monkeypatch.chdir(tmp_path)


def surround(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the environment chooses an account or an environment."""
    for name in CLEAR:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")


def point(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    """Every command acts on `sandbox`."""
    monkeypatch.setenv("TRAILBOSS_SANDBOX_HOME", str(sandbox.home))
    monkeypatch.setenv("TRAILBOSS_TARGET", "sandbox:test")


def called(monkeypatch: pytest.MonkeyPatch, *words: str, stdin: str | None = None) -> Done:
    """`trailboss …` in this process."""
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdin", io.StringIO(stdin or ""))
    with redirect_stdout(out), redirect_stderr(err):
        status = main(list(words))
    return Done(status, out.getvalue(), err.getvalue())


@pytest.fixture
def trailboss(monkeypatch: pytest.MonkeyPatch) -> Trailboss:
    """`trailboss("versions", "list", "--json")` in this process; `stdin` is what is piped in."""

    def run(*words: str, stdin: str | None = None) -> Done:
        return called(monkeypatch, *words, stdin=stdin)

    return run


@pytest.fixture
def target(account: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """An empty sandbox account that every command acts on."""
    point(monkeypatch, account)
    return account


@dataclass
class Live:
    """examples/hello deployed once: `how` that went, its `folder`, and the `ledger` for CI actions."""

    sandbox: Sandbox
    folder: Path
    ledger: Path
    how: Done


@pytest.fixture(scope="module")
def live(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Live:
    """An account in which the Worker `hello` is live, for the whole module; see `deployed`."""
    sandbox.control("POST", "reset")
    folder, ledger = tmp_path_factory.mktemp("live"), tmp_path_factory.mktemp("ledger") / "out.json"
    with pytest.MonkeyPatch.context() as patch:
        surround(patch)
        point(patch, sandbox)
        patch.setenv("WRANGLER_OUTPUT_FILE_PATH", str(ledger))
        project = example("hello", folder, patch)
        how = called(patch, "deploy", "--message", "first", "--tag", "a")
    assert how.status == 0, how
    return Live(sandbox, project, ledger, how)


@pytest.fixture
def deployed(live: Live, monkeypatch: pytest.MonkeyPatch) -> Live:
    """The module's deployment; its folder is the working folder. Tests leave other versions behind, so none
    may count on being the first."""
    point(monkeypatch, live.sandbox)
    monkeypatch.chdir(live.folder)
    return live


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
