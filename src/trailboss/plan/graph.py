"""In which order: what others refer to comes first."""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Mapping

from trailboss.errors import WantedError
from trailboss.plan.wanted import Resource
from trailboss.resources.marks import identity_of, refs_in
from trailboss.resources.registry import kind

Needs = Mapping[str, tuple[str, ...]]


def needs_of(resources: Iterable[Resource]) -> dict[str, tuple[str, ...]]:
    """Address -> the addresses it needs, by what its fields refer to and what its kind asks for."""
    resources = tuple(resources)
    addresses = {one.address for one in resources}
    places = {(one.kind, identity_of(one.spec)): one.address for one in resources}
    found: dict[str, tuple[str, ...]] = {}
    for one in resources:
        names = [f"{ref.kind}.{ref.name}" for ref in refs_in(one.spec)]
        names += [places.get((need.kind, need.identity), "") for need in kind(one.kind).needs(one.spec)]
        found[one.address] = tuple(dict.fromkeys(name for name in names if name in addresses))
    return found


def refuse_circles(resources: Iterable[Resource], needs: Needs) -> None:
    """Raises WantedError TB6106 when resources refer to each other in a circle."""
    try:
        graphlib.TopologicalSorter(needs).prepare()
    except graphlib.CycleError as error:
        circle: list[str] = error.args[1]
        places = {one.address: one.where for one in resources}
        raise WantedError(
            "TB6106",
            f"these resources refer to each other in a circle: {' -> '.join(reversed(circle))}",
            hint="Take one of the references out.",
            where=places.get(circle[0]),
        ) from None


def in_order(resources: Iterable[Resource], needs: Needs) -> list[Resource]:
    """Those that others need first; otherwise as they came."""
    by_address = {one.address: one for one in resources}
    return [by_address[address] for address in graphlib.TopologicalSorter(needs).static_order()]


def with_needs(targets: Iterable[str], needs: Needs) -> frozenset[str]:
    """`targets` and everything they need, however far away."""
    found: set[str] = set()
    waiting = list(targets)
    while waiting:
        address = waiting.pop()
        if address not in found:
            found.add(address)
            waiting += needs.get(address, ())
    return frozenset(found)
