"""The account, read with as few calls as it takes.

One call for the account's tags (lock, claims), one per hundred resources that carry our tags, and one list
per kind and scope that is wanted or owned. Nothing is read per resource.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trailboss.cloud.tags import TaggedResource, find_tagged
from trailboss.errors import PermissionDenied
from trailboss.plan.graph import in_order, needs_of, refuse_circles
from trailboss.plan.holdings import Holdings
from trailboss.plan.owner import PROJECT, Stamp, from_marker, from_tags
from trailboss.plan.register import Claim, Place, Register, mark_of_id
from trailboss.plan.view import Seen, View, check_given, refer, waits_for_worker
from trailboss.plan.wanted import Resource, Wanted
from trailboss.plan.where import Like, begin, likes_of, resolve_zones
from trailboss.resources.marks import Ref, identity_of, refs_in, resolved
from trailboss.resources.protocol import Claimed, Kind, Marked, OfWorker, Shared, Tagged
from trailboss.resources.registry import kind

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

IDS = 50
"""Ids that one search by tags takes."""


async def look(cloud: Cloud, wanted: Wanted, register: Register | None = None) -> View:
    """Read the account. `register` is given when it was just read.

    A list inside another resource (the indexes of an index) is read once that resource was found.

    Raises:
        CloudError: something could not be read. WantedError: TB6104 a reference to nothing, TB6105 an id that
            the account does not have, TB6106 references in a circle.
    """
    needs = needs_of(wanted.resources)
    refuse_circles(wanted.resources, needs)
    view, tagged = await begin(cloud, wanted, register)
    view.needs = needs
    reader = _Reader(cloud, view, tagged)
    waiting = in_order(wanted.resources, needs)
    await reader.read([*likes_of(view, tagged), *reader.known(waiting)])
    check_given(view)
    reader.name_others()
    while waiting:
        ready: list[Resource] = []
        later: list[Resource] = []
        for one in waiting:
            (ready if reader.is_known(one) else later).append(one)
        await reader.read(reader.known(ready))
        for one in ready:
            reader.match(one)
        waiting = later
        if not ready:
            break
    await reader.whose()
    reader.tell_apart()
    refer(view)
    return view


class _Reader:
    """Reads lists, each once, and finds in them what is wanted."""

    def __init__(self, cloud: Cloud, view: View, tagged: list[TaggedResource]) -> None:
        self._cloud, self._view = cloud, view
        self._holdings = Holdings(cloud)
        self._stamps = {(row.type, row.id): row for row in tagged}
        self._claims = view.register.claims() if view.register else {}
        view.begun = frozenset(
            place for place, (owner, claim) in self._claims.items() if owner == view.owner and not claim.spec
        )
        self._listed: set[tuple[Any, ...]] = set()
        self._taken: set[int] = set()
        self._by_key: dict[tuple[str, str], Seen] = {}
        self._by_place: dict[Place, list[Seen]] = {}
        self._addresses = {(one.kind, one.key): one.address for one in view.wanted.resources}
        self._refs: dict[tuple[str, str], set[Ref]] = {}
        for one in view.wanted.resources:
            for ref in refs_in(one.spec):
                self._refs.setdefault((ref.kind, ref.name), set()).add(ref)

    def name_others(self) -> None:
        """What references stand for that name something of the account and not of the file."""
        for seen in self._view.seen:
            handle = kind(seen.kind).handle(seen.observed)
            for name in (handle, *map(str, identity_of(seen.observed))):
                if (seen.kind, name) not in self._addresses:
                    for ref in self._refs.get((seen.kind, name), ()):
                        self._view.handles.setdefault(ref, handle)

    def is_known(self, one: Resource) -> bool:
        """Whether it can be said where to look for it: nothing in its identity is still to be made."""
        if waits_for_worker(self._view, one):
            return False
        return not refs_in(identity_of(self._spec(one)))

    def _spec(self, one: Resource) -> Any:
        return resolved(one.spec, self._view.handles)

    def known(self, resources: list[Resource]) -> list[Like]:
        """Where to look for those of which it can be said."""
        return [(kind(one.kind), self._spec(one), one.where) for one in resources if self.is_known(one)]

    async def read(self, likes: list[Like]) -> None:
        """Read what was not read yet, all at the same time."""
        await resolve_zones(self._cloud, likes)
        await self._holdings.read([(found, like) for found, like, _ in likes])
        for found, like, _ in likes:
            place = (found.name, *found.scope_of(like))
            if place not in self._listed:
                self._listed.add(place)
                for observed in await self._all(found, like):
                    self._add(self._seen(found, observed))

    async def _all(self, found: Kind[Any, Any], like: Any) -> Sequence[Any]:
        """The list; where it is only to be told how things stand, a refusal is told and stops nothing."""
        try:
            return await self._holdings.all(found, like)
        except PermissionDenied as error:
            if not isinstance(found.ownership, Shared):
                raise
            self._view.unread[found.name] = f"not known how it stands: {error.hint}"
            return ()

    def _add(self, seen: Seen) -> None:
        self._view.seen.append(seen)
        self._by_place.setdefault(seen.place, []).append(seen)
        if self._view.is_ours(seen) and seen.stamp is not None and seen.stamp.key:
            self._by_key[seen.kind, seen.stamp.key] = seen

    def _seen(self, found: Kind[Any, Any], observed: Any) -> Seen:
        ownership, place = found.ownership, (found.name, identity_of(observed))
        owner, claim = self._claims.get(place, (None, None))
        intent = place in self._view.begun
        if isinstance(ownership, Tagged):
            row = self._stamps.get((ownership.type, found.tag_id(observed)))
            if row is not None:
                return Seen(found.name, observed, from_tags(row.tags), intent, row.tags, row.etag)
        elif isinstance(ownership, Marked):
            return Seen(found.name, observed, from_marker(observed.marker), intent)
        elif claim is not None and owner is not None and claim.spec and _is_claimed(claim, found, observed):
            return Seen(found.name, observed, Stamp(owner, "", claim.spec, claim.adopted))
        elif isinstance(ownership, OfWorker) and observed.script in self._view.wanted.scripts | {""}:
            return Seen(found.name, observed, Stamp(self._view.owner, "", ""))
        return Seen(found.name, observed, None, intent)

    def match(self, one: Resource) -> None:
        """Which resource of the account it is, and with that what references to it mean."""
        view, spec = self._view, self._spec(one)
        there = self._at(one, spec)
        if there is not None and there.stamp is None and self._is_inside(one):
            there = replace(there, intent=True)
        if there is None or not (view.is_ours(there) or there.intent):
            there = self._by_key.get((one.kind, one.key)) or self._rekeyed(one, spec) or there
        if there is not None:
            self._taken.add(id(there.observed))
            view.matches[one.address] = there
            for ref in self._refs.get((one.kind, one.key), ()):
                view.handles[ref] = kind(one.kind).handle(there.observed)

    def tell_apart(self) -> None:
        """Tags go by an id that two things may share (R2 buckets of one name in two jurisdictions): then the
        stamp is of the one that is wanted, and of none that is not."""
        self._tell_names_apart()
        tagged = [seen for seen in self._view.seen if isinstance(kind(seen.kind).ownership, Tagged)]
        shared = Counter(_tagged_as(seen) for seen in tagged if seen.stamp)
        matched = {id(seen) for seen in self._view.matches.values()}
        doubtful = {id(seen) for seen in tagged if shared[_tagged_as(seen)] > 1} - matched
        if doubtful:
            bare: dict[str, Any] = {"stamp": None, "tags": {}, "etag": ""}
            self._view.seen[:] = [
                replace(seen, **bare) if id(seen) in doubtful else seen for seen in self._view.seen
            ]

    def _tell_names_apart(self) -> None:
        """A claim without an id, to a name that several have, is to the one that is wanted."""
        claimed = [seen for seen in self._view.seen if isinstance(kind(seen.kind).ownership, Claimed)]
        shared = Counter(seen.place for seen in claimed if self._view.is_ours(seen))
        matched = {id(seen.observed) for seen in self._view.matches.values()}
        doubtful = {
            id(seen) for seen in claimed if shared[seen.place] > 1 and id(seen.observed) not in matched
        }
        if doubtful:
            self._view.seen[:] = [
                replace(seen, stamp=None) if id(seen) in doubtful else seen for seen in self._view.seen
            ]

    async def whose(self) -> None:
        """Whether what is there without a stamp of ours carries somebody else's."""
        free = {
            address: seen
            for address, seen in self._view.matches.items()
            if seen.stamp is None and isinstance(kind(seen.kind).ownership, Tagged)
        }
        if not free or self._view.register is None:
            return
        asked = sorted({_tagged_as(seen) for seen in free.values()})
        rows: dict[tuple[str, str], TaggedResource] = {}
        for start in range(0, len(asked), IDS):
            types, ids = (sorted(set(part)) for part in zip(*asked[start : start + IDS], strict=True))
            async for found in find_tagged(self._cloud, (PROJECT,), types=types, ids=ids):
                rows[found.type, found.id] = found
        for address, seen in free.items():
            row = rows.get(_tagged_as(seen))
            if row is not None:
                stamp = from_tags(row.tags)
                self._view.matches[address] = replace(seen, stamp=stamp, tags=row.tags, etag=row.etag)

    def _is_inside(self, one: Resource) -> bool:
        """Whether it is a part of something that is ours: then so is it, whoever wrote it first."""
        parents = [self._addresses.get((ref.kind, ref.name), "") for ref in refs_in(identity_of(one.spec))]
        found = [self._view.matches.get(address) for address in parents]
        return bool(found) and all(seen is not None and self._view.is_ours(seen) for seen in found)

    def _at(self, one: Resource, spec: Any) -> Seen | None:
        """Who stands at the identity that is wanted."""
        candidates = self._by_place.get((one.kind, identity_of(spec)), [])
        found = kind(one.kind)
        if not found.repeats:
            ours = [seen for seen in candidates if self._view.is_ours(seen)]
            return next(iter([*ours, *candidates]), None)
        return _fitting(found, spec, [seen for seen in candidates if seen.stamp is None])

    def _rekeyed(self, one: Resource, spec: Any) -> Seen | None:
        """What is ours at that identity under a key that the file no longer has, where identities repeat."""
        candidates = self._by_place.get((one.kind, identity_of(spec)), [])
        left = [
            seen
            for seen in candidates
            if self._view.is_ours(seen)
            and seen.stamp is not None
            and (seen.kind, seen.stamp.key) not in self._addresses
            and id(seen.observed) not in self._taken
        ]
        return _fitting(kind(one.kind), spec, left) if kind(one.kind).repeats else None


def _is_claimed(claim: Claim, found: Kind[Any, Any], observed: Any) -> bool:
    """Whether the claim is to this one, and not to another of the same name."""
    return not claim.id or claim.id == mark_of_id(found, observed)


def _fitting(found: Kind[Any, Any], spec: Any, candidates: list[Seen]) -> Seen | None:
    """The one that is as wanted; else the first, where it stands in the way."""
    same = [seen for seen in candidates if not found.differs(spec, seen.observed)]
    if same:
        return same[0]
    clashing = candidates and found.clashes(spec, candidates[0].observed)
    return candidates[0] if clashing else None


def _tagged_as(seen: Seen) -> tuple[str, str]:
    ownership = kind(seen.kind).ownership
    assert isinstance(ownership, Tagged)
    return ownership.type, kind(seen.kind).tag_id(seen.observed)
