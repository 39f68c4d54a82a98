"""A plan, carried out under the lock: intents first, then the graph, then read back, then let go.

Stopped anywhere, the next run goes on: what was begun is known by its intent, what was made by its stamp.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trailboss.errors import PermissionDenied, PlanError, TrailbossError
from trailboss.plan.carry import Carrier, Reveal
from trailboss.plan.changes import Change
from trailboss.plan.claims import begun, settled, stale
from trailboss.plan.clock import Clock
from trailboss.plan.graph import with_needs
from trailboss.plan.lock import Lock, beating, take
from trailboss.plan.plan import Plan, make, refuse
from trailboss.plan.register import Register, Values, claims_in, with_claims, with_expiry
from trailboss.plan.schedule import Done, Step, run
from trailboss.plan.wanted import Wanted
from trailboss.resources.marks import Mark

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.values import Secret

SETTLING = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between looks until what was written can be read."""
AFTERWARDS = "The others are done. Mend the cause and run it again: it goes on from there."


async def _from_environment(wanted: Mapping[str, str]) -> Mapping[str, Secret]:
    """References resolved by what the process has; a reference itself is never sent as if it were the secret.

    Raises: SecretError, as `secrets.given`.
    """
    from trailboss.secrets import given

    def now() -> dict[str, Secret]:
        return {name: given(text, os.environ, name=name) for name, text in wanted.items()}

    return await asyncio.to_thread(now)


@dataclass(frozen=True, slots=True)
class Options:
    """How to apply. `approved` is the fingerprint of the plan that was looked at; `confirmed` allows what
    cannot be undone; `wait` is seconds to wait for the lock; `reveal` turns references into secrets; `tell`
    is given sentences, `step` each change, `progress` what happens within one; `first` is done under the
    lock, when the plan was not refused and before its first change."""

    adopt: bool = False
    targets: tuple[str, ...] = ()
    approved: str | None = None
    confirmed: bool = False
    wait: float = 0.0
    doing: str = "apply"
    reveal: Reveal = _from_environment
    clock: Clock = field(default_factory=Clock)
    tell: Callable[[str], None] = lambda _: None
    step: Callable[[Step], None] = lambda _: None
    progress: Callable[[str], None] = lambda _: None
    first: Callable[[Cloud], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Applied:
    """What was done, in order, and what came of it by address. `calls` counts API calls, reading included."""

    plan: Plan
    done: tuple[Change, ...]
    calls: int
    observed: Mapping[str, Any] = field(default_factory=dict)


async def apply(cloud: Cloud, wanted: Wanted, options: Options) -> Applied:
    """Make the account as `wanted`. Safe to stop anywhere and to repeat.

    Raises:
        ConflictError: TB6503 another apply holds the lock, TB6505 foreign things are in the way, TB6506 the
            plan is stale, TB6504 the lock was lost on the way.
        RefusedError: TB6201 something would be lost and that was not confirmed.
        PlanError: TB6301 some changes failed (the others are done), TB6302 a change did not take.
        CloudError: the account could not be read.
    """
    before = cloud.stats.total
    register = await _register(cloud, options)
    async with AsyncExitStack() as stack:
        lock: Lock | None = None
        if register is not None:
            lock = await take(
                register, wanted.owner, options.clock, options.doing, wait=options.wait, tell=options.tell
            )
            await stack.enter_async_context(_released(lock, register, wanted))
            await stack.enter_async_context(beating(lock))
            cloud = cloud.guarded(lock.check)
        plan = await make(cloud, wanted, adopt=options.adopt, targets=options.targets, register=register)
        refuse(plan, approved=options.approved, confirmed=options.confirmed)
        work = tuple(one for one in plan.changes if one.writes)
        if work and register is not None:
            await _claim(register, plan, work)
        if options.first is not None:
            await options.first(cloud)
        done = await _carry(cloud, plan, work, options)
        if done:
            options.progress("reading back what was done")
        await _read_back(cloud, plan, done, options)
        if register is not None and lock is not None and (work or stale(plan.view) or plan.is_late):
            await _settle(register, lock, plan, done, whole=not options.targets)
    changed = tuple(one.change for one in done)
    return Applied(
        plan, changed, cloud.stats.total - before, {one.change.address: one.observed for one in done}
    )


async def _register(cloud: Cloud, options: Options) -> Register | None:
    try:
        return await Register.read(cloud)
    except PermissionDenied as error:
        options.tell(
            f"this account refuses resource tags ({error.message}): working by name and marker, without a "
            "lock; nothing is deleted"
        )
        return None


class _released:
    """Lets the lock go at the end, whatever happened."""

    def __init__(self, lock: Lock, register: Register, wanted: Wanted) -> None:
        self._lock, self._register = lock, register

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *_: object) -> None:
        await self._register.change(self._lock.released)


