"""Changes to a configuration file that keep everything else as the user wrote it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from trailboss.config.document import Keys, parse_document
from trailboss.config.source import Source, read_source
from trailboss.errors import ConfigError
from trailboss.values import Location


@dataclass(frozen=True, slots=True)
class Set:
    """`value` at `keys`; missing tables on the way are made."""

    keys: Keys
    value: Any


@dataclass(frozen=True, slots=True)
class Append:
    """`value` as the last item of the list at `keys`, which is made when missing."""

    keys: Keys
    value: Any


@dataclass(frozen=True, slots=True)
class Delete:
    """The key or item at `keys` is removed; nothing happens when it is not there."""

    keys: Keys


Change = Set | Append | Delete


def edited(source: Source, changes: Iterable[Change]) -> str:
    """The text of `source` after `changes`, in order; comments, order, indentation and line endings are kept.

    Raises ConfigError TB1301 (no such table or list), TB1302 (a value the format cannot hold), TB1303 (not
    safely editable; nothing was changed), and the errors of reading.
    """
    data = parse_document(source).data
    for change in changes:
        try:
            expected = _applied(data, change)
        except ConfigError as error:
            error.where = Location(source.file)
            raise
        if expected == data and not isinstance(change, Append):
            continue
        source, data = _proved(source, change, expected)
    return source.text


def _proved(source: Source, change: Change, expected: Any) -> tuple[Source, Any]:
    """The file after `change`, read again and found to say what it should."""
    allowed = (
        [expected, *_without_empty_parents(expected, change.keys)]
        if isinstance(change, Delete)
        else [expected]
    )
    for inline in (False, True):
        try:
            after = Source(source.file, _changed(source, change, inline=inline))
            data = parse_document(after).data
        except ConfigError as error:
            if error.code in ("TB1301", "TB1302"):
                raise
            continue
        if data in allowed:
            return after, data
    raise ConfigError(
        "TB1303",
        "this file cannot be edited safely; nothing was changed",
        hint=f"Make the change at {'.'.join(map(str, change.keys))} by hand.",
        where=Location(source.file),
    )


def _changed(source: Source, change: Change, *, inline: bool) -> str:
    """The edited text; `inline` asks for `{ … }` in place of a [table], where a format has the choice."""
    editor = _editor(source.file)
    if isinstance(change, Set):
        text = editor.set_value(source, change.keys, change.value, inline=inline)
    elif isinstance(change, Append):
        text = editor.append(source, change.keys, change.value, inline=inline)
    else:
        text = editor.delete(source, change.keys)
    return str(text)


def _editor(file: Path) -> ModuleType:
    if file.suffix.lower() == ".toml":
        from trailboss.config import edit_toml

        return edit_toml
    from trailboss.config import edit_jsonc

    return edit_jsonc


def _applied(data: Any, change: Change) -> Any:
    """What the file must say afterwards: the proof that an edit did what it should and nothing else."""
    if not change.keys:
        raise ConfigError("TB1301", "a change needs at least one key")
    if isinstance(change, Append):
        found = _get(data, change.keys)
        items = list(found) if isinstance(found, list) else []
        return _with(data, change.keys, [*items, change.value])
    if isinstance(change, Set):
        return _with(data, change.keys, change.value)
    return _without(data, change.keys)


def _get(data: Any, keys: Keys) -> Any:
    for key in keys:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _with(data: Any, keys: Keys, value: Any) -> Any:
    if not keys:
        return value
    key, rest = keys[0], keys[1:]
    if isinstance(key, int):
        items = list(data) if isinstance(data, list) else []
        if not 0 <= key <= len(items):
            raise ConfigError("TB1301", f"a list of {len(items)} has no place {key}")
        return [*items[:key], _with(_get(items, (key,)), rest, value), *items[key + 1 :]]
    table = dict(data) if isinstance(data, dict) else {}
    return {**table, key: _with(table.get(key), rest, value)}


def _without(data: Any, keys: Keys) -> Any:
    if _get(data, keys[:1]) is None and not (isinstance(data, dict) and keys[0] in data):
        return data
    key, rest = keys[0], keys[1:]
    if isinstance(data, dict):
        if not rest:
            return {name: value for name, value in data.items() if name != key}
        return {**data, key: _without(data[key], rest)}
    if not isinstance(key, int) or not isinstance(data, list):
        return data
    return [*data[:key], *([] if not rest else [_without(data[key], rest)]), *data[key + 1 :]]


def _without_empty_parents(data: Any, keys: Keys) -> list[Any]:
    """`data` without the tables that a deletion left empty: TOML often cannot say that they exist."""
    found = []
    for depth in range(len(keys) - 1, 0, -1):
        if _get(data, keys[:depth]) != {}:
            break
        data = _without(data, keys[:depth])
        found.append(data)
    return found


def rewrite(file: Path, changes: Iterable[Change]) -> bool:
    """Applies `changes` to `file` at once (written beside it, then moved); False when nothing changed.

    Links are followed, the mode and a byte order mark are kept. Raises ConfigError as `edited`, and TB1304
    when the file cannot be written.
    """
    source = read_source(file)
    text = edited(source, changes)
    if text == source.text:
        return False
    target = file.resolve()
    try:
        mark = b"\xef\xbb\xbf" if target.read_bytes().startswith(b"\xef\xbb\xbf") else b""
        _replace(target, mark + text.encode())
    except OSError as error:
        raise ConfigError(
            "TB1304", f"the file cannot be written: {error.strerror}", where=Location(file)
        ) from error
    return True


def _replace(target: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        beside.chmod(target.stat().st_mode & 0o7777)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
