"""A project that wants one of every kind there is, put together from the cases of the kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from importlib import import_module
from typing import Any

from trailboss.plan.owner import digest
from trailboss.plan.wanted import Resource
from trailboss.resources.marks import Ref, identity_of, target_of
from trailboss.resources.registry import NAMES
from trailboss.values import Secret

Keys = dict[tuple[str, str], str]
APART = {("r2_bucket", "shop-files", "eu"): {"name": "shop-files-eu"}}
"""Names that cases share and one account cannot: a bucket's tags go by its name in every jurisdiction."""


def case(name: str) -> Any:
    return import_module(f"tests.resources.cases.{name}")


def every(form: str) -> tuple[Resource, ...]:
    """One of each kind as its case has it (`BARE` or `FULL`), and what those need, in an order to make."""
    found: dict[tuple[Any, ...], Resource] = {}
    keys: Keys = {}
    for name in NAMES:
        given, before = case(name), {}
        for number, (kind, spec) in enumerate(given.BEFORE):
            before[kind, f"before-{number}"] = _add(found, keys, kind, spec, {})
        _add(found, keys, name, getattr(given, form), before)
    return tuple(found.values())


def rekeyed(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    """The same things under other keys."""

    def again(ref: Ref) -> Ref:
        return replace(ref, name=f"new-{ref.name}")

    return tuple(_resource(one.kind, f"new-{one.key}", _each(one.spec, again)) for one in resources)


def _add(found: dict[tuple[Any, ...], Resource], keys: Keys, kind: str, spec: Any, before: Keys) -> str:
    spec = replace(spec, **APART.get((kind, *identity_of(spec)), {}))
    name = str(identity_of(spec)[0])
    place = (kind, *map(str, identity_of(spec)))
    if place not in found:
        key = f"{kind[:3]}-{len(found)}"
        found[place] = _resource(kind, key, _referring(_keyed(spec, before), keys))
        keys.setdefault((kind, name), key)
    return found[place].key


def _resource(kind: str, key: str, spec: Any) -> Resource:
    return Resource(kind, key, spec, None, digest(spec))


def _keyed(value: Any, before: Keys) -> Any:
    """`value` with the references to `before-0` by the key that the resource got here."""
    return _each(value, lambda ref: replace(ref, name=before.get((ref.kind, ref.name), ref.name)))


def _each(value: Any, change: Callable[[Ref], Ref]) -> Any:
    if isinstance(value, Ref):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _each(inner, change) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_each(inner, change) for inner in value)
    if is_dataclass(value):
        changes = {place.name: _each(getattr(value, place.name), change) for place in fields(value)}
        return replace(value, **changes)  # type: ignore[type-var]
    return value


def _referring(spec: Any, keys: Keys) -> Any:
    """`spec` as a file would have it: what it names of the others by reference."""
    changes: dict[str, Any] = {}
    for place in fields(spec):
        target, value = target_of(place), getattr(spec, place.name)
        value = value.name if isinstance(value, Ref) else value
        if target is not None and isinstance(value, str) and value:
            changes[place.name] = _ref(target, value, keys)
        elif target is not None and isinstance(value, tuple):
            changes[place.name] = tuple(_ref(target, one, keys) for one in value)
    return replace(spec, **changes)


def _ref(target: tuple[str, str], value: str, keys: Keys) -> Any:
    key = keys.get((target[0], value), value if value in keys.values() else "")
    return Ref(target[0], key, target[1]) if key else value


async def revealed(wanted: Mapping[str, str]) -> Mapping[str, Secret]:
    """What the cases' references to secrets stand for."""
    known: dict[str, str] = {}
    for name in NAMES:
        known.update(getattr(case(name), "SECRETS", {}))
    return {name: Secret(known.get(text, text)) for name, text in wanted.items()}
