"""What is remembered of a valid project: none of its values, and nothing that makes a wrong one right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from trailboss.config import Project, approved, typed
from trailboss.config.resolve import Resolved
from trailboss.errors import ConfigError

GOOD = '{"name": "shop", "kv_namespaces": [{"binding": "KV", "idd": "1"}], "vars": {"KEY": "s3cr3t-value"}}'
BAD = '{"name": "shop", "main": 1}'
TOML = 'name = "shop"\n[target]\napi_token = "s3cr3t-value"\n[environments.staging.workers.w]\npath = "."\n'


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRAILBOSS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "config"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "wrangler.json").write_text(GOOD)
    return root


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files whose Workers were really checked."""
    checked: list[Path] = []
    real: Callable[[Resolved], list[str]] = typed.check

    def check(resolved: Resolved) -> list[str]:
        checked.append(resolved.document.file)
        return real(resolved)

    monkeypatch.setattr(typed, "check", check)
    return checked


def load(root: Path, environment: str = "") -> Project:
    return Project.load(root, environment=environment, environ={})


def code_of(root: Path, environment: str = "") -> str:
    with pytest.raises(ConfigError) as caught:
        load(root, environment)
    return caught.value.code


def test_the_second_load_says_the_same_without_checking(root: Path, memory: Path, checks: list[Path]) -> None:
    first, second = load(root), load(root)
    assert len(checks) == 1
    assert first.warnings == second.warnings
    assert 'wrangler does not know "kv_namespaces[0].idd"' in second.warnings[0]
    assert second.workers[0].config.kv_namespaces[0].binding == "KV"
    assert second.settings == first.settings


def test_a_known_project_loads_without_pydantic(root: Path, memory: Path) -> None:
    (root / "trailboss.toml").write_text(TOML)
    script = (
        "import sys; from trailboss.config import Project; p = Project.load();"
        "print(p.workers[0].name, p.settings.target, p.settings.gates, p.protected);"
        "print('pydantic' in sys.modules)"
    )

    def run() -> str:
        command = [sys.executable, "-c", script]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout

    first, second = run(), run()
    assert first == "shop {'api_token': 's3cr3t-value'} {} False\nTrue\n"
    assert second == first.replace("True", "False")


def test_nothing_wrong_is_ever_remembered(root: Path, memory: Path) -> None:
    config = root / "wrangler.json"
    load(root)
    for _ in range(2):
        config.write_text(BAD)
        assert code_of(root) == "TB1101"
    config.write_text(GOOD)
    assert load(root).workers[0].name == "shop"
    config.write_text(BAD)
    assert code_of(root) == "TB1101"


def test_each_environment_is_checked_for_itself(root: Path, memory: Path) -> None:
    (root / "wrangler.json").write_text('{"name": "shop", "env": {"staging": {"main": 1}}}')
    load(root)
    assert code_of(root, "staging") == "TB1101"
    (root / "trailboss.toml").write_text("[gates.a]\nb = 1\n[environments.b]\ngates = 1\n")
    assert code_of(root) == "TB1202"


def test_values_are_not_kept_and_nobody_else_may_read(root: Path, memory: Path) -> None:
    (root / "trailboss.toml").write_text(TOML)
    load(root)
    load(root, "staging")
    files = list(memory.iterdir())
    assert len(files) == 4
    assert memory.stat().st_mode & 0o777 == 0o700
    for file in files:
        assert file.stat().st_mode & 0o777 == 0o600
        assert "s3cr3t" not in file.read_text()


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"warnings": []}', "0" * 70_000, "[" * 60_000])
def test_a_damaged_memory_is_no_memory(root: Path, memory: Path, checks: list[Path], damage: str) -> None:
    load(root)
    for file in memory.iterdir():
        file.write_text(damage)
    assert load(root).warnings
    assert len(checks) == 2


def test_a_memory_with_wrong_warnings_is_no_memory(root: Path, memory: Path, checks: list[Path]) -> None:
    load(root)
    (file,) = memory.iterdir()
    file.write_text(json.dumps({**json.loads(file.read_text()), "warnings": [1]}))
    assert len(load(root).warnings) == 1
    assert len(checks) == 2


def test_a_memory_others_may_write_is_no_memory(root: Path, memory: Path, checks: list[Path]) -> None:
    load(root)
    (file,) = memory.iterdir()
    file.chmod(0o666)
    load(root)
    assert len(checks) == 2
    assert file.stat().st_mode & 0o777 == 0o600
    moved = file.rename(memory / "moved")
    file.symlink_to(moved)
    load(root)
    assert len(checks) == 3
    assert not file.is_symlink()


def test_another_program_checks_again(
    root: Path, memory: Path, checks: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    load(root)
    monkeypatch.setattr(approved, "_program", lambda: "another version")
    load(root)
    assert len(checks) == 2
    monkeypatch.setattr(approved, "_program", lambda: None)
    load(root)
    load(root)
    assert len(checks) == 4


def test_without_a_cache_folder_every_load_checks(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checks: list[Path]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TRAILBOSS_CACHE_DIR", str(tmp_path / "file"))
    load(root)
    load(root)
    assert len(checks) == 2


def test_the_memory_stays_small(root: Path, memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approved, "MOST", 4)
    for number in range(6):
        (root / f"{number}.json").write_text(GOOD)
        Project.load(root, config=Path(f"{number}.json"), environment="", environ={})
        newest = max(memory.iterdir(), key=lambda file: file.stat().st_mtime_ns)
        os.utime(newest, ns=(number, number))
    assert len(list(memory.iterdir())) <= 4
    assert newest.exists()
