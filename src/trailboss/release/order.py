"""In which order the Workers of one project are deployed: a Worker comes after those it calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


def callees_first(
    workers: Sequence[T], *, name: Callable[[T], str], settings: Callable[[T], Mapping[str, Any]]
) -> tuple[T, ...]:
    """`workers` so that a service binding, tail consumer or foreign Durable Object points backwards.

    Otherwise the given order is kept; a circle is broken where it is entered, as Cloudflare has no order
    for it either."""
    by_name = {name(worker): worker for worker in workers}
    ordered: dict[str, T] = {}
    entered: set[str] = set()

    def visit(key: str) -> None:
        if key in entered:
            return
        entered.add(key)
        for other in calls(settings(by_name[key])):
            if other in by_name:
                visit(other)
        ordered[key] = by_name[key]

    for worker in workers:
        visit(name(worker))
    return tuple(ordered.values())


def calls(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the Workers that a Worker with these settings needs to exist."""
    found = [item.get("service") for item in settings.get("services") or ()]
    found += [item.get("service") for item in settings.get("tail_consumers") or ()]
    objects = (settings.get("durable_objects") or {}).get("bindings") or ()
    found += [item.get("script_name") for item in (*objects, *(settings.get("workflows") or ()))]
    return tuple(dict.fromkeys(str(item) for item in found if item))
