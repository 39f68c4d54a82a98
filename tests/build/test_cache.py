"""The build cache on disk: damage, limits, folders that cannot be written, several processes."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from trailboss.build import BuildCache
from trailboss.build.artifact import Code, Module
from trailboss.build.snapshot import Snapshot

HERE = Path("/here")


def code(text: bytes) -> Code:
    main = Module("index.js", "application/javascript+module", text, "main")
    return Code("modules", "index.js", (main,), "2026-11-01", ())


def test_damaged_entry_is_a_miss(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path)
    cache.store("key", code(b"code"), Snapshot(), HERE, pytest.fail)
    assert cache.load("key", HERE) == code(b"code")
    module = next(tmp_path.glob("code/*/modules/*"))
    module.write_bytes(b"else")
    assert cache.load("key", HERE) is None
    cache.store("key", code(b"code"), Snapshot(), HERE, pytest.fail)
    assert cache.load("key", HERE) == code(b"code")
    next(tmp_path.glob("entries/key-*.json")).write_text("{")
    assert cache.load("key", HERE) is None


def test_folder_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said: list[str] = []
    cache = BuildCache(tmp_path / "file" / "cache")
    cache.store("key", code(b"code"), Snapshot(), HERE, said.append)
    assert cache.load("key", HERE) is None
    assert len(said) == 1
    assert "cannot be written" in said[0]


def test_the_least_used_go_first(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path, limit=2500)
    for number in range(4):
        cache.store(f"key{number}", code(bytes([number]) * 1000), Snapshot(), HERE, pytest.fail)
        if number == 1:
            os.utime(next(tmp_path.glob("code/*")), (1, 1))
    assert cache.load("key3", HERE) is not None
    assert len(list(tmp_path.glob("code/*"))) == 2
    assert len(list(tmp_path.glob("entries/*"))) == 2


def _store_and_load(root: Path, number: int) -> int:
    cache = BuildCache(root, limit=20_000)
    found = 0
    for turn in range(20):
        text = bytes([turn % 5]) * 3000
        cache.store(f"key{turn % 5}", code(text), Snapshot(), HERE, lambda _: None)
        loaded = cache.load(f"key{(turn + number) % 5}", HERE)
        assert loaded is None or loaded == code(bytes([(turn + number) % 5]) * 3000)
        found += loaded is not None
    return found


def test_processes_share_a_cache(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3) as pool:
        found = list(pool.map(_store_and_load, [tmp_path] * 3, range(3)))
    assert all(found)
    assert not [path for path in tmp_path.rglob(".*") if path.is_dir()]
