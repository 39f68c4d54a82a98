"""The commands our user wrote down, against the sandbox, with the stand-in for `op`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Sandbox
from tests.secrets.conftest import Op

CANARY = "canary-51c2d0"
VAULTS = {
    "Agency": [
        {"title": f"api-{name}", "fields": [{"label": "KEY", "value": f"{CANARY}-{name}"}]}
        for name in ("development", "production")
    ]
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "wrangler.jsonc").write_text(
        '{"name": "api", "main": "index.js", "compatibility_date": "2026-01-01",'
        ' "env": {"development": {}, "production": {}}}'
    )
    (folder / "index.js").write_text(
        "export default { fetch(request, env) { return new Response(env.KEY ?? 'none'); } };"
    )
    for name in ("development", "production"):
        (folder / f".env.{name}").write_text(f"KEY=op://Agency/api-{name}/KEY\n")
    return folder


# The toolchain is the one that is installed already, so this process's environment stays, but for what would
# choose another backend.
OTHERS = ("OP_CONNECT_HOST", "OP_CONNECT_TOKEN", "OP_SERVICE_ACCOUNT_TOKEN", "TRAILBOSS_SECRETS_BACKEND")


def test_secrets_reach_the_worker_and_no_other_place(op: Op, project: Path, account: Sandbox) -> None:
    op.set(vaults=VAULTS)
    environ = {
        **{name: value for name, value in os.environ.items() if name not in OTHERS},
        **account.environ(),
        "PATH": f"{op.folder}{os.pathsep}{os.environ['PATH']}",
        "TRAILBOSS_SANDBOX_HOME": str(account.home),
        "TRAILBOSS_TARGET": "sandbox:test",
    }

    def run(*words: str) -> str:
        done = subprocess.run(words, cwd=project, env=environ, capture_output=True, text=True, timeout=90)
        assert done.returncode == 0, done.stderr
        assert CANARY not in done.stdout + done.stderr
        return done.stdout + done.stderr

    trailboss = (sys.executable, "-m", "trailboss")
    under_op = (str(op.folder / "op"), "run", "--env-file=.env.development", "--")
    run(*under_op, *trailboss, "secret", "bulk", "--env", "development", ".env.development")
    assert [call["argv"][0] for call in op.calls] == ["run"]
    run(*trailboss, "deploy", "--env", "production", "--secrets-file", ".env.production")
    assert [call["argv"][0] for call in op.calls] == ["run", "inject"]
    assert account.worker("api-production").text == f"{CANARY}-production"
    for call in op.calls:
        assert CANARY not in str(call)
    for file in project.rglob("*"):
        assert not file.is_file() or CANARY not in file.read_text(errors="replace")
