from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from trailboss.errors import BuildError
from trailboss.toolchain import ensure, install, node, node_binary


def test_the_pinned_wrangler_runs_on_the_pinned_node() -> None:
    toolchain = ensure()
    wanted = json.loads((install.LOCK / "package.json").read_text())["dependencies"]["wrangler"]
    package = toolchain.wrangler.parent.parent / "package.json"
    assert json.loads(package.read_text())["version"] == wanted


def test_every_locked_package_carries_a_hash() -> None:
    lock = json.loads((install.LOCK / "package-lock.json").read_text())
    unhashed = [name for name, entry in lock["packages"].items() if name and "integrity" not in entry]
    assert not unhashed


def test_node_is_new_enough() -> None:
    version = subprocess.run([node_binary(), "--version"], capture_output=True, text=True, check=True).stdout
    assert tuple(map(int, version.strip("v\n").split(".")))[:2] >= node.MINIMUM


@pytest.fixture
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRAILBOSS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_failing_npm_leaves_nothing_behind(
    fresh_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'network unreachable' >&2\nexit 1\n")
    npm.chmod(npm.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(install, "npm_command", lambda: [str(npm)])
    with pytest.raises(BuildError, match="network unreachable") as caught:
        ensure()
    assert caught.value.code == "TB3004"
    assert [p.name for p in (fresh_cache / "toolchain").iterdir()] == ["install.lock"]


def test_a_cache_folder_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocker = tmp_path / "file"
    blocker.touch()
    monkeypatch.setenv("TRAILBOSS_CACHE_DIR", str(blocker / "cache"))
    with pytest.raises(BuildError) as caught:
        ensure()
    assert caught.value.code == "TB3003"
    assert "TRAILBOSS_CACHE_DIR" in caught.value.hint


def test_without_any_node_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    node_binary.cache_clear()
    monkeypatch.setattr(node, "_bundled", lambda: None)
    monkeypatch.setenv("PATH", os.devnull)
    try:
        with pytest.raises(BuildError) as caught:
            node_binary()
        assert caught.value.code == "TB3001"
    finally:
        node_binary.cache_clear()
