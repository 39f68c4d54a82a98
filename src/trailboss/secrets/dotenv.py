"""Dotenv text to names and raw values, as the npm package `dotenv` reads it, but saying where it cannot.

`NAME=value`, `export NAME=value`; single, double and back quotes may span lines; `\\n` and `\\r` mean
line breaks inside double quotes only; ` #` begins a comment outside quotes. A later line wins over an
earlier one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from trailboss.errors import SecretError
from trailboss.values import Location

_START = re.compile(r"[^\S\n]*(?:export[^\S\n]+)?(?P<name>[\w.-]+)(?:[^\S\n]*=[^\S\n]*|:[^\S\n]+)")
_QUOTED = {
    "'": re.compile(r"'((?:\\'|[^'])*)'"),
    '"': re.compile(r'"((?:\\"|[^"])*)"'),
    "`": re.compile(r"`((?:\\`|[^`])*)`"),
}
_REST = re.compile(r"[^\S\n]*(?:#[^\n]*)?(?=\n|\Z)")
_PLAIN = re.compile(r"[^#\n]*")
_SKIP = re.compile(r"(?:[^\S\n]*(?:#[^\n]*)?\n)+|[^\S\n]*(?:#[^\n]*)?\Z")


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """`literal` marks single-quoted values, in which nothing is a reference."""

    value: str
    line: int
    literal: bool

    def __repr__(self) -> str:
        return f"<Entry at line {self.line}>"


def parse(text: str, file: Path) -> dict[str, Entry]:
    """Names in the order of their last appearance.

    Raises SecretError TB7001 (not NAME=value) and TB7002 (a quote that is never closed), with file:line.
    The text of the line is never shown: it may be a secret."""
    try:
        return _entries(text, file)
    except SecretError as error:
        wrong = error.with_traceback(None)
    del text  # a crash report that shows variables must not show the file
    raise wrong


def _entries(text: str, file: Path) -> dict[str, Entry]:
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    found: dict[str, Entry] = {}
    at = 0
    while at < len(text):
        blank = _SKIP.match(text, at)
        if blank:
            if blank.end() == at:
                break
            at = blank.end()
            continue
        start = _START.match(text, at)
        line = text.count("\n", 0, at) + 1
        if start is None:
            raise _wrong("TB7001", "This line is not NAME=value.", file, line)
        value, literal, at = _value(text, start.end(), file, line)
        found.pop(start["name"], None)
        found[start["name"]] = Entry(value, line, literal)
    return found


def _value(text: str, at: int, file: Path, line: int) -> tuple[str, bool, int]:
    """(value, whether it is literal, where the next line begins)."""
    quote = text[at : at + 1]
    if quote in _QUOTED:
        match = _QUOTED[quote].match(text, at)
        if match is None:
            raise _wrong("TB7002", f"The value begins with {quote} and never ends.", file, line)
        rest = _REST.match(text, match.end())
        if rest is None:
            raise _wrong("TB7001", "There is something after the closing quote.", file, line)
        inside = match[1]
        if quote == '"':
            inside = inside.replace("\\n", "\n").replace("\\r", "\r")
        return inside, quote == "'", min(rest.end() + 1, len(text))
    plain = _PLAIN.match(text, at)
    assert plain is not None
    end = text.find("\n", plain.end())
    return plain[0].strip(), False, len(text) if end < 0 else end + 1


def _wrong(code: str, message: str, file: Path, line: int) -> SecretError:
    return SecretError(
        code,
        message,
        where=Location(file, line),
        hint="Write NAME=value, one on a line; put values with # or line breaks in quotes.",
    )
