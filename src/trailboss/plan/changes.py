"""From both sides of a view to the list of changes: pure, and the same for every kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import Field, dataclass, fields, replace
from typing import Any, Literal

from trailboss.plan.owner import Stamp
from trailboss.plan.view import Seen, View, lacks_handler, refer, waits_for_worker
from trailboss.plan.wanted import Resource
from trailboss.resources.marks import (
    REFERENCES,
    UNSET,
    Difference,
    Mark,
    identity_of,
    is_asking,
    is_derived,
    is_secret,
    mark_of,
    marked,
    refs_in,
)
from trailboss.resources.protocol import Kind, OfWorker, Shared
from trailboss.resources.registry import NAMES, kind
from trailboss.values import Location

Action = Literal["create", "update", "replace", "delete", "adopt", "release", "later", "conflict", "none"]
Why = Literal["new", "file", "drift", "unfinished", "gone", "adopted", "foreign", "no worker", ""]

_NAMES = ("name", "title", "hostname", "pattern")


@dataclass(frozen=True, slots=True)
class Change:
    """What is to happen to one resource.

    `why`: the file changed, or the account did by hand ('drift'), or an earlier run was stopped
    ('unfinished'). `loses` says what cannot be undone, "" when it can; `used` why Cloudflare will not delete
    it. `needs` are addresses that come first. `restamp` is whether our stamp has to be written although
    nothing else differs.
    """

    action: Action
    kind: str
    key: str
    name: str
    fields: tuple[Difference, ...] = ()
    why: Why = ""
    loses: str = ""
    note: str = ""
    where: Location | None = None
    needs: tuple[str, ...] = ()
    restamp: bool = False
    used: str = ""
    resource: Resource | None = None
    seen: Seen | None = None

    @property
    def address(self) -> str:
        """`queue.jobs`."""
        return f"{self.kind}.{self.key}"

    @property
    def writes(self) -> bool:
        """Whether carrying it out writes to the account."""
        return self.action in ("create", "update", "replace", "delete", "adopt", "release") or self.restamp


def changes(view: View, *, adopt: bool = False) -> tuple[Change, ...]:
    """All changes, wanted ones first, in the order of the kinds.

    `adopt` takes over what is there already even where it differs.
    """
    found = [_wanted(view, one, adopt=adopt) for one in view.wanted.resources]
    replaced = frozenset(one.address for one in found if one.action == "replace")
    if replaced:
        refer(view, replaced)  # what points to them will point to something new
        found = [_wanted(view, one, adopt=adopt) for one in view.wanted.resources]
    matched = {id(seen) for seen in view.matches.values()}
    rest = _inside([_unwanted(view, seen) for seen in view.seen if _is_left(view, seen, matched)])
    order = {name: place for place, name in enumerate(NAMES)}
    return (*sorted(found, key=lambda one: order[one.kind]), *sorted(rest, key=lambda one: -order[one.kind]))


def _is_left(view: View, seen: Seen, matched: set[int]) -> bool:
    """Whether it is ours and the file no longer wants it. What a Worker's configuration wants of it is left
    to the Worker's next deploy; only what a table of trailboss.toml wanted is claimed. Where the environment
    ends, what belongs to its Workers goes as well."""
    claimed = seen.stamp is not None and seen.stamp.spec
    if id(seen) in matched:
        return False
    if isinstance(kind(seen.kind).ownership, OfWorker) and not claimed:
        return view.wanted.ends and seen.observed.script in view.wanted.scripts
    # Where identities repeat, an intent does not say which of them we began: it may be somebody else's.
    begun = seen.intent and seen.stamp is None and not kind(seen.kind).repeats
    return view.register is not None and (view.is_ours(seen) or begun)


def _wanted(view: View, one: Resource, *, adopt: bool) -> Change:
    found, spec, seen = kind(one.kind), view.specs[one.address], view.matches.get(one.address)
    needs = view.needs.get(one.address, ())
    inside = any(refs_in(identity_of(one.spec)))
    name = one.key if inside else _called(found, spec, one.key)
    base = _Base(one.kind, one.key, name, one.where, needs, one, seen)
    if isinstance(found.ownership, Shared):
        return base.change("none", note=view.unread.get(one.kind) or found.standing(_observed(seen)))
    if seen is None:
        if waits_for_worker(view, one):
            return base.change("later", why="no worker", note=f"with the first deploy of {spec.script}")
        lacking = lacks_handler(view, one)
        if lacking:
            note = f"with the next deploy of {spec.script}: what runs of it now has no {lacking} handler"
            return base.change("later", why="no worker", note=note)
        return base.change("create", why="new", fields=tuple(_first(spec)))
    differing = found.differs(spec, seen.observed)
    if view.is_ours(seen):
        return _ours(base, found, spec, differing)
    if seen.stamp is not None:
        return base.change("conflict", why="foreign", note=f"it belongs to {seen.stamp.owner}")
    if seen.intent:
        why: Why = "unfinished" if seen.place in view.begun else "file"
        return base.change(_how(differing, "update"), why=why, fields=differing, restamp=True)
    if view.register is None:
        return _by_name(base, found, differing)
    if isinstance(found.ownership, OfWorker):
        return base.change("conflict", why="foreign", note="another Worker has it")
    if differing and not adopt and found.clashes(spec, seen.observed):
        return base.change("conflict", why="foreign", fields=differing, note="it is there, and not ours")
    if _how(differing, "update") == "replace":
        note = "it is there, not ours, and cannot be changed to what the file says"
        return base.change("conflict", why="foreign", fields=differing, note=note)
    if differing and found.is_setting:  # it is always there; nobody else's, as it does not clash
        return base.change("update", why="file", fields=differing, restamp=True)
    note = "there already, and changed to what the file says" if differing else ""
    return base.change("adopt", why="adopted", fields=differing, note=note)


def _observed(seen: Seen | None) -> Any:
    return seen.observed if seen else None


def _ours(base: _Base, found: Kind[Any, Any], spec: Any, differing: tuple[Difference, ...]) -> Change:
    assert base.seen is not None and base.seen.stamp is not None
    stamp, one = base.seen.stamp, base.resource
    stamped = one.is_written or not isinstance(found.ownership, OfWorker)
    same_file = stamp.spec == one.digest
    if not differing and stamped and not same_file:
        hidden = tuple(_hidden(spec, base.seen.observed))
        if hidden:
            return base.change("update", why="file", fields=hidden)
    if not differing:
        return base.change("none", restamp=stamped and (not same_file or stamp.key not in (one.key, "")))
    action = _how(differing, "update")
    loses = f"the {base.kind} and its data" if action == "replace" and found.holds_data else ""
    return base.change(
        action, why="drift" if same_file and stamped else "file", fields=differing, loses=loses
    )


def _by_name(base: _Base, found: Kind[Any, Any], differing: tuple[Difference, ...]) -> Change:
    """Where the account refuses tags the name alone decides, and nothing is deleted."""
    if _how(differing, "update") == "replace":
        note = "it would have to be replaced, and without tags nothing is deleted"
        return base.change("conflict", why="foreign", fields=differing, note=note)
    return base.change("update" if differing else "none", why="file" if differing else "", fields=differing)


def _unwanted(view: View, seen: Seen) -> Change:
    found = kind(seen.kind)
    key = (seen.stamp.key if seen.stamp else "") or str(_title(seen.observed))
    base = _Base(seen.kind, key, _called(found, seen.observed, key), None, (), None, seen)
    if found.is_setting or (seen.stamp is not None and seen.stamp.adopted):
        note = "stays as it is" if found.is_setting else "stays: it was there before it was adopted"
        return base.change("release", why="gone", note=note)
    loses = f"the {seen.kind} and its data" if found.holds_data else ""
    note = "goes with the environment" if view.wanted.ends else ""
    return base.change("delete", why="gone" if seen.stamp else "unfinished", loses=loses, note=note)


def _inside(rest: list[Change]) -> list[Change]:
    """A setting of what goes does not stay as it is: it goes with that, and by that it is called."""
    gone = {
        kind(one.kind).handle(one.seen.observed): one for one in rest if one.action == "delete" and one.seen
    }

    def told(one: Change) -> Change:
        parts = identity_of(one.seen.observed) if one.seen else ()
        of = next((gone[part] for part in parts if part in gone), None)
        if one.action != "release" or of is None:
            return one
        return replace(one, name=of.name, note=f"goes with the {of.kind}")

    return [told(one) for one in rest]


def _how(differing: tuple[Difference, ...], otherwise: Action) -> Action:
    if any(one.mark in (Mark.REPLACE, Mark.IDENTITY) for one in differing):
        return "replace"
    return otherwise


def _called(found: Kind[Any, Any], value: Any, key: str) -> str:
    """How a plan names it; where others may be in the same place, by what tells them apart as well: the type
    of a DNS record, the key of what has no name."""
    title = str(_title(value))
    places = [place.name for place in marked(value, Mark.IDENTITY) if place.name != "zone"]
    if not found.repeats or key == title:
        return title
    more = [str(getattr(value, name)) for name in places if name not in _NAMES]
    if len(more) == len(places):
        return f"{key} ({title})"
    return f"{title} ({' '.join(more)})" if more else title


def _title(value: Any) -> Any:
    """What a person calls it: the part of its identity that is its own."""
    names = [place.name for place in marked(value, Mark.IDENTITY)]
    for name in _NAMES:
        if name in names:
            return getattr(value, name)
    return " ".join(str(part) for part in identity_of(value))


def _first(spec: Any) -> Iterator[Difference]:
    """What a new resource gets, without what is left to Cloudflare."""
    for mark in (Mark.MUTABLE, Mark.REPLACE, Mark.CREATION):
        for place in marked(spec, mark):
            value = getattr(spec, place.name)
            if value is not UNSET and value != place.default and not is_secret(place):
                yield Difference(place.name, mark, value, None)


def _hidden(spec: Any, observed: Any) -> Iterator[Difference]:
    """Fields that cannot be compared, and may be what changed in the file: never shown, or not shown here."""
    for place in fields(spec):
        value, mark = getattr(spec, place.name), mark_of(place)
        if value is UNSET or is_derived(place):
            continue
        if mark is Mark.WRITE_ONLY:
            yield Difference(place.name, mark, "(not shown)", "(not shown)")
        elif mark is Mark.MUTABLE and _is_unseen(place, value, observed):
            yield Difference(place.name, Mark.WRITE_ONLY, value, "(not shown)")


def _is_unseen(place: Field[Any], value: Any, observed: Any) -> bool:
    """Whether Cloudflare does not show what the file gives, or the file only says where it is to be found."""
    if is_asking(place) and isinstance(value, str) and value.startswith(REFERENCES):
        return True
    return value is not None and getattr(observed, place.name, UNSET) is None


@dataclass(frozen=True, slots=True)
class _Base:
    kind: str
    key: str
    name: str
    where: Location | None
    needs: tuple[str, ...]
    resource: Any
    seen: Seen | None

    def change(self, action: Action, **more: Any) -> Change:
        return Change(
            action,
            self.kind,
            self.key,
            self.name,
            where=self.where,
            needs=self.needs,
            resource=self.resource,
            seen=self.seen,
            **more,
        )


def stamp_for(view: View, change: Change) -> Stamp:
    """What is written on the resource once `change` is done."""
    assert change.resource is not None
    before = change.seen.stamp if change.seen and view.is_ours(change.seen) else None
    adopted = change.action == "adopt" or (before is not None and before.adopted)
    return Stamp(view.owner, change.key, change.resource.digest, adopted and change.action != "replace")
