"""Which environment is meant: --env, TRAILBOSS_ENV, CLOUDFLARE_ENV, the git branch, in that order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from trailboss.config.discover import upwards
from trailboss.errors import ConfigError
from trailboss.values import Location

Origin = Literal["flag", "TRAILBOSS_ENV", "CLOUDFLARE_ENV", "branch", "default"]


@dataclass(frozen=True, slots=True)
class Environment:
    """The chosen environment (`name` None: the top level), what chose it, and the branch when that did."""

    name: str | None
    source: Origin
    branch: str | None = None

    def __str__(self) -> str:
        return self.name or "top level"


def detect(
    flag: str | None,
    environ: Mapping[str, str],
    directory: Path,
    branches: Mapping[str, list[str]],
    where: Location | None = None,
) -> Environment:
    """Chooses. `branches` maps environments to branch names or patterns (`release/*`).

    An empty flag means the top level, as in wrangler. Raises ConfigError TB1205 when two environments want
    the same branch.
    """
    if flag is not None:
        return Environment(flag or None, "flag")
    if environ.get("TRAILBOSS_ENV"):
        return Environment(environ["TRAILBOSS_ENV"], "TRAILBOSS_ENV")
    if environ.get("CLOUDFLARE_ENV"):
        return Environment(environ["CLOUDFLARE_ENV"], "CLOUDFLARE_ENV")
    branch = git_branch(directory) if any(branches.values()) else None
    if branch is not None:
        name = _for_branch(branch, branches, where)
        if name is not None:
            return Environment(name, "branch", branch)
    return Environment(None, "default")


def _for_branch(branch: str, branches: Mapping[str, list[str]], where: Location | None) -> str | None:
    exact = [name for name, patterns in branches.items() if branch in patterns]
    matching = exact or [
        n for n, patterns in branches.items() if any(fnmatchcase(branch, p) for p in patterns)
    ]
    if len(matching) > 1:
        raise ConfigError(
            "TB1205",
            f'the branch "{branch}" belongs to several environments: {", ".join(matching)}',
            hint="Leave it in one `branches` list, or choose with --env.",
            where=where,
        )
    return matching[0] if matching else None


def git_branch(directory: Path) -> str | None:
    """The branch checked out around `directory`, read from HEAD; None when detached or absent."""
    for folder in upwards(directory):
        head = _head(folder / ".git")
        if head is not None:
            name = head.removeprefix("ref: refs/heads/").strip()
            return name if head.startswith("ref: refs/heads/") and name != ".invalid" else None
    return None


def _head(dot_git: Path) -> str | None:
    """The text of HEAD; in a worktree or submodule `.git` is a file that names the real folder."""
    try:
        if dot_git.is_file():
            pointer = dot_git.read_text("utf-8", "replace").removeprefix("gitdir:").strip()
            dot_git = dot_git.parent / pointer
        return (dot_git / "HEAD").read_text("utf-8", "replace")
    except (OSError, ValueError):
        return None
