"""GraphQL's query language, as far as clients of an analytics API use it: one operation, fields with aliases
and arguments, variables with defaults, fragments, @include and @skip. https://spec.graphql.org/October2021/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

DEEPEST = 20
_TOKEN = re.compile(
    r'[\s,﻿]*(?:#[^\n]*[\s,]*)*("""(?:[^"]|"(?!""))*"""|"(?:\\.|[^"\\\n])*"|\.\.\.|[!$&()\[\]{}:=@|]'
    r"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[A-Za-z_]\w*|\S|$)"
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


class Malformed(Exception):
    """A document or its variables cannot be read; the text says why."""


@dataclass(slots=True)
class Field:
    """One field with its arguments as plain values; `fields` is None where none were selected."""

    name: str
    alias: str
    arguments: dict[str, Any]
    fields: list[Field] | None = None


@dataclass(slots=True)
class _Reader:
    tokens: list[str]
    variables: dict[str, Any]
    fragments: dict[str, int] = field(default_factory=dict)
    at: int = 0

    @property
    def next(self) -> str:
        return self.tokens[self.at]

    def take(self, expected: str = "") -> str:
        token = self.next
        if expected and token != expected:
            raise Malformed(f'syntax error: expected "{expected}", found "{token or "end of query"}"')
        self.at += 1
        return token

    def word(self) -> str:
        token = self.take()
        if not re.fullmatch(r"[A-Za-z_]\w*", token):
            raise Malformed(f'syntax error: expected a name, found "{token or "end of query"}"')
        return token

    def maybe(self, token: str) -> bool:
        if self.next != token:
            return False
        self.at += 1
        return True

    def until(self, close: str) -> Iterator[None]:
        while not self.maybe(close):
            yield


def parse(document: str, variables: dict[str, Any]) -> list[Field]:
    """The selected fields of the one operation in `document`. Raises Malformed."""
    reader = _Reader([match[1] for match in _TOKEN.finditer(document)] + [""], dict(variables))
    operations = _operations(reader)
    if len(operations) != 1:
        raise Malformed("the query must have exactly one operation")
    reader.at = operations[0]
    if reader.next != "{":
        kind = reader.word()
        if kind != "query":
            raise Malformed(f'unsupported operation "{kind}": only queries can be asked')
        if reader.next not in ("(", "{", "@"):
            reader.word()
        _declared(reader)
        _wanted(reader)
    return _selection(reader, 0)


def _operations(reader: _Reader) -> list[int]:
    """Where operations begin; fragments are noted by the way."""
    found = []
    while reader.next:
        start = reader.at
        if reader.next == "fragment":
            reader.take()
            name = reader.word()
            reader.take("on")
            reader.word()
            reader.fragments[name] = reader.at
        else:
            found.append(start)
        _skip(reader)
    return found


def _skip(reader: _Reader) -> None:
    """Past the braces that end a definition."""
    depth = 0
    while True:
        sign = reader.take()
        depth += {"{": 1, "(": 1, "}": -1, ")": -1}.get(sign, 0)
        if not sign:
            raise Malformed('syntax error: expected "}", found "end of query"')
        if depth == 0 and sign == "}":
            return


def _declared(reader: _Reader) -> None:
    if not reader.maybe("("):
        return
    for _ in reader.until(")"):
        reader.take("$")
        name = reader.word()
        reader.take(":")
        required = _type(reader)
        default = _value(reader) if reader.maybe("=") else None
        if reader.variables.setdefault(name, default) is None and required:
            raise Malformed(f'variable "{name}" of a required type was not given')


def _type(reader: _Reader) -> bool:
    """Read a type; whether a value must be given."""
    if reader.maybe("["):
        _type(reader)
        reader.take("]")
    else:
        reader.word()
    return reader.maybe("!")


def _wanted(reader: _Reader) -> bool:
    """Read directives; whether what they stand at is wanted."""
    wanted = True
    while reader.maybe("@"):
        name = reader.word()
        condition = bool(_arguments(reader).get("if"))
        wanted &= {"include": condition, "skip": not condition}.get(name, True)
    return wanted


def _selection(reader: _Reader, depth: int) -> list[Field]:
    if depth > DEEPEST:
        raise Malformed("the query is nested too deeply")
    reader.take("{")
    fields: list[Field] = []
    for _ in reader.until("}"):
        if reader.maybe("..."):
            fields += _spread(reader, depth)
            continue
        name = alias = reader.word()
        if reader.maybe(":"):
            name = reader.word()
        arguments = _arguments(reader)
        wanted = _wanted(reader)
        inner = _selection(reader, depth + 1) if reader.next == "{" else None
        if wanted:
            fields.append(Field(name, alias, arguments, inner))
    if not fields:
        raise Malformed("a selection must name a field")
    return fields


def _spread(reader: _Reader, depth: int) -> list[Field]:
    inline = reader.next in ("on", "{", "@")
    name = "" if inline else reader.word()
    if reader.maybe("on"):
        reader.word()
    wanted = _wanted(reader)
    if inline:
        fields = _selection(reader, depth + 1)
        return fields if wanted else []
    if name not in reader.fragments:
        raise Malformed(f'unknown fragment "{name}"')
    back, reader.at = reader.at, reader.fragments[name]
    _wanted(reader)
    fields = _selection(reader, depth + 1)
    reader.at = back
    return fields if wanted else []


def _arguments(reader: _Reader) -> dict[str, Any]:
    return _pairs(reader, ")") if reader.maybe("(") else {}


def _pairs(reader: _Reader, close: str) -> dict[str, Any]:
    found = {}
    for _ in reader.until(close):
        name = reader.word()
        reader.take(":")
        found[name] = _value(reader)
    return found


def _value(reader: _Reader) -> Any:
    sign = reader.take()
    if sign == "$":
        name = reader.word()
        if name not in reader.variables:
            raise Malformed(f'unknown variable "{name}"')
        return reader.variables[name]
    if sign == "[":
        return [_value(reader) for _ in reader.until("]")]
    if sign == "{":
        return _pairs(reader, "}")
    return _scalar(sign)


def _scalar(token: str) -> Any:
    if token.startswith('"""'):
        return token[3:-3].strip()
    if token.startswith('"') and len(token) > 1:
        unescape: Callable[[re.Match[str]], str] = lambda match: (  # noqa: E731
            chr(int(match[2], 16)) if match[2] else _ESCAPES.get(match[1], match[1])
        )
        return re.sub(r"\\(u([0-9a-fA-F]{4})|.)", unescape, token[1:-1])
    if re.fullmatch(r"-?\d+", token):
        return int(token)
    if re.match(r"-?\d", token):
        return float(token)
    if re.fullmatch(r"[A-Za-z_]\w*", token):
        return {"true": True, "false": False, "null": None}.get(token, token)
    raise Malformed(f'syntax error: expected a value, found "{token or "end of query"}"')