async def _claim(register: Register, plan: Plan, work: tuple[Change, ...]) -> None:
    """Write down what is about to be made, before the first of it is; and when all of it ends."""
    end = plan.view.wanted.expires

    def edit(values: Values) -> Values:
        claims = begun(plan.view, claims_in(values, plan.owner), work)
        values = with_expiry(values, plan.owner, end if end and end.until else None)
        return with_claims(values, plan.owner, claims.values())

    await register.change(edit)


async def _carry(cloud: Cloud, plan: Plan, work: tuple[Change, ...], options: Options) -> tuple[Done, ...]:
    carrier = Carrier(cloud, plan.view, options.clock, options.reveal, dict(plan.view.handles))
    done, failed = await run(carrier, plan, work, options.step)
    if failed:
        lines = [f"{one.change.action} {one.change.address}: {one.problem}" for one in failed]
        first = next((one.error for one in failed if isinstance(one.error, TrailbossError)), None)
        if first is not None and len(failed) == 1:
            raise first
        raise PlanError(
            "TB6301",
            "\n".join([f"{len(failed)} of {len(work)} changes were not made:", *lines]),
            hint=f"{first.hint if first else ''} {AFTERWARDS}".strip(),
        ) from first
    return done


async def _read_back(cloud: Cloud, plan: Plan, done: tuple[Done, ...], options: Options) -> None:
    """Nothing counts as done before it was seen."""
    changed = {one.change.address for one in done if one.change.action not in ("delete", "release", "none")}
    gone = {one.change.address for one in done if one.change.action == "delete"}
    if not changed and not gone:
        return
    touched = _touched(plan, {one.change.kind for one in done})
    left: list[Change] = []
    for pause in SETTLING:
        if pause:
            await options.clock.sleep(pause)
        after = await make(cloud, touched, register=plan.view.register)
        left = [one for one in after.changes if _is_left(one, changed, gone)]
        if not left:
            return
    lines = [f"{one.address}: {', '.join(d.field for d in one.fields) or one.action}" for one in left]
    raise PlanError(
        "TB6302",
        "\n".join(["written, but the account does not show it:", *lines]),
        hint="Look at a new plan: another tool may be changing the same things.",
    )


def _touched(plan: Plan, kinds: set[str]) -> Wanted:
    """What is wanted of these kinds, and what that refers to."""
    wanted = plan.view.wanted
    kept = with_needs((one.address for one in wanted.resources if one.kind in kinds), plan.view.needs)
    return replace(wanted, given=(), resources=tuple(o for o in wanted.resources if o.address in kept))


def _is_left(change: Change, changed: set[str], gone: set[str]) -> bool:
    """Whether a change that was made is still to be made. Claims are written after this."""
    if change.address in gone and change.action == "delete":
        return True
    compared = any(one.mark is not Mark.WRITE_ONLY for one in change.fields)
    return change.address in changed and (compared or change.action in ("create", "replace", "conflict"))


async def _settle(register: Register, lock: Lock, plan: Plan, done: tuple[Done, ...], *, whole: bool) -> None:
    """Claims as they are now, and the lock let go, in one write."""

    def edit(values: Values) -> Values:
        claims = settled(plan.view, claims_in(values, plan.owner), done, whole=whole)
        values = with_expiry(values, plan.owner, plan.view.wanted.expires)
        return lock.released(with_claims(values, plan.owner, claims.values()))

    await register.change(edit)
