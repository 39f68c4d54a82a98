"""Which environment is chosen, and by what."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from trailboss.config.environment import Environment, detect, git_branch
from trailboss.errors import ConfigError

BRANCHES = {"production": ["main"], "staging": ["develop", "release/*"], "other": []}


def git(folder: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", *words],
        cwd=folder,
        check=True,
        capture_output=True,
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    return folder


def test_the_order(repository: Path) -> None:
    environ = {"TRAILBOSS_ENV": "a", "CLOUDFLARE_ENV": "b"}
    assert detect("f", environ, repository, BRANCHES) == Environment("f", "flag")
    assert detect("", environ, repository, BRANCHES) == Environment(None, "flag")
    assert detect(None, environ, repository, BRANCHES) == Environment("a", "TRAILBOSS_ENV")
    del environ["TRAILBOSS_ENV"]
    assert detect(None, environ, repository, BRANCHES) == Environment("b", "CLOUDFLARE_ENV")
    assert detect(None, {}, repository, BRANCHES) == Environment("production", "branch", "main")
    assert detect(None, {"TRAILBOSS_ENV": ""}, repository, {}) == Environment(None, "default")


def test_patterns(repository: Path) -> None:
    git(repository, "checkout", "-q", "-b", "release/1.0")
    assert detect(None, {}, repository / "sub", BRANCHES).name == "staging"
    git(repository, "checkout", "-q", "-b", "feature/x")
    assert detect(None, {}, repository, BRANCHES) == Environment(None, "default")
    both = {"a": ["feature/*"], "b": ["feature/x*"]}
    with pytest.raises(ConfigError, match="several environments: a, b") as caught:
        detect(None, {}, repository, both)
    assert caught.value.code == "TB1205"
    assert detect(None, {}, repository, {**both, "c": ["feature/x"]}).name == "c"


def test_worktrees_and_detached_heads(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "-q", "-b", "develop", str(tmp_path / "tree"))
    assert git_branch(tmp_path / "tree") == "develop"
    assert git_branch(repository) == "main"
    git(repository, "checkout", "-q", "--detach")
    assert git_branch(repository) is None


def test_without_a_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: nowhere\n")
    assert git_branch(tmp_path) is None or git_branch(tmp_path) == git_branch(tmp_path.parent)
