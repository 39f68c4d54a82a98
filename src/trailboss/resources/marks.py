"""How a field of a spec behaves: every field is marked, and comparison and plans follow from the marks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, dataclass, fields, replace
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Any, Final


class Mark(Enum):
    """What changing a field means."""

    IDENTITY = "identity"  # says which resource it is; another value is another resource
    MUTABLE = "mutable"  # an update changes it in place
    REPLACE = "replace"  # only a new resource can have another value
    WRITE_ONLY = "write_only"  # sent and never shown again, so never compared
    CREATION = "creation"  # sent when it is made, and without effect from then on
    SERVER_SET = "server_set"  # chosen by Cloudflare
    MARKER = "marker"  # holds our mark of ownership; written by the plan, never by a person


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

_KEY, _NAMED, _REF, _SECRET = "trailboss.mark", "trailboss.named", "trailboss.ref", "trailboss.secret"
_PATH, _DERIVED, _ASKING = "trailboss.path", "trailboss.derived", "trailboss.asking"
# The metadata of a dataclass field, as in `title: str = field(metadata=IDENTITY | NAMED)`.
IDENTITY: Final[dict[str, Any]] = {_KEY: Mark.IDENTITY}
MUTABLE: Final[dict[str, Any]] = {_KEY: Mark.MUTABLE}
REPLACE: Final[dict[str, Any]] = {_KEY: Mark.REPLACE}
WRITE_ONLY: Final[dict[str, Any]] = {_KEY: Mark.WRITE_ONLY}
CREATION: Final[dict[str, Any]] = {_KEY: Mark.CREATION}
SERVER_SET: Final[dict[str, Any]] = {_KEY: Mark.SERVER_SET}
MARKER: Final[dict[str, Any]] = {_KEY: Mark.MARKER}

NAMED: Final[dict[str, Any]] = {_NAMED: True}
"""The field gets the resource's key (with the environment's name) where the file does not give it."""
SECRET: Final[dict[str, Any]] = {_SECRET: True}
"""The field is a reference to a secret (`op://…`, `${NAME}`) in a plan, and a `Secret` when it is sent."""


PATH: Final[dict[str, Any]] = {_PATH: True}
"""The field is a file or folder, relative to the file it stands in; absolute in a spec."""


REFERENCES: Final = ("op://", "${")
"""How a reference begins."""
ASKING: Final[dict[str, Any]] = {_ASKING: True}
"""The field may be a reference (`op://…`, `${NAME}`) to a text that is no secret; sent resolved."""
DERIVED: Final[dict[str, Any]] = {_DERIVED: True}
"""The field follows from the others: nobody writes it into a file."""


def to(kind: str, form: str = "{}") -> dict[str, Any]:
    """The field names resources of `kind` by key: its value, or each of its values, becomes a `Ref`."""
    return {_REF: (kind, form)}


@dataclass(frozen=True, slots=True)
class Ref:
    """Another resource's handle inside a spec, unknown until that resource exists.

    `name` is its key in the file, or the name of one that is already in the account. `form` says how the
    handle is written (`"{}.cfargotunnel.com"`).
    """

    kind: str
    name: str
    form: str = "{}"


def mark_of(place: Field[Any]) -> Mark:
    """The mark of a dataclass field.

    Raises:
        TypeError: it has none.
    """
    mark = place.metadata.get(_KEY)
    if not isinstance(mark, Mark):
        raise TypeError(f"the field '{place.name}' is not marked")
    return mark


def marked(value: Any, mark: Mark) -> tuple[Field[Any], ...]:
    """The fields of a spec, an observed resource or their class that carry `mark`, in order."""
    return _marked(_shape_of(value), mark)


def _shape_of(value: Any) -> Any:
    return value if isinstance(value, type) else type(value)


@cache
def _marked(shape: Any, mark: Mark) -> tuple[Field[Any], ...]:
    return tuple(place for place in fields(shape) if mark_of(place) is mark)


@cache
def _names(shape: Any) -> tuple[str, ...]:
    """The names of all fields; none for what is no dataclass."""
    return tuple(place.name for place in fields(shape)) if hasattr(shape, "__dataclass_fields__") else ()


def _getter(names: Iterable[str]) -> Callable[[Any], tuple[Any, ...]]:
    """What reads those fields of a value, as a tuple."""
    wanted = tuple(names)
    if len(wanted) > 1:
        return attrgetter(*wanted)
    return lambda value: tuple(getattr(value, name) for name in wanted)


@cache
def _identity(shape: Any) -> Callable[[Any], tuple[Any, ...]]:
    return _getter(place.name for place in marked(shape, Mark.IDENTITY))


@cache
def _fields_of(shape: Any) -> Callable[[Any], tuple[Any, ...]]:
    return _getter(_names(shape))


def is_named(place: Field[Any]) -> bool:
    """Whether the field takes its value from the resource's key."""
    return bool(place.metadata.get(_NAMED))


