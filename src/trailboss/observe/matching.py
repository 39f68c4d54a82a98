"""Filters on this side of the wire: `level:error status:5xx path:/api/* -healthz`.

Words on different fields must all hold; words on the same field are alternatives; `-` in front means
"not". A word without a field is text, looked for in the address, the logs and the exceptions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from trailboss.errors import UsageError
from trailboss.observe.events import Event

LEVELS = ("debug", "log", "info", "warn", "error")
_STATUS = re.compile(r"(?P<sign>>=|<=|>|<)?(?P<code>\d{3})|(?P<class>\d)xx")

Test = Callable[[Event], bool]


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a filter: what it asks, of which field, and whether it must not hold."""

    field: str
    test: Test
    negated: bool


@dataclass(frozen=True, slots=True)
class Matcher:
    """Built by `read_matcher`; call it with an event."""

    words: tuple[Word, ...] = ()

    def __call__(self, event: Event) -> bool:
        for field in dict.fromkeys(word.field for word in self.words if not word.negated):
            if not any(word.test(event) for word in self.words if word.field == field and not word.negated):
                return False
        return not any(word.test(event) for word in self.words if word.negated)


def read_matcher(words: Sequence[str]) -> Matcher:
    """A Matcher from what was typed. Raises UsageError TB9503 (no such field), TB9504 (a value that
    cannot be)."""
    return Matcher(tuple(_word(word) for word in words if word.strip()))


def _word(text: str) -> Word:
    negated = text.startswith("-") and len(text) > 1
    body = text[1:] if negated else text
    field, colon, value = body.partition(":")
    if not colon or not field.isalpha() or value.startswith("//"):
        return Word("text", _text(body), negated)
    make = _FIELDS.get(field.lower())
    if make is None:
        raise UsageError(
            "TB9503",
            f'There is no filter "{field}:".',
            hint=f"There are {', '.join(_FIELDS)}, and plain words.",
        )
    return Word(field.lower(), make(value), negated)


def _text(value: str) -> Test:
    needle = value.lower()
    return lambda event: any(needle in part.lower() for part in _texts(event))


def _texts(event: Event) -> list[str]:
    found = [str(event.request.get("url") or "")]
    found += [said(log.message) for log in event.logs]
    found += [f"{fault.name}: {fault.message}" for fault in event.exceptions]
    return found


def said(message: Any) -> str:
    """The arguments of a console call as one line: texts as they are, everything else as JSON."""
    parts = message if isinstance(message, list) else [message]
    return " ".join(part if isinstance(part, str) else json.dumps(part, ensure_ascii=False) for part in parts)


def _level(value: str) -> Test:
    """This level and those above it."""
    if value.lower() not in LEVELS:
        raise UsageError("TB9504", f'"{value}" is not a level.', hint=f"Levels are {', '.join(LEVELS)}.")
    wanted = set(LEVELS[LEVELS.index(value.lower()) :])
    return lambda event: (
        any(log.level in wanted for log in event.logs) or ("error" in wanted and bool(event.exceptions))
    )


def _status(value: str) -> Test:
    match = _STATUS.fullmatch(value.lower())
    if match is None:
        raise UsageError("TB9504", f'"{value}" is not a status.', hint="Write 404, 5xx or >=500.")
    if match["class"]:
        first = int(match["class"]) * 100
        return lambda event: event.status is not None and first <= event.status < first + 100
    code = int(match["code"])
    compare = _COMPARE[match["sign"] or "="]
    return lambda event: event.status is not None and compare(event.status, code)


_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "=": lambda has, wants: has == wants,
    ">": lambda has, wants: has > wants,
    "<": lambda has, wants: has < wants,
    ">=": lambda has, wants: has >= wants,
    "<=": lambda has, wants: has <= wants,
}


def _outcome(value: str) -> Test:
    return lambda event: event.outcome.lower() == value.lower()


def _method(value: str) -> Test:
    return lambda event: str(event.request.get("method") or "").upper() == value.upper()


def _path(value: str) -> Test:
    """A shell pattern on the path of the request: `*` goes across slashes; without one it is a prefix."""
    pattern = value if any(sign in value for sign in "*?[") else f"{value}*"

    def test(event: Event) -> bool:
        url = event.request.get("url")
        return isinstance(url, str) and fnmatchcase(urlsplit(url).path or "/", pattern)

    return test


def _version(value: str) -> Test:
    def test(event: Event) -> bool:
        version = event.script_version
        return version is not None and (version.id.startswith(value.lower()) or version.tag == value)

    return test


_FIELDS: dict[str, Callable[[str], Test]] = {
    "level": _level,
    "status": _status,
    "outcome": _outcome,
    "method": _method,
    "path": _path,
    "version": _version,
}
