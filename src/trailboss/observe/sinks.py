"""Where lines of a tail go besides the screen: a file that is rotated, and can be moved away at any time."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO


class FileSink:
    """Appends lines to `path`; every line is in the file (handed to the system) when `write` returns.

    With `rotate_size` (bytes) a line that would make the file larger begins a new one: the old ones are
    `path.1` (the youngest) to `path.<keep>`. A line is never cut, so a longer one has a file of its own. When
    somebody moved or deleted the file (logrotate, say), the next line begins a new one at `path`. One
    process per file: two that rotate the same one would lose lines.

    Every method raises OSError with the file's name when the file cannot be used.
    """

    def __init__(self, path: Path, *, rotate_size: int | None = None, keep: int = 5) -> None:
        self.path = path
        self._limit = rotate_size
        self._keep = keep
        self._file = self._opened()

    def write(self, line: str) -> None:
        """One line, without its line break."""
        content = line.encode("utf-8", "surrogatepass") + b"\n"
        try:
            self._follow_path()
            size = os.fstat(self._file.fileno()).st_size
            if self._limit is not None and size and size + len(content) > self._limit:
                self._rotate()
            self._file.write(content)
            self._file.flush()
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from error

    def close(self) -> None:
        """No more lines."""
        self._file.close()

    def __enter__(self) -> FileSink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _opened(self) -> BinaryIO:
        return self.path.open("ab")

    def _follow_path(self) -> None:
        """A new file when the open one is no longer the one at `path`."""
        try:
            there = self.path.stat()
        except FileNotFoundError:
            there = None
        ours = os.fstat(self._file.fileno())
        if there is None or (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino):
            self._file.close()
            self._file = self._opened()

    def _rotate(self) -> None:
        self._file.close()
        for number in range(self._keep - 1, 0, -1):
            older = self._numbered(number)
            if older.exists():
                older.replace(self._numbered(number + 1))
        self.path.replace(self._numbered(1))
        self._file = self._opened()

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")
