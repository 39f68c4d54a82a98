"""What the account has, beside what is wanted: all that a plan compares, read with as few calls as it takes.

One call for the account's tags (lock, claims), one per hundred resources that carry our tags, and one list
per kind and scope that is wanted or owned. Nothing is read per resource.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from trailboss.cloud.tags import TaggedResource, find_tagged
from trailboss.errors import NotFound, PermissionDenied, PlanError
from trailboss.plan.graph import Needs, needs_of, refuse_circles
from trailboss.plan.holdings import Holdings
from trailboss.plan.owner import ENVIRONMENT, PROJECT, Owner, Stamp, from_marker, from_tags
from trailboss.plan.register import Claim, Place, Register
from trailboss.plan.wanted import Resource, Wanted
from trailboss.resources.marks import Mark, Ref, identity_of, marked, refs_in, resolved
from trailboss.resources.protocol import Claimed, Kind, Marked, OfWorker, Tagged
from trailboss.resources.registry import NAMES, kind

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


@dataclass(frozen=True, slots=True)
class Seen:
    """One resource of the account. `stamp` says whose it is; `intent` that we began to make it and may have
    been stopped before it was stamped; `tags` and `etag` are what a stamp would be merged into."""

    kind: str
    observed: Any
    stamp: Stamp | None = None
    intent: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""
    zone_id: str = ""

    @property
    def place(self) -> Place:
        """Kind and identity."""
        return self.kind, identity_of(self.observed)


@dataclass(slots=True)
class View:
    """Both sides. `untagged` says why there is no register ("" when there is one)."""

    wanted: Wanted
    register: Register | None
    untagged: str
    scripts: frozenset[str]
    seen: list[Seen] = field(default_factory=list)
    handles: dict[Ref, str] = field(default_factory=dict)
    specs: dict[str, Any] = field(default_factory=dict)
    matches: dict[str, Seen] = field(default_factory=dict)
    needs: Needs = field(default_factory=dict)
    begun: frozenset[Place] = frozenset()
    """What an earlier run meant to make, and may have made without a stamp."""

    @property
    def owner(self) -> Owner:
        """Whose plan it is."""
        return self.wanted.owner

    def is_ours(self, seen: Seen) -> bool:
        """Whether we made or adopted it."""
        return seen.stamp is not None and seen.stamp.owner == self.owner


async def look(cloud: Cloud, wanted: Wanted, register: Register | None = None) -> View:
    """Read the account. `register` is given when it was just read.

    Raises:
        CloudError: something could not be read. PlanError: TB6104 a reference to nothing, TB6105 an id that
            the account does not have, TB6106 references in a circle.
    """
    needs = needs_of(wanted.resources)
    refuse_circles(wanted.resources, needs)
    view, tagged = await _start(cloud, wanted, register)
    view.needs = needs
    holdings = Holdings(cloud)
    likes = list(_likes(view, tagged))
    await asyncio.gather(*(_zone(cloud, like, where) for _, like, where in likes))
    await holdings.read([(found, like) for found, like, _ in likes])
    stamps = {(row.type, row.id): row for row in tagged}
    claims = view.register.claims() if view.register else {}
    view.begun = frozenset(
        place for place, (owner, claim) in claims.items() if owner == view.owner and not claim.spec
    )
    listed: set[tuple[Any, ...]] = set()
    for found, like, _ in likes:
        place = (found.name, *found.scope_of(like))
        if place not in listed:
            listed.add(place)
            for observed in await holdings.all(found, like):
                view.seen.append(_seen(view, found, observed, stamps, claims))
    _match(view)
    return view


def like_identity(found: Kind[Any, Any], identity: tuple[Any, ...]) -> Any:
    """Something with the identity of a spec, for a list that asks where to look."""
    names = [place.name for place in marked(found.spec, Mark.IDENTITY)]
    return SimpleNamespace(**dict(zip(names, identity, strict=False)))


async def _start(
    cloud: Cloud, wanted: Wanted, register: Register | None
) -> tuple[View, list[TaggedResource]]:
    async def tagged() -> list[TaggedResource]:
        owner = wanted.owner
        conditions = (f"{PROJECT}={owner.project}", f"{ENVIRONMENT}={owner.environment}")
        return [row async for row in find_tagged(cloud, conditions)]

    untagged = ""
    rows: list[TaggedResource] = []
    scripts = asyncio.ensure_future(_scripts(cloud, wanted))
    try:
        if register is None:
            register, rows = await asyncio.gather(Register.read(cloud), tagged())
        else:
            rows = await tagged()
    except PermissionDenied as error:
        register, untagged = None, error.message
    finally:
        existing = await scripts
    return View(wanted, register, untagged, existing), rows


async def _scripts(cloud: Cloud, wanted: Wanted) -> frozenset[str]:
    """The Workers that exist, when it matters."""
    if not any(isinstance(kind(one.kind).ownership, OfWorker) for one in wanted.resources):
        return frozenset()
    path = f"{cloud.account}/workers/scripts"
    return frozenset([str(row.get("id")) async for row in cloud.pages(path, style="single")])


def _likes(view: View, tagged: list[TaggedResource]) -> Iterator[tuple[Kind[Any, Any], Any, Any]]:
    """One thing to look for per list: what is wanted, referred to, given, claimed, tagged."""
    for one in view.wanted.resources:
        found = kind(one.kind)
        if not isinstance(found.ownership, OfWorker) or one.spec.script in view.scripts:
            yield found, one.spec, one.where
    known = {(one.kind, one.key) for one in view.wanted.resources}
    for one in view.wanted.resources:
        for ref in refs_in(one.spec):
            if (ref.kind, ref.name) not in known:
                yield kind(ref.kind), None, one.where
    for given in view.wanted.given:
        yield kind(given.kind), None, given.where
    if view.register is None:
        return
    for claim in view.register.claims_of(view.owner).values():
        found = kind(claim.kind)
        yield found, like_identity(found, claim.identity), None
    types = {row.type for row in tagged}
    for name in NAMES:
        found = kind(name)
        if isinstance(found.ownership, Tagged) and found.ownership.type in types and found.scope == "account":
            yield found, None, None


async def _zone(cloud: Cloud, like: Any, where: Any) -> None:
    """Resolve the zone before anything is written, so that a wrong one is told with its place."""
    if getattr(like, "zone", None):
        try:
            await cloud.zone(like.zone)
        except NotFound as error:
            error.where = where
            raise


def _seen(
    view: View,
    found: Kind[Any, Any],
    observed: Any,
    stamps: Mapping[tuple[str, str], TaggedResource],
    claims: Mapping[Place, tuple[Owner, Claim]],
) -> Seen:
    ownership, place = found.ownership, (found.name, identity_of(observed))
    owner, claim = claims.get(place, (None, None))
    intent = place in view.begun
    if isinstance(ownership, Tagged):
        row = stamps.get((ownership.type, found.tag_id(observed)))
        if row is not None:
            stamp = from_tags(row.tags)
            return Seen(found.name, observed, stamp, intent, row.tags, row.etag, row.zone_id)
    elif isinstance(ownership, Marked):
        return Seen(found.name, observed, from_marker(observed.marker), intent)
    elif isinstance(ownership, Claimed) and claim is not None and owner is not None and claim.spec:
        return Seen(found.name, observed, Stamp(owner, "", claim.spec, claim.adopted))
    elif isinstance(ownership, OfWorker) and observed.script in view.wanted.scripts:
        return Seen(found.name, observed, Stamp(view.owner, "", ""))
    return Seen(found.name, observed, None, intent)


def _match(view: View) -> None:
    """Which resource of the account each wanted one is, and then what the references between them mean."""
    by_key: dict[tuple[str, str], Seen] = {}
    by_place: dict[Place, list[Seen]] = {}
    for seen in view.seen:
        by_place.setdefault(seen.place, []).append(seen)
        if view.is_ours(seen) and seen.stamp is not None and seen.stamp.key:
            by_key[seen.kind, seen.stamp.key] = seen
    for one in view.wanted.resources:
        there = _at(view, one, by_place)
        if there is None or not (view.is_ours(there) or there.intent):
            there = by_key.get((one.kind, one.key)) or there
        if there is not None:
            view.matches[one.address] = there
    _check_given(view)
    refer(view)


def _at(view: View, one: Resource, by_place: Mapping[Place, list[Seen]]) -> Seen | None:
    """Who stands at the identity that is wanted."""
    candidates = by_place.get((one.kind, identity_of(one.spec)), [])
    found = kind(one.kind)
    if not found.repeats:
        return candidates[0] if candidates else None
    free = [seen for seen in candidates if seen.stamp is None]
    same = [seen for seen in free if not found.differs(one.spec, seen.observed)]
    if same:
        return same[0]
    return free[0] if free and found.clashes(one.spec, free[0].observed) else None


def _check_given(view: View) -> None:
    handles = {(seen.kind, kind(seen.kind).handle(seen.observed)) for seen in view.seen}
    for given in view.wanted.given:
        if (given.kind, given.handle) not in handles:
            raise PlanError(
                "TB6105",
                f"the account has no {given.kind} {given.handle}, which the binding '{given.binding}' names",
                hint="An id belongs to one account. Leave it out, and the resource is found or made by name.",
                where=given.where,
            )


def refer(view: View, unknown: frozenset[str] = frozenset()) -> None:
    """Resolve the references of every spec; those to the addresses in `unknown` (about to be replaced) stay.

    Raises:
        PlanError: TB6104 a reference to nothing.
    """
    view.handles.clear()
    wanted = {(one.kind, one.key): one.address for one in view.wanted.resources}
    for one in view.wanted.resources:
        for ref in refs_in(one.spec):
            if ref not in view.handles and f"{ref.kind}.{ref.name}" not in unknown:
                handle = _handle(view, ref, wanted, one)
                if handle:
                    view.handles[ref] = handle
        view.specs[one.address] = resolved(one.spec, view.handles)


def _handle(view: View, ref: Ref, wanted: Mapping[tuple[str, str], str], one: Resource) -> str:
    """What a reference stands for; "" when that does not exist yet, but will."""
    found = kind(ref.kind)
    address = wanted.get((ref.kind, ref.name))
    if address is not None:
        seen = view.matches.get(address)
        return found.handle(seen.observed) if seen else ""
    for seen in view.seen:
        if seen.kind == ref.kind:
            handle = found.handle(seen.observed)
            if ref.name == handle or ref.name in map(str, identity_of(seen.observed)):
                return handle
    raise PlanError(
        "TB6104",
        f"{one.address} refers to the {ref.kind} '{ref.name}', which neither the file nor the account has",
        hint=f"Add [resources.{ref.kind}.{ref.name}], or name one that exists.",
        where=one.where,
    )
