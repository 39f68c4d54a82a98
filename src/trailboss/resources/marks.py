"""How a field of a spec behaves: every field is marked, and comparison and plans follow from the marks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from enum import Enum
from typing import Any, Final


class Mark(Enum):
    """What changing a field means."""

    IDENTITY = "identity"  # says which resource it is; another value is another resource
    MUTABLE = "mutable"  # an update changes it in place
    REPLACE = "replace"  # only a new resource can have another value
    WRITE_ONLY = "write_only"  # sent on creation and never shown again, so never compared
    SERVER_SET = "server_set"  # chosen by Cloudflare


class Unset:
    """The type of `UNSET`."""

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()
"""A field the file does not mention: not sent and not compared. None and empty are values."""

_KEY = "trailboss.mark"
# The metadata of a dataclass field, as in `title: str = field(metadata=IDENTITY)`.
IDENTITY: Final[Mapping[str, Mark]] = {_KEY: Mark.IDENTITY}
MUTABLE: Final[Mapping[str, Mark]] = {_KEY: Mark.MUTABLE}
REPLACE: Final[Mapping[str, Mark]] = {_KEY: Mark.REPLACE}
WRITE_ONLY: Final[Mapping[str, Mark]] = {_KEY: Mark.WRITE_ONLY}
SERVER_SET: Final[Mapping[str, Mark]] = {_KEY: Mark.SERVER_SET}


def mark_of(place: Field[Any]) -> Mark:
    """The mark of a dataclass field.

    Raises:
        TypeError: it has none.
    """
    mark = place.metadata.get(_KEY)
    if not isinstance(mark, Mark):
        raise TypeError(f"the field '{place.name}' is not marked")
    return mark


def identity_of(value: Any) -> tuple[Any, ...]:
    """The identity of a spec or an observed resource: the values of its identity fields, in order."""
    return tuple(getattr(value, place.name) for place in fields(value) if mark_of(place) is Mark.IDENTITY)


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is not as wanted."""

    field: str
    mark: Mark
    wanted: Any
    found: Any


def differences(spec: Any, observed: Any) -> tuple[Difference, ...]:
    """Where `observed` is not as `spec` wants it; unset and write-only fields are never different."""
    found: list[Difference] = []
    for place in fields(spec):
        mark, wanted = mark_of(place), getattr(spec, place.name)
        if mark is Mark.WRITE_ONLY or wanted is UNSET:
            continue
        actual = getattr(observed, place.name)
        if actual != wanted:
            found.append(Difference(place.name, mark, wanted, actual))
    return tuple(found)


def set_fields(**values: Any) -> dict[str, Any]:
    """The given fields without the unset ones: the start of a request body."""
    return {name: value for name, value in values.items() if value is not UNSET}
