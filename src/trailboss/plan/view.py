"""Both sides of a plan: what is wanted, and what the account has of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trailboss.errors import WantedError
from trailboss.plan.graph import Needs
from trailboss.plan.owner import Owner, Stamp
from trailboss.plan.register import Place, Register
from trailboss.plan.wanted import Resource, Wanted
from trailboss.resources.marks import Ref, identity_of, refs_in, resolved
from trailboss.resources.protocol import OfWorker
from trailboss.resources.registry import kind

Handles = dict[tuple[str, str], str]


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

    @property
    def place(self) -> Place:
        """Kind and identity."""
        return self.kind, identity_of(self.observed)


@dataclass(slots=True, repr=False)
class View:
    """Both sides. `untagged` says why there is no register ("" when there is one); `scripts` are the Workers
    there are, each with the handlers of what is deployed (None: not told)."""

    wanted: Wanted
    register: Register | None
    untagged: str
    scripts: Mapping[str, frozenset[str] | None]
    seen: list[Seen] = field(default_factory=list)
    handles: dict[Ref, str] = field(default_factory=dict)
    specs: dict[str, Any] = field(default_factory=dict)
    matches: dict[str, Seen] = field(default_factory=dict)
    needs: Needs = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    """Kinds that nothing is done about and the token may not read: what it lacks for that."""
    begun: frozenset[Place] = frozenset()
    """What an earlier run meant to make, and may have made without a stamp."""

    @property
    def owner(self) -> Owner:
        """Whose plan it is."""
        return self.wanted.owner

    def is_ours(self, seen: Seen) -> bool:
        """Whether we made or adopted it."""
        return seen.stamp is not None and seen.stamp.owner == self.owner


def waits_for_worker(view: View, one: Resource) -> bool:
    """Whether it is a part of a Worker that was not deployed yet."""
    if not isinstance(kind(one.kind).ownership, OfWorker):
        return False
    return bool(one.spec.script) and one.spec.script not in view.scripts


def lacks_handler(view: View, one: Resource) -> str:
    """The handler that Cloudflare asks for and what is deployed of its Worker does not have, else ""."""
    handler = kind(one.kind).handler
    has = view.scripts.get(one.spec.script) if handler and one.spec.script else None
    return "" if has is None or handler in has else handler


def check_given(view: View) -> None:
    """Raises WantedError TB6105 when a config gives an id that the account does not have."""
    handles = {(seen.kind, kind(seen.kind).handle(seen.observed)) for seen in view.seen}
    for given in view.wanted.given:
        if (given.kind, given.handle) not in handles:
            raise WantedError(
                "TB6105",
                f"the account has no {given.kind} {given.handle}, which the binding '{given.binding}' names",
                hint="An id belongs to one account. Leave it out, and the resource is found or made by name.",
                where=given.where,
            )


def refer(view: View, unknown: frozenset[str] = frozenset()) -> None:
    """Resolve the references of every spec; those to the addresses in `unknown` (about to be replaced) stay.

    Raises:
        WantedError: TB6104 a reference to nothing.
    """
    view.handles.clear()
    wanted = {(one.kind, one.key): one.address for one in view.wanted.resources}
    others: Handles = {}
    for one in view.wanted.resources:
        for ref in refs_in(one.spec):
            if ref not in view.handles and f"{ref.kind}.{ref.name}" not in unknown:
                handle = _handle(view, ref, wanted, others, one)
                if handle:
                    view.handles[ref] = handle
        view.specs[one.address] = resolved(one.spec, view.handles)


def _handle(
    view: View, ref: Ref, wanted: Mapping[tuple[str, str], str], others: Handles, one: Resource
) -> str:
    """What a reference stands for; "" when that does not exist yet, but will."""
    address = wanted.get((ref.kind, ref.name))
    if address is not None:
        seen = view.matches.get(address)
        return kind(ref.kind).handle(seen.observed) if seen else ""
    from trailboss.config.keys import closest

    others = others or _by_name(view, others)
    if (ref.kind, ref.name) in others:
        return others[ref.kind, ref.name]
    raise WantedError(
        "TB6104",
        f"{one.address} refers to the {ref.kind} '{ref.name}', which neither the file nor the account has",
        hint=closest(ref.name, [name for kind_, name in (*wanted, *others) if kind_ == ref.kind])
        or f"Add [resources.{ref.kind}.{ref.name}], or name one that exists.",
        where=one.where,
    )


def _by_name(view: View, others: Handles) -> Handles:
    """The handles of all that the account has, by kind and any name of theirs; the first of a name counts."""
    for seen in view.seen:
        handle = kind(seen.kind).handle(seen.observed)
        for name in (handle, *map(str, identity_of(seen.observed))):
            others.setdefault((seen.kind, name), handle)
    return others
