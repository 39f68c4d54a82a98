"""From a table of trailboss.toml to a spec, by the marks and types of the kind's own fields.

[resources.dns_record."www.example.com"]
type = "CNAME"
content = "example.com"
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Union, cast, get_args, get_origin, get_type_hints

from trailboss.errors import ConfigError
from trailboss.resources.marks import Mark, Ref, Unset, is_derived, is_named, is_path, mark_of, target_of
from trailboss.resources.protocol import Kind
from trailboss.values import Location

if TYPE_CHECKING:
    from pydantic import BaseModel

Locate = Callable[..., Location]


def read_spec(
    kind: Kind[Any, Any], table: Mapping[str, Any], *, name: str, zone: Callable[[str], str], locate: Locate
) -> Any:
    """The spec that `table` describes. `name` is for the field that takes it from the key, `zone` turns what
    stands in the table ("" for nothing) into a zone's name.

    Raises:
        ConfigError: TB1201 an unknown key, TB1202 a wrong type, TB1230 what Cloudflare would refuse.
    """
    from trailboss.config.checks import validate

    given, shape = kind.adjust(table), cast("Any", kind.spec)
    values: Any = validate(model_of(shape), given, locate, "TB1202")
    chosen: dict[str, Any] = {}
    for place in _written(shape):
        if place.name == "zone":
            chosen["zone"] = zone(values.zone or "")
        elif place.name in values.model_fields_set:
            value = getattr(values, place.name)
            chosen[place.name] = _beside(value, locate()) if is_path(place) else _referring(place, value)
        elif is_named(place):
            chosen[place.name] = name
    spec = shape(**chosen)
    for problem in kind.problems(spec):
        raise ConfigError("TB1230", f"{kind.name} '{name}': {problem}", where=locate())
    return spec


@cache
def model_of(spec: Any) -> type[BaseModel]:
    """The strict pydantic model of a spec: what a person may write for it."""
    from pydantic import ConfigDict, create_model

    hints = get_type_hints(spec)
    columns: dict[str, Any] = {}
    for place in _written(spec):
        required = place.default is MISSING and place.default_factory is MISSING
        optional = place.name == "zone" or is_named(place) or not required
        columns[place.name] = (_readable(hints[place.name]), None if optional else ...)
    config = ConfigDict(strict=True, extra="forbid", frozen=True, arbitrary_types_allowed=True)
    found: type[BaseModel] = create_model(spec.__name__, __config__=config, **columns)
    return found


def _written(spec: type[Any]) -> list[Field[Any]]:
    """The fields that a person may write."""
    marks = (Mark.MARKER, Mark.SERVER_SET)
    return [place for place in fields(spec) if mark_of(place) not in marks and not is_derived(place)]


def _readable(hint: Any) -> Any:
    """The type without what only a spec can hold, and with lists where the spec has tuples."""
    from pydantic import Field as Column

    if get_origin(hint) in (types.UnionType, Union):
        kept = [_readable(part) for part in get_args(hint) if part not in (Unset, type(None))]
        return Union[tuple(kept)]  # noqa: UP007 - built from values
    if get_origin(hint) is tuple:
        return Annotated[hint, Column(strict=False)]
    return hint


def _beside(path: str, where: Location) -> str:
    return str((where.file.parent / path).resolve())


def _referring(place: Field[Any], value: Any) -> Any:
    target = target_of(place)
    if target is None or isinstance(value, Ref):
        return value
    kind, form = target
    if isinstance(value, str):
        return Ref(kind, value, form)
    return tuple(Ref(kind, str(one), form) for one in value)
