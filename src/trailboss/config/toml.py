"""TOML values from the standard library, with the place of every key, which that library throws away."""

from __future__ import annotations

import datetime
import re
import tomllib
from typing import Any

from trailboss.config.source import DEEPEST, Source
from trailboss.errors import ConfigError

Path = tuple[str | int, ...]

_SPACE = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\r\n]+")
_STRINGS = (
    re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}', re.S),
    re.compile(r"'''.*?'{3,5}", re.S),
    re.compile(r'"(?:[^"\\]|\\.)*"'),
    re.compile(r"'[^']*'"),
)
_WHERE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def parse(source: Source) -> tuple[dict[str, Any], dict[Path, int]]:
    """The values of `source` (dates as ISO text) and the offset of every key and item.

    Raises ConfigError TB1005 (syntax), TB1006 (too deep), TB1007 (number too large).
    """
    try:
        data = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax(source, str(error)) from error
    except RecursionError:
        raise _too_deep(source) from None
    except ValueError as error:
        # Integers of thousands of digits, and dates such as 30 February.
        message = (
            "a number or date in this file is impossible"
            if "digits" not in str(error)
            else "too large a number"
        )
        raise ConfigError("TB1007", f"{message}: {error}", where=source.start) from error
    walk = _Places(source.text)
    places = walk.read()
    for path in walk.long:
        _restore_line_ends(data, path, walk.long[path])
    return _plain(source, data), places


def _syntax(source: Source, text: str) -> ConfigError:
    where = _WHERE.search(text)
    message = _WHERE.sub("", text)
    place = source.at(len(source.text.rstrip()))
    if where and where.group(1):
        starts = source.text.split("\n")
        place = source.at(
            sum(len(line) + 1 for line in starts[: int(where.group(1)) - 1]) + int(where.group(2)) - 1
        )
    hint = "Text needs quotes in TOML." if message.startswith("Invalid value") else ""
    return ConfigError("TB1005", f"this is not valid TOML: {message}", hint=hint, where=place)


def _too_deep(source: Source) -> ConfigError:
    return ConfigError("TB1006", f"nested more than {DEEPEST} levels deep", where=source.start)


def _restore_line_ends(data: Any, path: Path, token: str) -> None:
    """The standard library turns \\r\\n inside multi-line text into \\n; wrangler keeps it, so do we."""
    body = token[3:-3].removeprefix("\r\n")
    if token.startswith('"'):
        body = re.sub(r"((?:^|[^\\])(?:\\\\)*)\r(?=\n)", r"\1\\r", body)
        body = tomllib.loads(f'x = """\n{body}"""')["x"]
    for key in path[:-1]:
        data = data[key]
    data[path[-1]] = body


def _plain(source: Source, data: dict[str, Any]) -> dict[str, Any]:
    """`data` with dates as text, as wrangler's JSON of them would be. Iterative, with the depth checked."""
    todo: list[tuple[Any, int]] = [(data, 1)]
    while todo:
        holder, depth = todo.pop()
        if depth > DEEPEST:
            raise _too_deep(source)
        for key, value in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            if isinstance(value, (dict, list)):
                todo.append((value, depth + 1))
            elif isinstance(value, (datetime.date, datetime.time)):
                holder[key] = Date(value.isoformat())
    return data


class Date(str):
    """A TOML date, as ISO text. wrangler refuses dates, so the difference must not be lost."""

    __slots__ = ()


class _Places:
    """Walks TOML that is known to be valid, noting where keys start."""

    def __init__(self, text: str) -> None:
        # The reader treats \r\n as \n, and so must lengths; offsets into the true text stay as they are here.
        self.text = text
        self.at = 0
        self.found: dict[Path, int] = {(): 0}
        self.counts: dict[Path, int] = {}
        self.long: dict[Path, str] = {}

    def skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def read(self) -> dict[Path, int]:
        prefix: Path = ()
        self.skip(_SPACE)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                prefix = self.header()
            else:
                self.pair(prefix)
            self.skip(_SPACE)
        return self.found

    def header(self) -> Path:
        start = self.at
        many = self.text.startswith("[[", start)
        self.at += 2 if many else 1
        path = self.resolved((), self.dotted(), start)
        if many:
            index = self.counts.get(path, 0)
            self.counts[path] = index + 1
            path = (*path, index)
            self.found[path] = start
        self.skip(_BLANK)
        self.at += 2 if many else 1
        return path

    def resolved(self, prefix: Path, keys: list[tuple[str, int]], start: int | None = None) -> Path:
        """`prefix` and `keys` as one path, going into the latest element of every array of tables."""
        path = prefix
        for position, (key, offset) in enumerate(keys):
            path = (*path, key)
            self.found.setdefault(path, offset if start is None else start)
            if position < len(keys) - 1 and path in self.counts:
                path = (*path, self.counts[path] - 1)
        return path

    def dotted(self) -> list[tuple[str, int]]:
        keys: list[tuple[str, int]] = []
        while True:
            self.skip(_BLANK)
            start = self.at
            if self.text[start] in "\"'":
                keys.append((next(iter(tomllib.loads(f"{self.string()} = 0"))), start))
            else:
                self.skip(_BARE)
                keys.append((self.text[start : self.at], start))
            self.skip(_BLANK)
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def string(self) -> str:
        start = self.at
        for pattern in _STRINGS:
            match = pattern.match(self.text, start)
            if match:
                self.at = match.end()
                break
        return self.text[start : self.at]

    def pair(self, prefix: Path) -> None:
        path = self.resolved(prefix, self.dotted())
        self.at += 1
        self.value(path)

    def value(self, path: Path) -> None:
        self.skip(_BLANK)
        letter = self.text[self.at]
        if letter in "\"'":
            token = self.string()
            if "\r\n" in token:
                self.long[path] = token
        elif letter == "[":
            self.array(path)
        elif letter == "{":
            self.inline(path)
        else:
            self.skip(_SCALAR)

    def array(self, path: Path) -> None:
        self.at += 1
        index = 0
        self.skip(_SPACE)
        while self.text[self.at] != "]":
            self.found[(*path, index)] = self.at
            self.value((*path, index))
            index += 1
            self.comma()
        self.at += 1

    def inline(self, path: Path) -> None:
        self.at += 1
        self.skip(_SPACE)
        while self.text[self.at] != "}":
            self.pair(path)
            self.comma()
        self.at += 1

    def comma(self) -> None:
        self.skip(_SPACE)
        if self.text[self.at] == ",":
            self.at += 1
            self.skip(_SPACE)
