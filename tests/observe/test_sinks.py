"""A file that is rotated, and may be moved away while lines come."""

from __future__ import annotations

from pathlib import Path

import pytest

from trailboss.observe.sinks import FileSink


def test_a_line_is_there_when_write_returns_and_old_lines_stay(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text("old\n")
    with FileSink(file) as sink:
        sink.write("neü")
        assert file.read_text("utf-8") == "old\nneü\n"


def test_rotation_keeps_whole_lines_and_only_so_many_files(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    with FileSink(file, rotate_size=10, keep=2) as sink:
        for line in ("aaaa", "bbbb", "cccc", "a very long line", "dddd", "eeee", "ffff"):
            sink.write(line)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "events.ndjson": "ffff\n",
        "events.ndjson.1": "dddd\neeee\n",
        "events.ndjson.2": "a very long line\n",
    }


def test_a_file_that_was_moved_away_or_deleted_is_begun_again(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    with FileSink(file) as sink:
        sink.write("one")
        file.rename(tmp_path / "moved")
        sink.write("two")
        file.unlink()
        sink.write("three")
    assert (tmp_path / "moved").read_text() == "one\n"
    assert file.read_text() == "three\n"


def test_what_cannot_be_written_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "events.ndjson"
    file.parent.mkdir()
    with FileSink(file) as sink:
        file.unlink()
        file.parent.rmdir()
        with pytest.raises(OSError, match=r"events\.ndjson"):
            sink.write("x")
    with pytest.raises(OSError, match=r"events\.ndjson"):
        FileSink(file)
