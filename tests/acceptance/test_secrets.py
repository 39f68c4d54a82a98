"""Steps 1 (secrets) and 21, run as written, with each of the ways into 1Password.

1Password cannot run here. `op` is a program that behaves as documented, Connect an HTTP server; for a service
account the real SDK runs with its native library replaced. All of Trailboss is real."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.commands import step
from tests.conftest import Sandbox
from tests.secrets.conftest import Op, connect, op
from tests.secrets.standin_connect import TOKEN, Server
from tests.secrets.test_command_line import OTHERS

__all__ = ["connect", "op"]
CANARY = "canary-8d21"
ENVIRONMENTS = ("development", "staging", "production")
NAMES = ("API_KEY", "WEBHOOK")
WAYS = ("op", "connect", "service-account")
VAULTS = {
    "agency": [
        {
            "title": f"agency-{environment}",
            "fields": [{"label": name, "value": f"{CANARY}-{environment}-{name}"} for name in NAMES],
        }
        for environment in ENVIRONMENTS
    ]
}
WRANGLER = {
    "name": "agency",
    "main": "index.js",
    "compatibility_date": "2026-11-01",
    "secrets": {"required": list(NAMES)},
}
CODE = "export default { fetch(_, env) { return new Response(`${env.API_KEY} ${env.WEBHOOK}`) } };"
NATIVE = """\
import json
import onepassword.core
VALUES = json.loads({values!r})
class Native:
    async def init_client(self, config): return "1"
    def release_client(self, client): pass
    async def invoke(self, request):
        asked = json.loads(request)["invocation"]["parameters"]["parameters"]["secret_references"]
        found = {{text: {{"secret": VALUES[text], "itemId": "i", "vaultId": "v"}} for text in asked}}
        found = {{text: {{"content": content}} for text, content in found.items()}}
        return json.dumps({{"individualResponses": found}})
onepassword.core.UniffiCore.__init__ = lambda core: setattr(core, "core", Native())
"""

Run = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "agency"
    made.mkdir()
    (made / "wrangler.jsonc").write_text(json.dumps(WRANGLER))
    (made / "index.js").write_text(CODE)
    (made / "trailboss.toml").write_text('name = "agency"\n')
    return made


@pytest.fixture
def run(folder: Path, op: Op, connect: Server, account: Sandbox, tmp_path: Path) -> Run:
    """A line of the list in the project's folder, as in a shell whose PATH has `op` and `trailboss`."""
    op.set(vaults=VAULTS)
    connect.vaults = VAULTS
    program = op.folder / "trailboss"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m trailboss "$@"\n')
    program.chmod(0o755)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    native = tmp_path / "native"
    native.mkdir()
    values = {
        f"op://agency/agency-{environment}/{name}": f"{CANARY}-{environment}-{name}"
        for environment in ENVIRONMENTS
        for name in NAMES
    }
    (native / "sitecustomize.py").write_text(NATIVE.format(values=json.dumps(values)))
    more = {
        "op": {},
        "connect": {"OP_CONNECT_HOST": connect.url, "OP_CONNECT_TOKEN": TOKEN},
        "service-account": {
            "OP_SERVICE_ACCOUNT_TOKEN": "ops_x",
            "PYTHONPATH": os.pathsep.join((str(native), os.environ.get("PYTHONPATH", ""))),
        },
    }
    usual = {name: value for name, value in os.environ.items() if name not in OTHERS}

    def call(line: str, way: str = "op") -> str:
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=folder,
            env={
                **usual,
                "PATH": f"{op.folder}{os.pathsep}{os.environ['PATH']}",
                "TRAILBOSS_SANDBOX_HOME": str(account.home),
                "TRAILBOSS_TARGET": "sandbox:test",
                "TMPDIR": str(temporary),
                "CI": "true",
                **more[way],
            },
            capture_output=True,
            text=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    return call


def names(account: Sandbox, script: str) -> set[str]:
    found = account.call("GET", f"{account.account}/workers/scripts/{script}/secrets")
    return {item["name"] for item in found}


def leaks(*places: Path) -> list[str]:
    """Files that hold a value."""
    files = [file for place in places for file in place.rglob("*") if file.is_file()]
    return [str(file) for file in files if CANARY.encode() in file.read_bytes()]


def test_step_1_with_references(run: Run, account: Sandbox, op: Op, folder: Path, tmp_path: Path) -> None:
    commands = step(1)
    for environment in ENVIRONMENTS:
        lines = [f"{name}=op://agency/agency-{environment}/{name}\n" for name in NAMES]
        (folder / f".env.{environment}").write_text("".join(lines))
    said = "".join(run(command) for command in commands)
    for environment in ENVIRONMENTS if commands else ():
        assert names(account, f"agency-{environment}") == set(NAMES)
    if commands:
        run("trailboss secret status --env production .env.production --exit-code")
        assert [call["argv"] for call in op.calls] == [["inject"]] * 4
    assert CANARY not in said + json.dumps(op.calls) and not leaks(folder, tmp_path / "tmp")


def test_step_21_as_written(run: Run, account: Sandbox, op: Op, folder: Path, tmp_path: Path) -> None:
    commands = step(21)
    if not commands:
        return
    run("trailboss environments create development")
    said = [run(command) for command in commands]
    assert "<concealed by 1Password>" not in said[1], "op had nothing to conceal"
    assert account.worker("agency-development").text == " ".join(
        f"{CANARY}-development-{name}" for name in NAMES
    )
    asked = [call["argv"] for call in op.calls]
    assert asked[0] == ["inject"] and asked[1][0] == "run" and len(asked) == 2, "nothing is resolved twice"
    assert CANARY not in "".join(said) and not leaks(folder, tmp_path / "tmp")
    before = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    run("trailboss op init")
    assert {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()} == before


@pytest.mark.parametrize("way", WAYS)
def test_step_21_with_each_backend(way: str, run: Run, account: Sandbox, op: Op, folder: Path) -> None:
    run("trailboss environments create development")
    run("trailboss op init", way)
    said = run("trailboss deploy --env development", way)
    assert account.worker("agency-development").text.count(CANARY) == 2
    assert [call["argv"] for call in op.calls] == ([["inject"], ["inject"]] if way == "op" else [])
    assert CANARY not in said and not leaks(folder)
    shutil.rmtree(folder)
