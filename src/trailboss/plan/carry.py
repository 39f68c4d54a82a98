"""One change, carried out: made, finished, stamped, and told what became of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from trailboss.cloud.tags import read_tags, write_tags
from trailboss.errors import AlreadyExists, CloudError, ConflictError, PermissionDenied, Unavailable
from trailboss.plan.changes import Change, stamp_for
from trailboss.plan.clock import Clock
from trailboss.plan.holdings import Holdings
from trailboss.plan.owner import Stamp, from_marker, from_tags, without_stamp
from trailboss.plan.view import Seen, View
from trailboss.resources.marks import REFERENCES, UNSET, Ref, identity_of, is_asking, is_secret, resolved
from trailboss.resources.protocol import Kind, Marked, Tagged
from trailboss.resources.registry import kind

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.values import Secret

PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between looks for something that may have been made: lists can lag behind writes."""

Reveal = Callable[[Mapping[str, str]], Awaitable[Mapping[str, "Secret"]]]


def _asks(place: Field[Any], spec: Any) -> bool:
    """Whether a field of `spec` stands for something that has to be looked up before it is sent."""
    value = getattr(spec, place.name)
    return isinstance(value, str) and (
        is_secret(place) or (is_asking(place) and value.startswith(REFERENCES))
    )


@dataclass(slots=True)
class Carrier:
    """What carrying out needs. `handles` grows as resources come to be."""

    cloud: Cloud
    view: View
    clock: Clock
    reveal: Reveal
    handles: dict[Ref, str] = field(default_factory=dict)

    async def carry(self, change: Change) -> Any:
        """Do it; the observed resource afterwards, None after a delete.

        Raises:
            CloudError: Cloudflare refused. ConflictError: TB6507 somebody else made it in the meantime.
        """
        found = kind(change.kind)
        if change.action in ("delete", "release"):
            return await self._leave(found, change)
        spec = await self._spec(found, change)
        if change.action == "replace" and not self.moves(change):
            assert change.seen is not None
            await self._clear(found, change.seen.observed)
        if change.seen is None or change.action == "replace":
            observed = await self._make(found, spec, change)
        else:
            observed = change.seen.observed
        if change.action != "none" and (found.differs(spec, observed) or change.action == "update"):
            observed = await self._finish(found, spec, observed)
        await self._stamp(found, spec, observed, change)
        return observed

    async def _clear(self, found: Kind[Any, Any], observed: Any) -> None:
        """Make room for a new one of the same name."""
        try:
            await found.delete(self.cloud, observed)
        except (Unavailable, PermissionDenied):
            raise
        except CloudError as error:  # it is in use, in most cases
            error.hint = (
                f"{error.hint} Give the new {found.name} another name: then it is made first, what uses the "
                "old one is moved over to it, and the old one goes at the end."
            ).strip()
            raise

    def moves(self, change: Change) -> bool:
        """Whether a replacement has another identity, so that old and new can stand side by side."""
        assert change.seen is not None and change.resource is not None
        spec = resolved(change.resource.spec, self.handles)
        return identity_of(change.seen.observed) != identity_of(spec)

    async def _spec(self, found: Kind[Any, Any], change: Change) -> Any:
        """The spec as it is sent: references resolved, secrets revealed, our mark in it."""
        assert change.resource is not None
        spec = resolved(change.resource.spec, self.handles)
        wanted = {place.name: str(getattr(spec, place.name)) for place in fields(spec) if _asks(place, spec)}
        if wanted:
            told: dict[str, Any] = dict(await self.reveal(wanted))
            told |= {
                one.name: told[one.name].reveal()
                for one in fields(spec)
                if is_asking(one) and one.name in told
            }
            spec = replace(spec, **told)
        if isinstance(found.ownership, Marked):
            spec = replace(spec, marker=stamp_for(self.view, change).marker())
        return spec

    async def _make(self, found: Kind[Any, Any], spec: Any, change: Change) -> Any:
        """Create it, and never twice.

        When an earlier try may have worked (an intent of an earlier run, a lost answer), it is looked for
        first, for as long as lists may lag; names that are refused as taken are looked for as well.
        """
        begun = self._begun(found, spec)
        doubtful = begun and found.repeats
        for _ in range(3):
            if doubtful:
                there = await self._seek(found, spec, change)
                if there is not None:
                    return there
            try:
                return await found.create(self.cloud, spec)
            except Unavailable as error:
                if not error.effect_unknown:
                    raise
                doubtful, failure = True, error
            except AlreadyExists as error:
                there = await self._seek(found, spec, change) if begun or doubtful else None
                if there is not None:
                    return there
                raise _taken(found, spec, error) from error
        raise failure

    def _begun(self, found: Kind[Any, Any], spec: Any) -> bool:
        """Whether an earlier run meant to make it, before this one did."""
        return (found.name, identity_of(spec)) in self.view.begun

    async def _seek(self, found: Kind[Any, Any], spec: Any, change: Change) -> Any:
        """What an earlier try made, once the lists show it; None when they do not within half a minute."""
        for pause in (0.0, *PAUSES):
            if pause:
                await self.clock.sleep(pause)
            for observed in await Holdings(self.cloud).all(found, spec):
                if self._made(found, spec, observed, change):
                    return observed
        return None

    def _made(self, found: Kind[Any, Any], spec: Any, observed: Any, change: Change) -> bool:
        if isinstance(found.ownership, Marked):
            stamp = from_marker(observed.marker)
            return stamp is not None and (stamp.owner, stamp.key) == (self.view.owner, change.key)
        if identity_of(observed) != identity_of(spec):
            return False
        known = [seen.observed for seen in self.view.seen if seen.place == (found.name, identity_of(spec))]
        return not found.repeats or all(found.handle(one) != found.handle(observed) for one in known)

    async def _finish(self, found: Kind[Any, Any], spec: Any, observed: Any) -> Any:
        """Update until it is as wanted; a lost answer is asked again, as an update may be repeated."""
        for attempt in range(3):
            try:
                return await found.update(self.cloud, spec, observed)
            except Unavailable as error:
                if not error.effect_unknown or attempt == 2:
                    raise
                await self.clock.sleep(PAUSES[attempt])
        raise AssertionError("unreachable")

    async def _stamp(self, found: Kind[Any, Any], spec: Any, observed: Any, change: Change) -> None:
        """Tags say whose it is; a marker goes out with the body, and changes with an update."""
        stamp = stamp_for(self.view, change)
        if isinstance(found.ownership, Marked) and observed.marker != stamp.marker():
            await self._finish(found, spec, observed)
        if not isinstance(found.ownership, Tagged) or self.view.register is None:
            return
        seen = change.seen if change.action != "replace" else None
        await self._tag(found, observed, seen, stamp)

    async def _tag(self, found: Kind[Any, Any], observed: Any, seen: Seen | None, stamp: Stamp) -> None:
        assert isinstance(found.ownership, Tagged)
        type_, id_ = found.ownership.type, found.tag_id(observed)
        zone = await self.cloud.zone(observed.zone) if found.scope == "zone" else ""
        if seen is None:
            await write_tags(self.cloud, type_, id_, stamp.tags(), zone=zone)
            return
        tags, etag = seen.tags, seen.etag
        for _ in range(3):
            if not etag:
                present = await read_tags(self.cloud, type_, id_, zone=zone)
                tags, etag = present.values, present.etag
                _refuse_other(found, observed, from_tags(tags), stamp)
            try:
                await write_tags(self.cloud, type_, id_, stamp.merged(tags), etag=etag, zone=zone)
                return
            except ConflictError as error:
                etag, failure = "", error
        raise failure

    async def _leave(self, found: Kind[Any, Any], change: Change) -> None:
        """Delete what is ours; take our stamp from what stays."""
        assert change.seen is not None
        observed, ownership = change.seen.observed, found.ownership
        if change.action == "delete":
            for attempt in range(3):
                try:
                    await found.delete(self.cloud, observed)
                    return
                except Unavailable as error:
                    if not error.effect_unknown or attempt == 2:
                        raise
                    await self.clock.sleep(PAUSES[attempt])
        elif isinstance(ownership, Tagged):
            zone = await self.cloud.zone(observed.zone) if found.scope == "zone" else ""
            kept = without_stamp(change.seen.tags)
            etag = change.seen.etag or None
            await write_tags(self.cloud, ownership.type, found.tag_id(observed), kept, etag=etag, zone=zone)
        elif isinstance(ownership, Marked):
            names = [place.name for place in fields(found.spec)]
            same = {name: getattr(observed, name, UNSET) for name in names}
            await self._finish(found, found.spec(**{**same, "marker": ""}), observed)


def _refuse_other(found: Kind[Any, Any], observed: Any, before: Stamp | None, stamp: Stamp) -> None:
    if before is not None and before.owner != stamp.owner:
        raise ConflictError(
            "TB6508",
            f"the {found.name} {identity_of(observed)[0]} belongs to {before.owner}",
            hint="Name yours differently.",
        )


def _taken(found: Kind[Any, Any], spec: Any, error: CloudError) -> ConflictError:
    return ConflictError(
        "TB6507",
        f"somebody else made the {found.name} {identity_of(spec)[0]} in the meantime, or it cannot be seen: "
        f"{error.message}",
        hint="Look at a new plan.",
    )
