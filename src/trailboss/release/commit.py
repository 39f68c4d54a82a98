"""Which commit is being released: from the build system's variables, else from git."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_VARIABLES = ("WORKERS_CI_COMMIT_SHA", "GITHUB_SHA", "CI_COMMIT_SHA", "BITBUCKET_COMMIT", "CIRCLE_SHA1")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Commit:
    """`sha` is the full commit; `dirty` says that tracked files differ from it."""

    sha: str
    dirty: bool


def find_commit(directory: Path, environ: Mapping[str, str] | None = None) -> Commit | None:
    """The commit that `directory` is at, None outside a repository and where git cannot say."""
    sha = _git(directory, "rev-parse", "HEAD")
    if sha and _SHA.fullmatch(sha):
        return Commit(sha, dirty=bool(_git(directory, "status", "--porcelain", "--untracked-files=no")))
    environ = os.environ if environ is None else environ
    for name in _VARIABLES:
        if _SHA.fullmatch(environ.get(name, "")):
            return Commit(environ[name], dirty=False)
    return None


def _git(directory: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(directory), *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
