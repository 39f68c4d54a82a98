"""Which claims stand before, during and after an apply. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from trailboss.plan.changes import Change
from trailboss.plan.register import LOOK, Claim, Place, mark_of_id
from trailboss.plan.schedule import Done
from trailboss.plan.view import View
from trailboss.plan.wanted import Resource
from trailboss.resources.marks import identity_of, refs_in
from trailboss.resources.protocol import Claimed, OfWorker
from trailboss.resources.registry import kind

Claims = dict[Place, Claim]


def begun(view: View, present: Mapping[Place, Claim], work: Iterable[Change]) -> Claims:
    """With an intent for everything that is about to be made, and the places to look for it.

    What is made inside another new resource needs none: whatever is there is ours as that is. A claim to what
    is made anew means the old one and the new one until it is settled, so it names the id of neither.
    """
    intents: Claims = {}
    for one in work:
        if one.resource is not None and one.action in ("create", "replace"):
            identity = identity_of(view.specs[one.address])
            if not any(refs_in(identity)):
                claim = Claim(one.kind, identity)
                intents[claim.place] = claim
    known = {place: replace(claim, id="") if place in intents else claim for place, claim in present.items()}
    return {**places_to_look(view), **intents, **known}


def settled(
    view: View, present: Mapping[Place, Claim], done: Sequence[Done], *, whole: bool = True
) -> Claims:
    """What is claimed once `done` is done: nothing that is no longer there, and no intents.

    Not `whole`: only a part was looked at, so what is claimed of the rest stays.
    """
    there = _standing(view)
    claims = {
        place: claim
        for place, claim in present.items()
        if not whole or (claim.spec not in ("", LOOK) and (place, claim.id) in there)
    }
    for one in done:
        _after(claims, one.change, one.observed)
    changes = [one.change for one in done]
    gone = {one.seen.place for one in changes if one.seen is not None and one.action == "delete"}
    return {**places_to_look(view, gone), **claims}


def stale(view: View) -> bool:
    """Whether there are intents that nobody needs, or claims to what is gone, which a later thing of that
    name must not suffer."""
    if view.register is None:
        return False
    if view.begun:
        return True
    there = _standing(view)
    wanted = {(one.kind, identity_of(view.specs[one.address])) for one in view.wanted.resources}
    claims = view.register.claims_of(view.owner).values()
    return any(
        claim.spec != LOOK and (claim.place, claim.id) not in there and claim.place not in wanted
        for claim in claims
    )


def _standing(view: View) -> frozenset[tuple[Place, str]]:
    """What is there, as claims name it: by place, and by place and id."""
    marks = [(seen.place, mark_of_id(kind(seen.kind), seen.observed)) for seen in view.seen]
    return frozenset([*marks, *((place, "") for place, _ in marks)])


def _after(claims: Claims, change: Change, observed: Any) -> None:
    if change.seen is not None and change.action in ("delete", "release", "replace"):
        claims.pop(change.seen.place, None)
    if change.resource is None or change.action in ("delete", "release"):
        return
    place = (change.kind, identity_of(observed))
    claims.pop(place, None)
    if is_claimed(change.resource):
        before = change.seen.stamp if change.seen and change.action != "replace" else None
        adopted = change.action == "adopt" or (before is not None and before.adopted)
        mark = mark_of_id(kind(change.kind), observed)
        claims[place] = Claim(*place, change.resource.digest, adopted, mark)


def is_claimed(resource: Resource) -> bool:
    """Whether a claim says whose it is: where nothing else can, or nothing but the table in our file does."""
    ownership = kind(resource.kind).ownership
    return isinstance(ownership, Claimed) or (isinstance(ownership, OfWorker) and resource.is_written)


def places_to_look(view: View, gone: Collection[Place] = ()) -> Claims:
    """One for each list that the account's own do not show: the zones with marked or tagged things."""
    specs: list[tuple[str, Any]] = [(one.kind, view.specs[one.address]) for one in view.wanted.resources]
    specs += [
        (seen.kind, seen.observed) for seen in view.seen if view.is_ours(seen) and seen.place not in gone
    ]
    places: dict[tuple[Any, ...], Claim] = {}
    for name, spec in specs:
        found = kind(name)
        if isinstance(found.ownership, Claimed | OfWorker) or any(refs_in(identity_of(spec))):
            continue
        if found.scope_of(spec):
            places.setdefault((name, *found.scope_of(spec)), Claim(name, identity_of(spec), LOOK))
    return {claim.place: claim for claim in places.values()}
