"""Match paths against `.assetsignore` patterns: gitignore's rules, ignoring case, as wrangler does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    negated: bool
    directories_only: bool


class Ignore:
    """A list of gitignore patterns; the last one that matches decides."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._rules = [rule for rule in map(_parse, lines) if rule is not None]

    def matches(self, path: str, *, directory: bool = False) -> bool:
        """Whether `path` itself (relative, `/`-joined) is ignored, its parents aside."""
        ignored = False
        for rule in self._rules:
            if rule.directories_only and not directory:
                continue
            if rule.negated == ignored and rule.pattern.fullmatch(path):
                ignored = not rule.negated
        return ignored

    def ignores(self, path: str) -> bool:
        """Whether the file `path` or any folder above it is ignored."""
        parts = path.split("/")
        above = ("/".join(parts[:count]) for count in range(1, len(parts)))
        return any(self.matches(folder, directory=True) for folder in above) or self.matches(path)


def _parse(line: str) -> _Rule | None:
    line = line.rstrip("\r\n")
    if not line.strip() or line.startswith("#"):
        return None
    negated = line.startswith("!")
    body = line[1:] if negated else line
    body = re.sub(r"(?<!\\)\s+$", "", body)
    if body.startswith(("\\#", "\\!")):
        body = body[1:]
    directories_only = body.endswith("/")
    body = body.rstrip("/")
    if not body:
        return None
    anchored = "/" in body
    expression = _expression(body.lstrip("/"))
    prefix = "" if anchored else "(?:.*/)?"
    return _Rule(re.compile(prefix + expression, re.IGNORECASE | re.DOTALL), negated, directories_only)


def _expression(body: str) -> str:
    out, index = [], 0
    while index < len(body):
        if body.startswith("**/", index):
            out.append("(?:.*/)?")
            index += 3
        elif body.startswith("/**", index) and index + 3 == len(body):
            out.append("/.*")
            index += 3
        else:
            text, index = _character(body, index)
            out.append(text)
    return "".join(out)


def _character(body: str, index: int) -> tuple[str, int]:
    character = body[index]
    if character == "*":
        while index < len(body) and body[index] == "*":
            index += 1
        return "[^/]*", index
    if character == "?":
        return "[^/]", index + 1
    if character == "[":
        end = body.find("]", index + 2)
        if end > 0:
            inside = body[index + 1 : end]
            inside = "^" + inside[1:] if inside[0] in "!^" else inside
            return "[" + inside.replace("\\", "\\\\") + "]", end + 1
    if character == "\\" and index + 1 < len(body):
        return re.escape(body[index + 1]), index + 2
    return re.escape(character), index + 1
