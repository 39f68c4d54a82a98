"""A plan: what would be done to an environment, as a value that can be shown, saved and compared."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trailboss.errors import ConflictError, PlanError, RefusedError
from trailboss.plan.changes import Change, changes
from trailboss.plan.graph import needs_of, with_needs
from trailboss.plan.owner import Owner
from trailboss.plan.reader import look
from trailboss.plan.register import Register
from trailboss.plan.view import View
from trailboss.plan.wanted import Wanted
from trailboss.resources.registry import kind

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


# No repr: asyncio asks for that of a finished task, and this one has thousands of resources in it.
@dataclass(frozen=True, slots=True, repr=False)
class Plan:
    """The changes of one environment. `calls` is what reading cost, `untagged` why there is no ownership.
    `ending` is when the environment ends, as the account has it and as the file wants it, in ISO 8601 and ""
    for never; None where that is the same. `is_late` is whether the account's note of that, which names the
    Workers too, has to be written."""

    owner: Owner
    changes: tuple[Change, ...]
    calls: int
    untagged: str
    view: View
    ending: tuple[str, str] | None = None
    is_late: bool = False

    @property
    def pending(self) -> tuple[Change, ...]:
        """What would be written, apart from stamps that only record."""
        return tuple(one for one in self.changes if one.action not in ("none", "later", "conflict"))

    @property
    def conflicts(self) -> tuple[Change, ...]:
        """What stands in the way."""
        return tuple(one for one in self.changes if one.action == "conflict")

    @property
    def is_empty(self) -> bool:
        """Whether the account is as the file wants it."""
        return not self.pending and not self.conflicts and self.ending is None

    @property
    def losing(self) -> tuple[Change, ...]:
        """What could not be undone."""
        return tuple(one for one in self.pending if one.loses)

    @property
    def fingerprint(self) -> str:
        """Equal for plans that do the same to the same account: a saved plan is stale when it differs."""
        rows = [
            [one.action, one.address, one.resource.digest if one.resource else "", repr(_observed(one))]
            for one in self.changes
            if one.action not in ("none", "later")
        ]
        if self.ending is not None:
            end = self.view.wanted.expires
            rows.append(["expires", self.ending[0], "later" if end and end.rolls else self.ending[1]])
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:32]


def _observed(change: Change) -> object:
    return change.seen.observed if change.seen else None


async def make(
    cloud: Cloud,
    wanted: Wanted,
    *,
    adopt: bool = False,
    targets: Iterable[str] = (),
    register: Register | None = None,
) -> Plan:
    """Read the account and compare. Writes nothing.

    `targets` are addresses (`queue.jobs`); with any, only those and what they need are planned.

    Raises:
        CloudError: the account could not be read.
        WantedError: TB6104 to TB6106 (see `view.look`), TB6107 a target that does not exist.
    """
    before, chosen = cloud.stats.total, tuple(targets)
    view = await look(cloud, _narrowed(wanted, chosen), register)
    found = changes(view, adopt=adopt)
    if chosen:
        kept = with_needs(chosen, view.needs)
        found = tuple(one for one in found if one.address in kept)
        missing = [target for target in chosen if target not in {one.address for one in found}]
        if missing:
            raise _unknown(missing[0], [one.address for one in wanted.resources])
    found = await _told_of_use(cloud, view, found)
    late = view.register is not None and view.register.is_late(wanted.owner, wanted.expires)
    ending = None if chosen or wanted.ends or not late else _ending(view)
    return Plan(wanted.owner, found, cloud.stats.total - before, view.untagged, view, ending, late)


async def _told_of_use(cloud: Cloud, view: View, found: tuple[Change, ...]) -> tuple[Change, ...]:
    """Those that are to be deleted, and are used by somebody else or full, with that. Where the environment
    ends, it is emptied."""
    if view.wanted.ends:
        return found
    own = {kind(seen.kind).handle(seen.observed) for seen in view.seen if view.is_ours(seen)}

    async def told(one: Change) -> Change:
        if one.action != "delete" or one.seen is None:
            return one
        uses = [use.text for use in await kind(one.kind).uses(cloud, one.seen.observed) if use.id not in own]
        return replace(one, used=", ".join(uses), note=f"cannot go: {', '.join(uses)}") if uses else one

    return tuple(await asyncio.gather(*map(told, found)))


def _ending(view: View) -> tuple[str, str] | None:
    assert view.register is not None and view.wanted.expires is not None
    noted = view.register.expiries().get(view.owner)
    before, end = noted.until if noted else "", view.wanted.expires
    later = end.rolls and "" < before <= end.until
    return None if later or before == end.until else (before, end.until)


def _unknown(target: str, known: list[str]) -> PlanError:
    from trailboss.config.keys import closest

    hint = closest(target, known) or f"There are: {', '.join(known[:12]) or 'none'}."
    return PlanError("TB6107", f"there is no resource '{target}'", hint=hint)


def _narrowed(wanted: Wanted, targets: tuple[str, ...]) -> Wanted:
    """Only `targets` and what they need: the rest is neither read nor checked."""
    if not targets:
        return wanted
    kept = with_needs(targets, needs_of(wanted.resources))
    return replace(wanted, given=(), resources=tuple(o for o in wanted.resources if o.address in kept))


def refuse(plan: Plan, *, approved: str | None, confirmed: bool) -> None:
    """Raises when `plan` must not be carried out.

    ConflictError: TB6505 foreign things stand in the way, TB6506 it is not the plan that was approved.
    RefusedError: TB6201 it loses what cannot be brought back, and that was not confirmed; TB6203 something
        that is to be deleted is in use.
    """
    if plan.conflicts:
        lines = [f"{one.kind} '{one.name}': {one.note}" for one in plan.conflicts]
        raise ConflictError(
            "TB6505",
            "\n".join(["the account has things that are not this environment's:", *lines]),
            hint="Name yours differently, or take them over with --adopt.",
            where=plan.conflicts[0].where,
        )
    if approved is not None and approved != plan.fingerprint:
        raise ConflictError(
            "TB6506",
            "the account or the files have changed since this plan was made",
            hint="Make a new plan and look at it.",
        )
    used = [f"{one.kind} '{one.name}': {one.used}" for one in plan.changes if one.used]
    if used:
        raise RefusedError(
            "TB6203",
            "\n".join(["Cloudflare does not delete what is in use:", *used]),
            hint="Empty it or take it out of use first, or leave it in the file.",
        )
    if plan.losing and not confirmed:
        lines = [f"{one.action} {one.kind} '{one.name}'" for one in plan.losing]
        raise RefusedError(
            "TB6201",
            "\n".join(["this cannot be undone:", *lines]),
            hint="Confirm it with --confirm.",
        )
