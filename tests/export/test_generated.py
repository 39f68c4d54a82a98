"""Generated files: ours are brought up to date, what people changed is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from trailboss.errors import RefusedError
from trailboss.export.generated import is_ours, sign, write

PIN = "uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
LATER = "uses: actions/checkout@0123456789012345678901234567890123456789 # v8.0.0"
ONE, TWO = (sign("# Made by us\n", f"\na: {number}\nb:\n  - {PIN}\n") for number in (1, 2))


def test_written_then_unchanged_then_updated(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "ci.yml"
    assert [write(file, text).state for text in (ONE, ONE, TWO)] == ["written", "unchanged", "updated"]
    assert file.read_text() == TWO


@pytest.mark.parametrize("text", [ONE.replace("a: 1", "a: 3"), f"{ONE}# mine\n", "theirs: 1\n", ""])
def test_what_people_changed_is_refused_with_the_difference(tmp_path: Path, text: str) -> None:
    file = tmp_path / "ci.yml"
    file.write_text(text)
    with pytest.raises(RefusedError) as caught:
        write(file, TWO)
    assert caught.value.code == "TB1510"
    assert "+a: 2" in caught.value.hint
    assert file.read_text() == text
    assert write(file, TWO, force=True).state == "updated"
    assert file.read_text() == TWO


def test_a_pin_that_was_moved_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "ci.yml"
    file.write_text(ONE.replace(PIN, LATER))
    assert write(file, ONE).state == "unchanged"
    assert write(file, TWO).state == "updated"
    assert file.read_text() == TWO.replace(PIN, LATER)


def test_line_ends_of_a_checkout_are_no_change(tmp_path: Path) -> None:
    file = tmp_path / "ci.yml"
    file.write_bytes(ONE.replace("\n", "\r\n").encode())
    assert write(file, TWO).state == "updated"
    assert is_ours(file.read_text())
