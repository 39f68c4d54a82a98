"""Changes in the order of their graph, as many at a time as it allows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from trailboss.errors import ConflictError, PermissionDenied, TrailbossError
from trailboss.plan.carry import Carrier
from trailboss.plan.changes import Change
from trailboss.plan.holdings import lacks
from trailboss.resources.marks import Ref, refs_in, target_of
from trailboss.resources.registry import NAMES, kind

if TYPE_CHECKING:
    from trailboss.plan.plan import Plan

AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Step:
    """Progress: one change began, was done, or failed."""

    change: Change
    state: Literal["begun", "done", "failed"]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """A change that was carried out, and what came of it."""

    change: Change
    observed: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """A change that was not: for an error of its own, or because of one that it needs."""

    change: Change
    problem: str
    error: BaseException | None = None


async def run(
    carrier: Carrier, plan: Plan, work: tuple[Change, ...], step: Callable[[Step], None]
) -> tuple[tuple[Done, ...], tuple[Failed, ...]]:
    """Carry out `work`; what fails holds up only what needs it. Deletions come last, dependants first."""
    runner = _Runner(carrier, plan, step)
    made = [one for one in work if one.action not in ("delete", "release")]
    gone = [one for one in work if one.action in ("delete", "release")]
    await runner.graph(made)
    if not runner.failed:
        gone += [runner.leftover(one) for one in made if one.action == "replace" and carrier.moves(one)]
        for layer in _layers(gone):
            await asyncio.gather(*(runner.one(change) for change in layer))
    else:
        runner.failed += [Failed(one, "waits for the others") for one in gone]
    return tuple(runner.done), tuple(runner.failed)


def _layers(gone: list[Change]) -> list[list[Change]]:
    """Deletions kind by kind: what may refer to others goes before those."""
    kinds = {one.kind for one in gone}
    return [[one for one in gone if one.kind == name] for name in leaving() if name in kinds]


@cache
def leaving() -> tuple[str, ...]:
    """All kinds in the order in which they go: the reverse of the order in which they are made, and none
    before a kind whose fields may refer to it, as Cloudflare refuses to delete what is in use."""
    users: dict[str, set[str]] = {name: set() for name in reversed(NAMES)}
    for name in NAMES:
        targets = [target_of(place) for place in fields(kind(name).spec)]
        for used in {target[0] for target in targets if target} - {name}:
            users[used].add(name)
    order: list[str] = []

    def go(name: str) -> None:
        if name not in order:
            for user in sorted(users[name], key=NAMES.index, reverse=True):
                go(user)
            order.append(name)

    for name in users:
        go(name)
    return tuple(order)


def _observed(change: Change) -> Any:
    return change.seen.observed if change.seen else None


class _Runner:
    def __init__(self, carrier: Carrier, plan: Plan, step: Callable[[Step], None]) -> None:
        self.carrier, self.plan, self.step = carrier, plan, step
        self.done: list[Done] = []
        self.failed: list[Failed] = []
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._refs: dict[tuple[str, str], set[Ref]] = {}
        for one in plan.view.wanted.resources:
            for ref in refs_in(one.spec):
                self._refs.setdefault((ref.kind, ref.name), set()).add(ref)

    async def graph(self, made: list[Change]) -> None:
        tasks: dict[str, asyncio.Task[bool]] = {}
        waiting = {one.address: one for one in made}

        def start(address: str) -> asyncio.Task[bool]:
            if address not in tasks:
                change = waiting[address]
                needs = [start(name) for name in change.needs if name in waiting]
                tasks[address] = asyncio.ensure_future(self._after(change, needs))
            return tasks[address]

        for address in waiting:
            start(address)
        results = await asyncio.gather(*tasks.values(), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _after(self, change: Change, needs: list[asyncio.Task[bool]]) -> bool:
        if needs and not all(await asyncio.gather(*needs)):
            self._fail(change, "waits for what it needs", None)
            return False
        return await self.one(change)

    async def one(self, change: Change) -> bool:
        async with self._slots:
            self.step(Step(change, "begun"))
            try:
                observed = await self.carrier.carry(change)
            except TrailbossError as error:
                if isinstance(error, PermissionDenied):
                    spec = change.resource.spec if change.resource else _observed(change)
                    lacks(error, kind(change.kind).permissions_for(spec).write)
                self._fail(change, error.message, error)
                if isinstance(error, ConflictError) and error.code == "TB6504":
                    raise
                return False
        if observed is not None:
            self._known(change, observed)
        self.done.append(Done(change, observed))
        self.step(Step(change, "done"))
        return True

    def _known(self, change: Change, observed: Any) -> None:
        for ref in self._refs.get((change.kind, change.key), ()):
            self.carrier.handles[ref] = kind(change.kind).handle(observed)

    def leftover(self, change: Change) -> Change:
        """The old one of a replacement that has another identity."""
        return replace(change, action="delete", resource=None, why="gone")

    def _fail(self, change: Change, problem: str, error: BaseException | None) -> None:
        self.failed.append(Failed(change, problem, error))
        self.step(Step(change, "failed", problem))
