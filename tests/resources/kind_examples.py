"""The table of trailboss.toml that a kind's case comes to: shown on its page, and read by the real reader."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, replace
from typing import Any

from tests.resources.kind_calls import case
from trailboss.resources.marks import UNSET, Mark, Ref, identity_of, is_derived, is_named, mark_of, target_of

SHOWN = {
    "d1_migrations": {"directory": "migrations"},
    "mtls_certificate": {
        "certificates": "-----BEGIN CERTIFICATE-----\nMIIBqzCCAVGgAwIBAgIUV2l0aG91dCBhIHJlYWwga2V5\n"
        "-----END CERTIFICATE-----\n"
    },
}
"""Values of cases that are made anew in every run, as a page has them."""
KEYS = {
    "argo_smart_routing": "routing",
    "certificate_pack": "front",
    "ruleset_rule": "login-limit",
    "mtls_hostname_association": "visitors",
    "tiered_cache": "cache",
    "vectorize_metadata_index": "docs-url",
    "worker_route": "front",
}
"""The keys of kinds whose identity is no name."""
WIDE = 100
"""Characters of a line from which on it is better to give a table lines of its own."""
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def spec_of(name: str) -> Any:
    """The FULL spec of the kind's case, as its page shows it."""
    names = {f"before-{n}": str(identity_of(spec)[0]) for n, (_, spec) in enumerate(case(name).BEFORE)}
    spec = replace(case(name).FULL, **SHOWN.get(name, {}))
    return replace(spec, **{one.name: _renamed(getattr(spec, one.name), names) for one in fields(spec)})


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Ref):
        return replace(value, name=names.get(value.name, value.name))
    if isinstance(value, Mapping):
        return {name: _renamed(inner, names) for name, inner in value.items()}
    return type(value)(_renamed(one, names) for one in value) if isinstance(value, list | tuple) else value


def key_of(name: str) -> str:
    """What the example calls it: the name where the key gives it, else that of what it belongs to."""
    spec = spec_of(name)
    places = [place for place in fields(spec) if mark_of(place) is Mark.IDENTITY and place.name != "zone"]
    value = (
        getattr(spec, next((place for place in places if is_named(place)), places[0]).name) if places else ""
    )
    return KEYS.get(name) or (value.name if isinstance(value, Ref) else str(value))


def table_of(name: str) -> dict[str, Any]:
    """The fields that a person would write: neither what is as it would be anyway, nor what the key says."""
    spec, found = spec_of(name), dict[str, Any]()
    for place in fields(spec):
        value = getattr(spec, place.name)
        if _is_unwritten(place) or value is UNSET:
            continue
        if place.default is MISSING or value != place.default:
            found[place.name] = _plain(value)
    return found


def _is_unwritten(place: Field[Any]) -> bool:
    by_itself = is_named(place) or is_derived(place)
    return by_itself or mark_of(place) in (Mark.MARKER, Mark.SERVER_SET)


def toml_of(name: str) -> str:
    """The example: one table of trailboss.toml, and tables in it where a line would be too long."""
    title = f"resources.{name}.{_name(key_of(name))}"
    lines, tables = [f"[{title}]"], list[str]()
    for field, value in table_of(name).items():
        line = f"{field} = {_written(value)}"
        if max(map(len, line.splitlines())) <= WIDE or not isinstance(value, Mapping | list):
            lines.append(line)
        elif isinstance(value, Mapping):
            tables += ["", f"[{title}.{field}]", *_lines(value)]
        else:
            tables += [line for one in value for line in ("", f"[[{title}.{field}]]", *_lines(one))]
    return "\n".join([*lines, *tables])


def _lines(table: Mapping[str, Any]) -> list[str]:
    return [f"{_name(key)} = {_written(value)}" for key, value in table.items()]


def expected(name: str) -> Any:
    """What the reader makes of the example: names of other resources are references to them."""
    spec, changes = spec_of(name), dict[str, Any]()
    for place in fields(spec):
        target, value = target_of(place), getattr(spec, place.name)
        if target is not None and value is not UNSET:
            changes[place.name] = _referring(target, value)
    return replace(spec, **changes)


def _referring(target: tuple[str, str], value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_referring(target, one) for one in value)
    return Ref(target[0], value, target[1]) if isinstance(value, str) and value else value


def _plain(value: Any) -> Any:
    if isinstance(value, Ref):
        return value.name
    if isinstance(value, Mapping):
        only = next(iter(value.values())) if len(value) == 1 else None
        if isinstance(only, Ref):  # Access: `{ group = { id = … } }` is written `{ group = … }`
            return only.name
        return {str(name): _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _written(value: Any) -> str:
    """As a person would write it: a list of tables with a line for each, long texts as they are."""
    import tomlkit

    if isinstance(value, str):
        if "\n" in value:
            return f'"""\n{value}"""'
        return str(tomlkit.string(value, literal='"' in value).as_string())
    if isinstance(value, Mapping):
        return f"{{ {', '.join(_lines(value))} }}" if value else "{}"
    if isinstance(value, list):
        items = [_written(inner) for inner in value]
        line = f"[{', '.join(items)}]"
        if len(line) <= WIDE - 20:
            return line
        return "\n".join(["[", *(f"  {item}," for item in items), "]"])
    return str(tomlkit.item(value).as_string())


def _name(key: str) -> str:
    return key if _BARE.fullmatch(key) else f'"{key}"'
