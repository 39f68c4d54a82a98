"""Install the pinned npm packages once, whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trailboss.errors import BuildError
from trailboss.toolchain.folders import cache_root
from trailboss.toolchain.node import node_binary, npm_command

LOCK = Path(__file__).parent / "lock"


@dataclass(frozen=True, slots=True)
class Toolchain:
    """Where things are: `node` the binary, `root` the folder that holds `node_modules`."""

    node: Path
    root: Path

    @property
    def wrangler(self) -> Path:
        """The wrangler entry script, to be run as `[node, wrangler, ...]`."""
        return self.root / "node_modules" / "wrangler" / "bin" / "wrangler.js"


def digest() -> str:
    """The identity of the pinned set: a change of the lock file installs a new one beside the old."""
    return hashlib.sha256((LOCK / "package-lock.json").read_bytes()).hexdigest()[:16]


def installed() -> Toolchain | None:
    """The pinned toolchain when it is there already. Raises BuildError TB3001 no Node."""
    root = cache_root() / "toolchain" / digest()
    return Toolchain(node=node_binary(), root=root) if (root / "complete").exists() else None


def ensure(progress: Callable[[str], None] = lambda _: None) -> Toolchain:
    """The pinned toolchain, installed now if it is not there yet.

    Safe to call from several processes at once, and after a kill at any moment: the folder appears by one
    rename. Packages are checked against the hashes of the committed lock file; no install script runs.

    Raises:
        BuildError: TB3001 no Node, TB3003 the cache folder cannot be written, TB3004 npm failed.
    """
    found = installed()
    if found is not None:
        return found
    node, root = node_binary(), cache_root() / "toolchain" / digest()
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(root.parent / "install.lock"):
            if not (root / "complete").exists():
                progress("installing wrangler and Miniflare (once)")
                _install(root)
    except OSError as error:
        raise BuildError(
            "TB3003",
            f"the cache folder {root.parent} cannot be written: {error.strerror or error}",
            hint="Set TRAILBOSS_CACHE_DIR to a folder you may write.",
        ) from error
    return Toolchain(node=node, root=root)


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _install(root: Path) -> None:
    staging = Path(tempfile.mkdtemp(prefix=f"{root.name}.", dir=root.parent))
    try:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(LOCK / name, staging / name)
        # `npm ci` refuses a lock file that lacks another platform's optional binary; `install` takes the same
        # versions, checks the same hashes, and leaves the lock file alone.
        command = [*npm_command(), "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]
        path = f"{node_binary().parent}{os.pathsep}{os.environ.get('PATH', '')}"
        done = subprocess.run(
            [*command, "--loglevel=error"],
            cwd=staging,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise BuildError(
                "TB3004",
                f"npm could not install the pinned wrangler: {_last_lines(done.stderr or done.stdout)}",
                hint="Check the network and npm's registry setting; nothing was left half-installed.",
            )
        (staging / "complete").touch()
        shutil.rmtree(root, ignore_errors=True)
        staging.rename(root)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _last_lines(text: str, count: int = 4) -> str:
    return " / ".join(line for line in text.strip().splitlines()[-count:] if line) or "no output"
