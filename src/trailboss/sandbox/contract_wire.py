"""The SDK's request parameters as they look on the wire, in types pydantic can check.

The SDK describes requests as TypedDicts of Python names: `PropertyInfo(alias=...)` says what the JSON calls
a field, `Iterable` stands for an array, a file may be a path. None of that can be checked as it stands.
Fields the types do not know are allowed, as everywhere in the contract: wrangler sends some.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from types import UnionType
from typing import (
    IO,
    Annotated,
    Any,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from typing_extensions import TypedDict, is_typeddict

ARRAYS = (Iterable, Sequence, list)
FILES = (IO, bytes, os.PathLike, tuple)
"""What the SDK takes as a file; a multipart part on the wire."""
MARKS = (Required, NotRequired)
TAG = "type"
"""The field that tells the members of a union apart, where all of them have it."""


def wire_type(annotation: Any, elsewhere: frozenset[str] = frozenset()) -> Any:
    """The wire's type of a parameter type.

    `elsewhere` are the outermost fields that travel in the path (by their Python names), the query or a
    header (by their wire names) and are not looked for in the body.
    """
    return _Writer().type_of(annotation, elsewhere)


class _Writer:
    """One conversion; a type inside itself is not looked into twice."""

    def __init__(self) -> None:
        self._open: list[Any] = []

    def type_of(self, annotation: Any, elsewhere: frozenset[str] = frozenset()) -> Any:
        origin, parts = get_origin(annotation), get_args(annotation)
        if origin in MARKS:
            return self.type_of(parts[0], elsewhere)
        if origin is Annotated:
            return str if _notes(annotation, "format") == "base64" else self.type_of(parts[0], elsewhere)
        if origin in (Union, UnionType):
            return self._union(parts, elsewhere)
        if is_typeddict(annotation):
            return self._record(annotation, elsewhere)
        if origin in ARRAYS:
            return list[self.type_of(parts[0])]  # type: ignore[misc]
        if origin in (dict, Mapping):
            return dict[str, self.type_of(parts[1])]  # type: ignore[misc]
        return Any if (origin or annotation) in FILES else annotation

    def _union(self, parts: tuple[Any, ...], elsewhere: frozenset[str]) -> Any:
        """Checked against the one member its `type` names, where every member has one; else against all."""
        tags = [_tag(part) for part in parts]
        if not all(tags) or len(set(tags)) < 2:
            return Union[tuple(self.type_of(part, elsewhere) for part in parts)]  # noqa: UP007
        members: dict[str, list[Any]] = {}
        for tag, part in zip(tags, parts, strict=True):
            members.setdefault(tag, []).append(self.type_of(part, elsewhere))
        return _tagged({tag: Union[tuple(each)] for tag, each in members.items()})  # noqa: UP007

    def _record(self, declared: Any, elsewhere: frozenset[str]) -> Any:
        if declared in self._open:
            return Any
        self._open.append(declared)
        fields: dict[str, Any] = {}
        for name, annotation in get_type_hints(declared, include_extras=True).items():
            wire_name = _wire_name(name, annotation)
            if not {name, wire_name} & elsewhere:
                mark = Required if _is_required(declared, annotation) else NotRequired
                fields[wire_name] = mark[self.type_of(annotation)]
        self._open.pop()
        return TypedDict(declared.__name__, fields)  # type: ignore[operator]


def _tag(annotation: Any) -> str:
    """What a record's `type` must be; "" when that is not one fixed word."""
    if not is_typeddict(annotation):
        return ""
    hint = get_type_hints(annotation, include_extras=True).get(TAG)
    while get_origin(hint) in (*MARKS, Annotated):
        hint = get_args(hint)[0]
    words = get_args(hint) if get_origin(hint) is Literal else ()
    return str(words[0]) if len(words) == 1 else ""


def _tagged(members: dict[str, Any]) -> Any:
    from pydantic import Discriminator, Tag

    options = tuple(Annotated[member, Tag(tag)] for tag, member in members.items())
    return Annotated[Union[options], Discriminator(its_type)]  # noqa: UP007


def its_type(value: Any) -> Any:
    """The `type` of a record; refusals name this function."""
    return value.get(TAG) if isinstance(value, dict) else None


def record_names(annotation: Any) -> frozenset[str]:
    """The wire names of the outermost fields that hold records: in a form, the parts that are JSON."""
    if get_origin(annotation) in (Union, UnionType):
        return frozenset().union(*(record_names(part) for part in get_args(annotation)))
    hints = get_type_hints(annotation, include_extras=True)
    return frozenset(_wire_name(name, hint) for name, hint in hints.items() if _holds_record(hint))


def _holds_record(hint: Any) -> bool:
    if get_origin(hint) in (*MARKS, Annotated, Union, UnionType, *ARRAYS):
        return any(_holds_record(part) for part in get_args(hint))
    return is_typeddict(hint)


def _is_required(declared: Any, annotation: Any) -> bool:
    origin = get_origin(annotation)
    return origin is Required or (declared.__total__ and origin is not NotRequired)


def _wire_name(name: str, annotation: Any) -> str:
    while get_origin(annotation) in MARKS:
        annotation = get_args(annotation)[0]
    return _notes(annotation, "alias") or name


def _notes(annotation: Any, note: str) -> str:
    """A note of the SDK's `PropertyInfo` in an `Annotated`."""
    if get_origin(annotation) is not Annotated:
        return ""
    found = (getattr(item, note, None) for item in get_args(annotation)[1:])
    return next((item for item in found if item), "")


def wire_names(annotation: Any) -> frozenset[str]:
    """What the outermost fields of a parameter type, in all its variants, are called on the wire."""
    if get_origin(annotation) in (Union, UnionType):
        return frozenset().union(*(wire_names(part) for part in get_args(annotation)))
    hints = get_type_hints(annotation, include_extras=True)
    return frozenset(_wire_name(name, hint) for name, hint in hints.items())


def required_names(annotation: Any, elsewhere: frozenset[str]) -> frozenset[str]:
    """The wire names of the fields without which no variant of a parameter type is whole."""
    if get_origin(annotation) in (Union, UnionType):
        each = [required_names(part, elsewhere) for part in get_args(annotation)]
        return each[0].intersection(*each[1:])
    hints = get_type_hints(annotation, include_extras=True)
    return frozenset(
        _wire_name(name, hint)
        for name, hint in hints.items()
        if _is_required(annotation, hint) and not {name, _wire_name(name, hint)} & elsewhere
    )
