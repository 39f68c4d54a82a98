"""Smallest-diff edits of TOML, done by tomlkit, which keeps comments, order and spelling."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array, InlineTable

from trailboss.config.document import Keys
from trailboss.config.source import Source
from trailboss.errors import ConfigError


def set_value(source: Source, keys: Keys, value: Any, *, inline: bool = False) -> str:
    """The text with `value` at `keys`, missing parents made. Raises TB1301: a parent is no table."""
    document = _parse(source)
    parent, rest = _walk(source, document, keys[:-1])
    first, *more = (*rest, keys[-1])
    for key in reversed(more):
        value = [value] if isinstance(key, int) else {key: value}
    with _safely(source):
        _put(source, parent, first, value, inline=inline)
        return _dumped(source, document)


def append(source: Source, keys: Keys, value: Any, *, inline: bool = False) -> str:
    """The text with `value` as the last item of the list at `keys`, which is made when missing."""
    document = _parse(source)
    found, rest = _walk(source, document, keys)
    if rest:
        return set_value(source, keys, [value], inline=inline)
    if not isinstance(found, list):
        raise ConfigError("TB1301", "this is not a list", where=source.start)
    with _safely(source):
        _put(source, found, len(found), value, inline=inline)
        return _dumped(source, document)


def delete(source: Source, keys: Keys) -> str:
    """The text without the key or item at `keys`; unchanged when absent."""
    document = _parse(source)
    parent, rest = _walk(source, document, keys[:-1])
    last = keys[-1]
    if rest or not (
        last in parent if isinstance(parent, dict) else isinstance(last, int) and last < len(parent)
    ):
        return source.text
    with _safely(source):
        del parent[last]
        return _dumped(source, document)


def _parse(source: Source) -> tomlkit.TOMLDocument:
    with _safely(source):
        return tomlkit.parse(source.text)


@contextmanager
def _safely(source: Source) -> Iterator[None]:
    """tomlkit loses its way in some files whose tables are spread; then nothing is changed (TB1303)."""
    try:
        yield
    except (TOMLKitError, LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigError(
            "TB1303",
            "this file cannot be edited safely; nothing was changed",
            hint="Make the change by hand, or keep each table in one place.",
            where=source.start,
        ) from error


def _walk(source: Source, document: Any, keys: Keys) -> tuple[Any, Keys]:
    """The container as deep along `keys` as the file goes, and the keys that are left."""
    here = document
    for depth, key in enumerate(keys):
        if isinstance(here, dict) and isinstance(key, str):
            if key not in here:
                return here, keys[depth:]
        elif not (isinstance(here, list) and isinstance(key, int)):
            raise _no_place(source, key)
        elif key >= len(here):
            return here, keys[depth:]
        here = here[key]
    if not isinstance(here, dict | list):
        raise _no_place(source, keys[-1])
    return here, ()


def _no_place(source: Source, key: str | int) -> ConfigError:
    kind = "list" if isinstance(key, int) else "table"
    return ConfigError("TB1301", f"there is no {kind} that has a place for {key!r}", where=source.start)


def _put(source: Source, parent: Any, key: str | int, value: Any, *, inline: bool = False) -> None:
    if isinstance(parent, dict) != isinstance(key, str):
        raise _no_place(source, key)
    if isinstance(key, int):
        if isinstance(parent, AoT) and isinstance(value, dict):
            item: Any = _table(value)
        else:
            item = _inline(value)
        if key < len(parent):
            parent[key] = item
        else:
            parent.append(item)
    elif key in parent and isinstance(parent[key], dict) and isinstance(value, dict) and not inline:
        _update(source, parent[key], value)
    else:
        parent[key] = _inline(value) if inline or isinstance(parent, InlineTable) else _item(value)


def _update(source: Source, table: Any, value: dict[str, Any]) -> None:
    """Makes an existing table equal to `value` without moving what stays."""
    for key in [key for key in table if key not in value]:
        del table[key]
    for key, new in value.items():
        if key not in table or table[key].unwrap() != new:
            _put(source, table, key, new)


def _item(value: Any) -> Any:
    """A value at a key: tables get a header of their own, lists of tables become [[…]]."""
    if isinstance(value, dict):
        return _table(value)
    if isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
        many = tomlkit.aot()
        for entry in value:
            many.append(_table(entry))
        return many
    return _inline(value)


def _table(value: dict[str, Any]) -> Any:
    table = tomlkit.table(
        is_super_table=bool(value) and all(isinstance(v, dict) and v for v in value.values())
    )
    # Plain keys first: after a [header] they would belong to that table.
    for key, entry in sorted(value.items(), key=lambda pair: _headed(pair[1])):
        table.append(key, _item(entry))
    return table


def _headed(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)
    )


def _inline(value: Any) -> Any:
    if isinstance(value, dict):
        table = tomlkit.inline_table()
        for key, entry in value.items():
            table.append(key, _inline(entry))
        return table
    if isinstance(value, list):
        array: Array = tomlkit.array()
        for entry in value:
            array.append(_inline(entry))
        return array
    try:
        return tomlkit.item(value)
    except (TOMLKitError, ValueError, TypeError) as error:
        raise ConfigError("TB1302", f"this value cannot be written as TOML: {error}") from error


def _dumped(source: Source, document: tomlkit.TOMLDocument) -> str:
    text = _spaced(source.text, tomlkit.dumps(document))
    if "\r\n" in source.text and "\n" not in source.text.replace("\r\n", ""):
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    return text


def _spaced(before: str, after: str) -> str:
    """`after` with an empty line around every [table] that the edit brought, where tomlkit left none."""
    old, new = before.splitlines(), after.splitlines(keepends=True)
    lines: list[str] = []
    matcher = difflib.SequenceMatcher(None, old, [line.rstrip("\r\n") for line in new], autojunk=False)
    for kind, _, _, start, end in matcher.get_opcodes():
        for index in range(start, end):
            touched = kind != "equal" or index == start > 0
            if touched and new[index].startswith("[") and lines and lines[-1].strip():
                lines.append("\n")
            lines.append(new[index])
    return "".join(lines)