def is_path(place: Field[Any]) -> bool:
    """Whether the field names a file or folder of this machine."""
    return bool(place.metadata.get(_PATH))


def is_derived(place: Field[Any]) -> bool:
    """Whether the field follows from the others."""
    return bool(place.metadata.get(_DERIVED))


def is_asking(place: Field[Any]) -> bool:
    """Whether the field may be a reference to a text that is no secret."""
    return bool(place.metadata.get(_ASKING))


def is_secret(place: Field[Any]) -> bool:
    """Whether the field holds a reference to a secret."""
    return bool(place.metadata.get(_SECRET))


def target_of(place: Field[Any]) -> tuple[str, str] | None:
    """The kind the field refers to and the form of the handle; None for a field that refers to nothing."""
    found: tuple[str, str] | None = place.metadata.get(_REF)
    return found


def identity_of(value: Any) -> tuple[Any, ...]:
    """The identity of a spec or an observed resource: the values of its identity fields, in order."""
    return _identity(_shape_of(value))(value)


_PLAIN = frozenset({str, int, float, bool, type(None), Unset})


def refs_in(value: Any) -> list[Ref]:
    """Every reference in a spec, however deep."""
    found: list[Ref] = []
    _collect(value, found)
    return found


def _collect(value: Any, found: list[Ref]) -> None:
    if isinstance(value, Ref):
        found.append(value)
        return
    for inner in _inside(value):
        if type(inner) not in _PLAIN:
            _collect(inner, found)


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, list | tuple):
        return value
    if isinstance(value, dict | Mapping):
        return value.values()
    return _fields_of(_shape_of(value))(value)


def resolved(value: Any, handles: Mapping[Ref, str]) -> Any:
    """`value` with the references that `handles` knows replaced; the others stay."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Ref):
        return value.form.format(handles[value]) if value in handles else value
    if isinstance(value, list | tuple):
        return type(value)(resolved(inner, handles) for inner in value)
    if isinstance(value, dict | Mapping):
        return {name: resolved(inner, handles) for name, inner in value.items()}
    if any(ref in handles for ref in refs_in(value)):
        changes = {name: resolved(getattr(value, name), handles) for name in _names(_shape_of(value))}
        return replace(value, **changes)
    return value


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is not as wanted."""

    field: str
    mark: Mark
    wanted: Any
    found: Any


_NOT_COMPARED = (Mark.WRITE_ONLY, Mark.CREATION, Mark.MARKER, Mark.SERVER_SET)


def differences(spec: Any, observed: Any) -> tuple[Difference, ...]:
    """Where `observed` is not as `spec` wants it; unset and write-only fields are never different."""
    found: list[Difference] = []
    for place in fields(spec):
        mark, wanted = mark_of(place), getattr(spec, place.name)
        if mark in _NOT_COMPARED or wanted is UNSET:
            continue
        actual = getattr(observed, place.name)
        if actual != wanted:
            found.append(Difference(place.name, mark, wanted, actual))
    return tuple(found)


def covers(wanted: Any, found: Any) -> bool:
    """Whether all that `wanted` says is so in `found`, which may say more: what the server fills in."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            name in found and covers(value, found[name]) for name, value in wanted.items()
        )
    if isinstance(wanted, list | tuple):
        same = isinstance(found, list | tuple) and len(found) == len(wanted)
        return same and all(map(covers, wanted, found))
    return bool(wanted == found)


def subset_differs(spec: Any, observed: Any) -> tuple[Difference, ...]:
    """As `differences`, where tables inside a field may hold more than the spec gives."""
    return tuple(change for change in differences(spec, observed) if not covers(change.wanted, change.found))


def set_fields(**values: Any) -> dict[str, Any]:
    """The given fields without the unset ones: the start of a request body."""
    return {name: value for name, value in values.items() if value is not UNSET}
