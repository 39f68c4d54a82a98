"""Reading the bytes of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from trailboss.config import source
from trailboss.config.source import read_source
from trailboss.errors import ConfigError


def test_a_byte_order_mark_is_removed(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b"\xef\xbb\xbf{}")
    assert read_source(file).text == "{}"


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("{}".encode("utf-16"), "1:1"),
        ("{}".encode("utf-32"), "1:1"),
        ("{}".encode("utf-16-be"), None),
        (b'{\n "caf\xe9": 1}', "2:6"),
    ],
)
def test_other_encodings_are_named(content: bytes, place: str | None, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(content)
    if place is None:
        assert "\x00" in read_source(file).text
        return
    with pytest.raises(ConfigError) as caught:
        read_source(file)
    assert caught.value.code == "TB1003"
    assert str(caught.value.where) == f"{file}:{place}"


def test_unreadable_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path, tmp_path / "missing.json", tmp_path / "a\0b.json", tmp_path / ("x" * 300)):
        with pytest.raises(ConfigError) as caught:
            read_source(path)
        assert caught.value.code == "TB1002"
    monkeypatch.setattr(source, "LARGEST_FILE", 3)
    (tmp_path / "big.json").write_text("{    }")
    with pytest.raises(ConfigError) as caught:
        read_source(tmp_path / "big.json")
    assert caught.value.code == "TB1010"
