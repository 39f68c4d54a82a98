"""The user's folders: the same as platformdirs', with and without asking it."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from trailboss.toolchain.folders import cache_root, data_root, with_programs


@pytest.mark.parametrize("home", ["/home/somebody", "/home/somebody/", "relative", "", None])
@pytest.mark.parametrize("xdg", ["/elsewhere", "relative", "", None])
def test_they_are_where_platformdirs_says(
    monkeypatch: pytest.MonkeyPatch, home: str | None, xdg: str
) -> None:
    for name, value in (("HOME", home), ("XDG_CACHE_HOME", xdg), ("XDG_DATA_HOME", xdg)):
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    monkeypatch.delenv("TRAILBOSS_CACHE_DIR", raising=False)
    assert cache_root() == Path(platformdirs.user_cache_dir("trailboss", appauthor=False))
    assert data_root() == Path(platformdirs.user_data_dir("trailboss", appauthor=False))


def test_the_cache_can_be_put_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAILBOSS_CACHE_DIR", "/somewhere")
    assert cache_root() == Path("/somewhere")


def test_the_programs_of_a_project_are_found_before_others(tmp_path: Path) -> None:
    inner, outer = (tmp_path / at / "node_modules" / ".bin" for at in ("a/b", "a"))
    for folder in (inner, outer):
        folder.mkdir(parents=True)
    found = with_programs({"PATH": "/bin", "X": "1"}, tmp_path / "a" / "b")
    assert found == {"PATH": f"{inner}:{outer}:/bin", "X": "1"}
    assert with_programs(found, tmp_path / "a" / "b") == found
