"""The command lines of the processes that started this one, nearest first.

From /proc, else from `ps`; where there is neither (Windows) there are none."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MOST = 32
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Program:
    """A running program; `folder` is where it runs, None when that cannot be seen."""

    words: tuple[str, ...]
    parent: int
    folder: Path | None = None


def ancestors() -> Iterator[Program]:
    """At most `MOST` of them; ends early where one cannot be read."""
    pid = os.getppid()
    for _ in range(MOST):
        if pid <= 1:
            return
        found = _from_proc(pid) if (_PROC / "self" / "stat").exists() else _from_ps(pid)
        if found is None:
            return
        yield found
        pid = found.parent


def _from_proc(pid: int) -> Program | None:
    home = _PROC / str(pid)
    try:
        words = (home / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
        # The name in parentheses may hold anything; what follows the last one is numbers.
        parent = int((home / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return None
    try:
        folder = (home / "cwd").readlink()
    except OSError:
        folder = None
    return Program(tuple(words), parent, folder)


def _from_ps(pid: int) -> Program | None:
    try:
        done = subprocess.run(
            ["ps", "-o", "ppid=,command=", "-p", str(pid)],
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
        parent, *words = done.stdout.split()
        return Program(tuple(words), int(parent))
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
