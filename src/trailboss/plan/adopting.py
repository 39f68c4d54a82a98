"""What an account has already, as tables of trailboss.toml: the way from an observed resource to a spec.

The same for every kind, by the marks of its fields. What Cloudflare chose is left out, and so are values that
are as they would be anyway; what cannot be read back (secrets) cannot be written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailboss.config.discover import PROJECT_NAME
from trailboss.errors import ConfigError
from trailboss.resources.marks import UNSET, Mark, is_derived, is_named, mark_of, marked, target_of
from trailboss.resources.protocol import Kind
from trailboss.resources.reading import read_spec
from trailboss.values import Location

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

Table = dict[str, Any]
Names = Mapping[tuple[str, str], str]
"""What the file calls a resource: its key by kind and handle."""


@dataclass(frozen=True, slots=True)
class Adoptable:
    """One resource of the account as a table. `problem` says why the table would not do, "" when it does."""

    kind: str
    key: str
    name: str
    id: str
    table: Table
    problem: str = ""


async def find(cloud: Cloud, found: Kind[Any, Any], *, name: str | None, zone: str | None) -> tuple[Any, ...]:
    """The resources of a kind with that name or id; all that its list shows without one."""
    like = _like(found, name, zone)
    return tuple(
        [one async for one in found.list(cloud, like) if name is None or name in names_of(found, one)]
    )


def names_of(found: Kind[Any, Any], observed: Any) -> frozenset[str]:
    """What a person may call it: its id, or any part of its identity but the zone."""
    places = [place.name for place in marked(observed, Mark.IDENTITY) if place.name != "zone"]
    return frozenset([found.handle(observed), *(str(getattr(observed, place)) for place in places)])


def adoptable(
    found: Kind[Any, Any], observed: Any, *, environment: str, known: Names, key: str | None = None
) -> Adoptable:
    """`observed` as a table for `environment`, under `key` or one made from its name."""
    title = _title(found, observed)
    key = key or _key(found, title, environment)
    table = dict(_values(found, observed, known))
    named = next((place.name for place in fields(found.spec) if is_named(place)), None)
    own = environment and found.holds_data and found.scope != "zone"
    implied = found.named(key, environment) if own else key
    if named is not None and table.get(named) == implied:
        del table[named]
    problem = _problem(found, observed, table, implied)
    return Adoptable(found.name, key, title, found.handle(observed), table, problem)


def _key(found: Kind[Any, Any], title: str, environment: str) -> str:
    """The key that stands for `title` in the environment."""
    ends = (f"-{environment}", f"_{environment}".replace("-", "_")) if environment else ()
    shorter = (title.removesuffix(end) for end in ends)
    return next((one for one in shorter if one and found.named(one, environment) == title), title)


def _like(found: Kind[Any, Any], name: str | None, zone: str | None) -> Any:
    """Something in the scope that is to be listed; None where the kind's usual one will do."""
    if name is None and zone is None:
        return None
    values: Table = {}
    rest = iter([name] if name is not None else [])
    for place in fields(found.spec):
        plain = place.default if place.default is not MISSING else UNSET
        own = mark_of(place) is Mark.IDENTITY and plain is UNSET
        values[place.name] = zone if place.name == "zone" else next(rest, plain) if own else plain
    return found.spec(**values)


def _title(found: Kind[Any, Any], observed: Any) -> str:
    place = next((place.name for place in fields(found.spec) if is_named(place)), None)
    if place is not None:
        return str(getattr(observed, place))
    parts = [place.name for place in marked(observed, Mark.IDENTITY)]
    own = [name for name in parts if name != "zone"] or parts
    return " ".join(str(getattr(observed, name)) for name in own)


def _values(found: Kind[Any, Any], observed: Any, known: Names) -> Iterator[tuple[str, Any]]:
    usual = {place.name: _default(place) for place in fields(observed)}
    for place in fields(found.spec):
        if is_derived(place) or mark_of(place) not in (Mark.IDENTITY, Mark.MUTABLE, Mark.REPLACE):
            continue
        value, default = getattr(observed, place.name, None), _default(place)
        as_it_would_be = usual.get(place.name) if default is UNSET else default
        if value is None or value is UNSET or value == as_it_would_be:
            continue
        yield place.name, _plain(_reference(place, value, known))


def _default(place: Field[Any]) -> Any:
    """MISSING where the field has none."""
    return place.default_factory() if place.default_factory is not MISSING else place.default


def _reference(place: Field[Any], value: Any, known: Names) -> Any:
    """What a field that refers to others says in a file: their keys, or their ids as they are."""
    target = target_of(place)
    if target is None:
        return value
    if isinstance(value, list | tuple):
        return [_reference(place, inner, known) for inner in value]
    kind, form = target
    handle = re.fullmatch(re.escape(form).replace(re.escape("{}"), "(.+)"), str(value))
    return known.get((kind, handle[1]), handle[1]) if handle else value


def _plain(value: Any) -> Any:
    """As TOML has it: no null, and lists."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _problem(found: Kind[Any, Any], observed: Any, table: Table, name: str) -> str:
    """Why the file would not read the table; what it would read is compared by a plan."""
    zone = getattr(observed, "zone", "")

    def locate(*_: str | int) -> Location:
        return Location(Path(PROJECT_NAME))

    try:
        read_spec(found, table, name=name, zone=lambda _: zone, locate=locate)
    except ConfigError as error:
        return error.message
    return ""
