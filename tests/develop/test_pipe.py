"""A named pipe is a file to whoever reads it, and holds nothing."""

from __future__ import annotations

import stat
from pathlib import Path

from trailboss.develop.pipe import SecretPipe
from trailboss.values import Secret


def test_each_reader_gets_everything_once(tmp_path: Path) -> None:
    path = tmp_path / ".dev.vars"
    values = iter(["A=1\n", "A=2\n" + "x" * 200_000, "A=3\n"])
    with SecretPipe(path, lambda: Secret(next(values))):
        assert stat.S_ISFIFO(path.stat().st_mode)
        assert path.stat().st_mode & 0o077 == 0
        assert path.read_text() == "A=1\n"
        assert path.read_text() == "A=2\n" + "x" * 200_000
        assert path.read_text() == "A=3\n"
    assert list(tmp_path.iterdir()) == []


def test_nobody_need_read_it(tmp_path: Path) -> None:
    with SecretPipe(tmp_path / "p", lambda: Secret("A=1\n")):
        assert (tmp_path / "p").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_goes_early_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "p"
    with SecretPipe(path, lambda: Secret("A" * 500_000)):
        with path.open("rb", buffering=0) as file:
            assert file.read(10) == b"A" * 10
        assert len(path.read_text()) == 500_000
