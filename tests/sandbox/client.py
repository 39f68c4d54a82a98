"""Real, pinned wrangler, started the quick way: its program itself, with Node's compile cache."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.conftest import Sandbox
from trailboss.toolchain import ensure


def command(sandbox: Sandbox) -> tuple[list[str], dict[str, str]]:
    """How wrangler is started against a sandbox: words and environment."""
    tools = ensure()
    program = tools.root / "node_modules" / "wrangler" / "wrangler-dist" / "cli.js"
    environ = {
        key: value for key, value in os.environ.items() if not key.startswith(("CLOUDFLARE", "WRANGLER"))
    }
    environ |= {"NO_COLOR": "1", "FORCE_COLOR": "0", **sandbox.environ()}
    return [str(tools.node), "--no-warnings", str(program)], environ


def run(sandbox: Sandbox, folder: Path, *words: str, stdin: str = "", ok: bool = True) -> str:
    """Run wrangler in `folder`; all it said."""
    start, environ = command(sandbox)
    done = subprocess.run(
        [*start, *words],
        cwd=folder,
        env=environ,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert (done.returncode == 0) is ok, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr
