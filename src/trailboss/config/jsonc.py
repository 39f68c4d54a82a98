"""A reader for JSON with comments and trailing commas that remembers where everything stood.

It accepts what wrangler's own reader accepts (`jsonc-parser`, trailing commas allowed), numbers are read as
JavaScript reads them, and it never recurses. No published Python reader keeps the positions that errors and
smallest-diff edits need.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from trailboss.config.source import DEEPEST, Source
from trailboss.errors import ConfigError

_SPACE = re.compile(r"(?:[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)*", re.S)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_LITERALS: dict[str, Any] = {"true": True, "false": False, "null": None}
_SAFE = 2**53


@dataclass(slots=True)
class Node:
    """One value: `start` and `end` are offsets of its text, `key` is where its key starts."""

    kind: str
    start: int
    end: int = -1
    key: int = -1
    value: Any = None
    members: dict[str, Node] = field(default_factory=dict)
    items: list[Node] = field(default_factory=list)
    depth: int = 1


@dataclass(slots=True)
class Parsed:
    """The tree of a file, and for each repeated key the offset of the occurrence that wins."""

    root: Node
    repeated: list[tuple[str, int]]


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.at = 0
        self.repeated: list[tuple[str, int]] = []

    def fail(
        self, message: str, offset: int | None = None, hint: str = "", code: str = "TB1004"
    ) -> ConfigError:
        where = self.source.at(self.at if offset is None else offset)
        return ConfigError(code, message, hint=hint, where=where)

    def peek(self) -> str:
        """The next letter that is neither space nor comment; empty at the end."""
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        if self.text.startswith("/*", self.at):
            raise self.fail("this comment is never closed", hint="End it with */.")
        return self.text[self.at : self.at + 1]

    def string(self) -> str:
        start = self.at
        self.at += 1
        parts = []
        while True:
            match = _PLAIN.match(self.text, self.at)
            if match:
                parts.append(match.group())
                self.at = match.end()
            letter = self.text[self.at : self.at + 1]
            if letter == '"':
                self.at += 1
                return self.joined(parts, start)
            if letter != "\\":
                raise self.unfinished(letter, start)
            parts.append(self.escape())

    def unfinished(self, letter: str, start: int) -> ConfigError:
        if letter in ("", "\n", "\r"):
            return self.fail(
                "this text is never closed", start, 'Text ends with a double quote: "like this".'
            )
        return self.fail(
            f"a control character (U+{ord(letter):04X}) inside a text", hint="Write it as \\u escape."
        )

    def joined(self, parts: list[str], start: int) -> str:
        text = "".join(parts)
        if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
            # Two \u escapes may be the halves of one letter.
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            if "\ufffd" in text and "\ufffd" not in "".join(parts):
                raise self.fail(
                    "half of a \\u surrogate pair", start, "Write the letter itself, or both halves."
                )
        return text

    def escape(self) -> str:
        letter = self.text[self.at + 1 : self.at + 2]
        if letter == "u":
            digits = self.text[self.at + 2 : self.at + 6]
            if not re.fullmatch(r"[0-9a-fA-F]{4}", digits):
                raise self.fail("\\u needs four hexadecimal digits")
            self.at += 6
            return chr(int(digits, 16))
        if letter not in _ESCAPES or not letter:
            raise self.fail(
                f"\\{letter} is not an escape that JSON knows", hint="A backslash itself is written \\\\."
            )
        self.at += 2
        return _ESCAPES[letter]

    def number(self) -> int | float:
        match = _NUMBER.match(self.text, self.at)
        if not match or re.match(r"[\w.]", self.text[match.end() : match.end() + 1]):
            raise self.fail("this is not a number that JSON knows", hint="Quote it if it is text.")
        start, self.at = self.at, match.end()
        if match.group(1) is None and match.group(2) is None and len(match.group()) < 16:
            return int(match.group())
        value = float(match.group())
        if math.isinf(value):
            raise self.fail("this number is too large", start, code="TB1007")
        return int(value) if value.is_integer() and abs(value) < _SAFE else value

    def scalar(self, letter: str) -> Node:
        start = self.at
        if letter == '"':
            return Node("string", start, value=self.string(), end=self.at)
        if letter == "-" or (letter.isascii() and letter.isdigit()):
            return Node("number", start, value=self.number(), end=self.at)
        word = _WORD.match(self.text, start)
        if word and word.group() in _LITERALS:
            self.at = word.end()
            return Node("literal", start, self.at, value=_LITERALS[word.group()])
        raise self.not_a_value(letter, word.group() if word else letter)

    def not_a_value(self, letter: str, word: str) -> ConfigError:
        if not letter:
            return self.fail("the file ends where a value should stand", hint="Is a closing bracket missing?")
        hint = 'Text needs double quotes: "like this".' if letter == "'" or letter.isalpha() else ""
        return self.fail(f"{word!r} is not a value", hint=hint)

    def opened(self, letter: str, depth: int) -> Node:
        """A scalar, complete; or an object or array of which only the bracket has been read."""
        if letter not in ("{", "["):
            return self.scalar(letter)
        if depth > DEEPEST:
            raise self.fail(f"nested more than {DEEPEST} levels deep", code="TB1006")
        self.at += 1
        kind = "object" if letter == "{" else "array"
        return Node(kind, self.at - 1, depth=depth, value={} if letter == "{" else [])

    def key(self, letter: str) -> tuple[str, int]:
        start = self.at
        if letter != '"':
            hint = (
                'Keys need double quotes: "name": …'
                if letter and (letter.isalpha() or letter in "'_")
                else ""
            )
            raise self.fail(
                "a key should stand here" if letter else "the file ends inside an object", hint=hint
            )
        name = self.string()
        if self.peek() != ":":
            raise self.fail(f'a colon should follow the key "{name}"')
        self.at += 1
        return name, start

    def add(self, parent: Node, name: str | None, offset: int, child: Node) -> None:
        if name is None:
            parent.items.append(child)
            parent.value.append(child.value)
            return
        if name in parent.members:
            self.repeated.append((name, offset))
        child.key = offset
        parent.members[name] = child
        parent.value[name] = child.value

    def read(self) -> Parsed:
        letter = self.peek()
        if not letter:
            raise self.fail(
                "the file is empty", hint='The least a configuration can be is {"name": "my-worker"}.'
            )
        root = self.opened(letter, 1)
        stack = [root] if root.end < 0 else []
        while stack:
            self.step(stack)
        if self.peek():
            raise self.fail("nothing may follow the closing bracket of the file")
        return Parsed(root, self.repeated)

    def step(self, stack: list[Node]) -> None:
        """Reads the next member of the innermost open object or array, or closes it."""
        parent, letter = stack[-1], self.peek()
        closing = "}" if parent.kind == "object" else "]"
        if letter == closing:
            self.at += 1
            parent.end = self.at
            stack.pop()
            self.separator(stack)
            return
        name, offset = self.key(letter) if parent.kind == "object" else (None, self.at)
        child = self.opened(self.peek(), parent.depth + 1)
        self.add(parent, name, offset, child)
        if child.end < 0:
            stack.append(child)
        else:
            self.separator(stack)

    def separator(self, stack: list[Node]) -> None:
        if not stack:
            return
        letter = self.peek()
        closing = "}" if stack[-1].kind == "object" else "]"
        if letter == ",":
            self.at += 1
        elif letter != closing:
            what = "the file ends" if not letter else "a comma is missing"
            raise self.fail(f"{what}: here should stand a comma or {closing!r}")


def parse(source: Source) -> Parsed:
    """Reads `source`. Raises ConfigError TB1004 (syntax), TB1006 (too deep), TB1007 (number too large)."""
    return _Reader(source).read()


def places(root: Node) -> dict[tuple[str | int, ...], int]:
    """For every key and item its path and the offset where its key (or, in an array, it itself) starts."""
    found: dict[tuple[str | int, ...], int] = {(): root.start}
    todo: list[tuple[tuple[str | int, ...], Node]] = [((), root)]
    while todo:
        path, node = todo.pop()
        for name, child in node.members.items():
            found[(*path, name)] = child.key
            todo.append(((*path, name), child))
        for index, child in enumerate(node.items):
            found[(*path, index)] = child.start
            todo.append(((*path, index), child))
    return found
