"""The text of one file and the way from an offset in it to a line and a column."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path

from trailboss.errors import ConfigError
from trailboss.values import Location

LARGEST_FILE = 8 * 1024 * 1024
DEEPEST = 100
"""Tables inside tables; real files stay below ten, and no reader may meet the interpreter's stack limit."""

_MARKS = {
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\xfe\xff": "UTF-16",
    b"\xff\xfe": "UTF-16",
}


@dataclass(slots=True)
class Source:
    """A file's text without its byte order mark; offsets count characters from 0."""

    file: Path
    text: str
    _starts: list[int] = field(default_factory=list, repr=False)

    def at(self, offset: int) -> Location:
        """The line and column (both from 1) of the character at `offset`."""
        if not self._starts:
            self._starts.append(0)
            self._starts.extend(i + 1 for i, letter in enumerate(self.text) if letter == "\n")
        line = bisect_right(self._starts, max(0, offset))
        return Location(self.file, line, max(0, offset) - self._starts[line - 1] + 1)

    @property
    def start(self) -> Location:
        """The first character of the file."""
        return Location(self.file, 1, 1)


def read_source(file: Path) -> Source:
    """Reads `file` as UTF-8 text, a byte order mark removed.

    Raises ConfigError TB1002 (cannot be read), TB1003 (not UTF-8), TB1010 (too large).
    """
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise ConfigError(
                "TB1010",
                f"the file is larger than {LARGEST_FILE // 1024 // 1024} MB",
                hint="A configuration is a few kilobytes; was another file meant?",
                where=Location(file),
            )
        content = file.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            "TB1002",
            f"the configuration cannot be read: {reason}",
            hint="Check the path and the file's permissions.",
            where=Location(file),
        ) from error
    return Source(file, decode(file, content))


def decode(file: Path, content: bytes) -> str:
    """The text of `content`, which must be UTF-8. Raises ConfigError TB1003 at the first bad byte."""
    for mark, name in _MARKS.items():
        if content.startswith(mark):
            raise ConfigError(
                "TB1003",
                f"the file is {name}, not UTF-8",
                hint="Save it as UTF-8.",
                where=Location(file, 1, 1),
            )
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        raise ConfigError(
            "TB1003",
            f"byte {error.start + 1} (0x{content[error.start]:02x}) is not UTF-8 text",
            hint="Save the file as UTF-8.",
            where=Source(file, before + "?").at(len(before)),
        ) from error
