"""Smallest-diff edits of JSON with comments: only the touched value, member or comma changes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from trailboss.config import jsonc
from trailboss.config.document import Keys
from trailboss.config.jsonc import Node
from trailboss.config.source import Source
from trailboss.errors import ConfigError

_GAP = re.compile(r"(?:[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)*", re.S)
_LINE_END = re.compile(r"[ \t]*(?:/\*[^\r\n]*?\*/[ \t]*)*(?://[^\r\n]*)?(?=\r?\n|$)")


@dataclass(slots=True)
class _Text:
    """The file being edited, with its habits: line ending and indentation step."""

    source: Source
    root: Node

    @property
    def text(self) -> str:
        return self.source.text

    @property
    def newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    @property
    def step(self) -> str:
        first = next(iter(self.root.members.values()), None)
        return (self.indent(first.key) if first else "") or "  "

    def indent(self, offset: int) -> str:
        """The white space before `offset` when nothing else is on its line, else that of the line."""
        start = self.text.rfind("\n", 0, offset) + 1
        line = self.text[start:offset]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def opens_line(self, offset: int) -> bool:
        return not self.text[self.text.rfind("\n", 0, offset) + 1 : offset].strip()

    def comma(self, offset: int) -> int | None:
        """Where the comma after a value that ends at `offset` is."""
        match = _GAP.match(self.text, offset)
        at = match.end() if match else offset
        return at if self.text[at : at + 1] == "," else None

    def replaced(self, *parts: tuple[int, int, str]) -> str:
        text = self.text
        for start, end, new in sorted(parts, reverse=True):
            text = text[:start] + new + text[end:]
        return text


def set_value(source: Source, keys: Keys, value: Any, *, inline: bool = False) -> str:
    """The text with `value` at `keys`, missing parents made. Raises TB1301: a parent is no table."""
    text = _Text(source, jsonc.parse(source).root)
    node, depth = _walk(text, keys)
    if depth == len(keys):
        indent = text.indent(node.start)
        single = "\n" not in source.text[node.start : node.end] and bool(node.members or node.items)
        return text.replaced((node.start, node.end, _render(text, value, indent, single=single)))
    for key in reversed(keys[depth + 1 :]):
        value = [value] if isinstance(key, int) else {key: value}
    return _inserted(text, node, None if isinstance(keys[depth], int) else str(keys[depth]), value)


def append(source: Source, keys: Keys, value: Any, *, inline: bool = False) -> str:
    """The text with `value` as the last item of the list at `keys`, which is made when missing."""
    text = _Text(source, jsonc.parse(source).root)
    node, depth = _walk(text, keys)
    if depth < len(keys):
        return set_value(source, keys, [value], inline=inline)
    if node.kind != "array":
        raise ConfigError("TB1301", "this is not a list", where=source.at(node.start))
    return _inserted(text, node, None, value)


def delete(source: Source, keys: Keys) -> str:
    """The text without what is at `keys` (and the comment on its line); unchanged when absent."""
    text = _Text(source, jsonc.parse(source).root)
    if not keys:
        raise ConfigError("TB1301", "the whole file cannot be deleted", where=source.start)
    parent, depth = _walk(text, keys[:-1])
    children: dict[Any, Node] = parent.members if parent.kind == "object" else dict(enumerate(parent.items))
    node = children.get(keys[-1]) if depth == len(keys) - 1 else None
    return _removed(text, list(children.values()), node) if node is not None else source.text


def _walk(text: _Text, keys: Keys) -> tuple[Node, int]:
    """The node as deep along `keys` as the file goes, and how many keys that was."""
    node = text.root
    for depth, key in enumerate(keys):
        if node.kind == "object" and isinstance(key, str):
            child = node.members.get(key)
        elif node.kind == "array" and isinstance(key, int) and 0 <= key <= len(node.items):
            child = node.items[key] if key < len(node.items) else None
        else:
            kind = "list" if isinstance(key, int) else "table"
            raise ConfigError(
                "TB1301",
                f"this is not a {kind} that has a place for {key!r}",
                where=text.source.at(node.start),
            )
        if child is None:
            return node, depth
        node = child
    return node, len(keys)


def _inserted(text: _Text, parent: Node, key: str | None, value: Any) -> str:
    children = list(parent.members.values()) if parent.kind == "object" else parent.items
    if not children:
        return _first(text, parent, key, value)
    last = max(children, key=lambda child: child.start)
    start = last.key if parent.kind == "object" else last.start
    comma = text.comma(last.end)
    if not text.opens_line(start):
        new = _member(text, key, value, text.indent(start), single=True)
        return text.replaced((last.end, last.end, f", {new}"))
    indent = text.indent(start)
    similar = key is None and "\n" not in text.text[last.start : last.end]
    new = _member(text, key, value, indent, single=similar)
    after = last.end if comma is None else comma + 1
    line = _LINE_END.match(text.text, after)
    at = line.end() if line else after
    tail = "," if comma is not None else ""
    closing = (at, at, f"{text.newline}{indent}{new}{tail}")
    if comma is not None:
        return text.replaced(closing)
    if at == last.end:
        return text.replaced((at, at, "," + closing[2]))
    return text.replaced((last.end, last.end, ","), closing)


def _first(text: _Text, parent: Node, key: str | None, value: Any) -> str:
    """Into an empty object or list; comments that stand in it stay before the new member."""
    outer = text.indent(parent.start)
    new = _member(text, key, value, outer + text.step, single=False)
    close = parent.end - 1
    inside = text.text[parent.start + 1 : close].rstrip()
    start = parent.start + 1 + len(inside)
    return text.replaced((start, close, f"{text.newline}{outer}{text.step}{new}{text.newline}{outer}"))


def _member(text: _Text, key: str | None, value: Any, indent: str, *, single: bool) -> str:
    rendered = _render(text, value, indent, single=single)
    return rendered if key is None else f"{_dump(key)}: {rendered}"


def _dump(value: Any, indent: str | None = None) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    except (ValueError, TypeError) as error:
        raise ConfigError("TB1302", f"this value cannot be written as JSON: {error}") from error


def _render(text: _Text, value: Any, indent: str, *, single: bool) -> str:
    if not single:
        return _dump(value, text.step).replace("\n", text.newline + indent)
    if isinstance(value, dict) and value:
        members = (f"{_dump(k)}: {_render(text, v, indent, single=True)}" for k, v in value.items())
        return f"{{ {', '.join(members)} }}"
    if isinstance(value, list):
        return f"[{', '.join(_render(text, item, indent, single=True) for item in value)}]"
    return _dump(value)


def _removed(text: _Text, children: list[Node], node: Node) -> str:
    start = node.key if node.key >= 0 else node.start
    comma = text.comma(node.end)
    end = node.end if comma is None else comma + 1
    if text.opens_line(start):
        span = _whole_lines(text.text, start, end)
    else:
        # In `{ "a": 1, "b": 2 }` the space after a member goes with it; after the last one, the space before.
        last = comma is None
        before = text.text[:start].rstrip(" \t") if last else text.text[:start]
        rest = text.text[end:]
        after = len(rest) - len(rest.lstrip(" \t")) if not last or len(children) == 1 else 0
        span = (len(before), end + after)
    return text.replaced(*_comma_before(text, children, start, comma), (*span, ""))


def _whole_lines(text: str, start: int, end: int) -> tuple[int, int]:
    """The span widened to whole lines when only a comment follows on the last of them."""
    line = _LINE_END.match(text, end)
    start = text.rfind("\n", 0, start) + 1
    if not line:
        return start, end
    newline = re.match(r"\r?\n", text[line.end() :])
    return start, line.end() + (newline.end() if newline else 0)


def _comma_before(
    text: _Text, children: list[Node], start: int, comma: int | None
) -> list[tuple[int, int, str]]:
    """The comma that would be left over when the last member goes."""
    before = max((child.end for child in children if child.end <= start), default=None)
    place = text.comma(before) if before is not None and comma is None else None
    return [] if place is None else [(place, place + 1, "")]
