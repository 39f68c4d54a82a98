"""What a family of bindings says about itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Fields = Mapping[str, Any]
Wire = Callable[[str, Fields], dict[str, Any]]
Read = Callable[[Any], Iterable[tuple[str, str, Fields]]]


@dataclass(frozen=True, slots=True)
class Family:
    """`read`: configuration key -> function giving (binding name, type, fields) for what stands there.
    `wire`: type -> function giving the object Cloudflare takes, from the name and those fields."""

    read: Mapping[str, Read] = field(default_factory=dict)
    wire: Mapping[str, Wire] = field(default_factory=dict)


def listed(kind: str, key: str = "binding") -> Read:
    """A reader for a list of tables whose name stands under `key`."""

    def read(value: Any) -> Iterator[tuple[str, str, Fields]]:
        for entry in value or ():
            yield entry[key], kind, entry

    return read


def single(kind: str) -> Read:
    """A reader for one table with a `binding` name."""

    def read(value: Any) -> Iterator[tuple[str, str, Fields]]:
        if value:
            yield value["binding"], kind, value

    return read


def named(kind: str) -> Read:
    """A reader for a mapping of binding name to the path of a file."""

    def read(value: Any) -> Iterator[tuple[str, str, Fields]]:
        for name, path in (value or {}).items():
            yield name, kind, {"path": path}

    return read


def plain(kind: str, *keys: str) -> Wire:
    """A writer that copies `keys` where they are set."""

    def wire(name: str, fields: Fields) -> dict[str, Any]:
        return {"name": name, "type": kind, **some(fields, *keys)}

    return wire


def some(fields: Fields, *keys: str) -> dict[str, Any]:
    """Those of `keys` that are set."""
    return {key: fields[key] for key in keys if fields.get(key) is not None}
