"""Applies that die at a call, and what must hold once somebody has run them again."""

from __future__ import annotations

import asyncio
import itertools
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.plan.inprocess import Account, Crash, DirectCloud, lost
from trailboss.plan.apply import Options, apply
from trailboss.plan.clock import Clock
from trailboss.plan.lock import BEAT
from trailboss.plan.owner import Owner, digest
from trailboss.plan.plan import Plan, make
from trailboss.plan.wanted import Resource, Wanted
from trailboss.values import Secret

OWNER = Owner("shop", "staging")
STAGES = ("before", "after", "lost")
"""The process dies before the call, after it, or lives and never sees the reply."""
TRIES = 4


class Time:
    """A clock that nobody waits for: sleeping moves it. Only the lock's heartbeat really sleeps."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    async def sleep(self, seconds: float) -> None:
        if seconds == BEAT:
            await asyncio.Event().wait()
        self.now += seconds
        await asyncio.sleep(0)

    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep)


def resource(kind: str, key: str, spec: Any) -> Resource:
    return Resource(kind, key, spec, None, digest(spec))


def wanting(*resources: Resource, owner: Owner = OWNER) -> Wanted:
    return Wanted(owner, resources, scripts=frozenset({"shop"}))


async def revealed(wanted: Mapping[str, str]) -> Mapping[str, Secret]:
    return {name: Secret("postgres://u:p@db.example.com:5432/shop") for name in wanted}


@dataclass(frozen=True)
class Fixture:
    """An account as `start`, and what is wanted of it."""

    name: str
    start: bytes
    wanted: Wanted


@dataclass(frozen=True)
class Point:
    """One call, by its number, and what goes wrong there."""

    number: int
    stage: str


class Runner:
    """Runs schedules on one account."""

    def __init__(self, account: Account) -> None:
        self.account = account
        warnings.simplefilter("ignore", ResourceWarning)

    def calls(self, fixture: Fixture, time: Time | None = None) -> int:
        """How many calls an undisturbed apply makes."""
        self.account.load(fixture.start)
        cloud = DirectCloud(self.account)
        asyncio.run(apply(cloud, fixture.wanted, self.options(Time(time.now) if time else Time())))
        return cloud.count

    def options(self, time: Time) -> Options:
        return Options(adopt=False, confirmed=True, clock=time.clock(), reveal=revealed)

    def once(self, time: Time, wanted: Wanted, point: Point | None) -> bool:
        """One apply, dying at `point`; whether it came to its end."""
        dead: list[bool] = []

        def hook(number: int, stage: str, method: str, path: str) -> None:
            if dead:
                raise Crash
            if point is None or number != point.number:
                return
            if point.stage == stage:
                dead.append(True)
                raise Crash
            if point.stage == "lost" and stage == "after":
                raise lost(method, path)

        async def go() -> None:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda *_: None)
            await apply(DirectCloud(self.account, hook), wanted, self.options(time))

        try:
            asyncio.run(go())
        except (Crash, Exception):  # whatever it ended with, the next run has to cope
            return False
        return True

    def schedule(self, fixture: Fixture, *points: Point) -> None:
        """Start anew, die at each of `points` in turn, then run until it is done, and check the account."""
        self.account.load(fixture.start)
        time = Time()
        for point in points:
            self.once(time, fixture.wanted, point)
            time.now += 600.0
        self.finish(fixture, time, points)

    def finish(self, fixture: Fixture, time: Time, points: tuple[Point, ...]) -> None:
        """Run it until it comes to its end, and check the account."""
        for _ in range(TRIES):
            time.now += 600.0
            if self.once(time, fixture.wanted, None):
                self.check(fixture, points)
                return
        raise AssertionError(f"{fixture.name} {points}: it never comes to its end")

    def pairs(self, fixture: Fixture) -> int:
        """Every point, and after each every point of the recovery; how many schedules that were."""
        self.learn(fixture)
        schedules = 0
        for first in points(self.calls(fixture)):
            self.account.load(fixture.start)
            time = Time()
            self.once(time, fixture.wanted, first)
            broken = self.account.dump()
            time.now += 600.0
            count = self.calls(replace(fixture, start=broken), time)
            for second in points(count):
                self.account.load(broken)
                self.recover(fixture, Time(time.now), first, second)
                schedules += 1
        return schedules

    def recover(self, fixture: Fixture, time: Time, first: Point, second: Point) -> None:
        """From where the first run died: die again, then run until it is done."""
        self.once(time, fixture.wanted, second)
        self.finish(fixture, time, (first, second))

    def check(self, fixture: Fixture, points: tuple[Point, ...]) -> None:
        """A second plan is empty, nothing is double, nothing was left behind, nobody holds the lock."""

        async def look() -> Plan:
            return await make(DirectCloud(self.account), fixture.wanted)

        plan = asyncio.run(look())
        at = f"{fixture.name} {points}"
        assert [(one.action, one.address) for one in plan.changes if one.action != "none"] == [], at
        assert not [one.address for one in plan.changes if one.restamp], at
        assert self.census() == self.expected[fixture.name], at
        assert plan.view.register is not None
        tags = plan.view.register._tags.values
        assert not [name for name in tags if name.startswith("trailboss.lock")], at
        assert not [claim for claim in plan.view.register.claims_of(OWNER).values() if not claim.spec], at

    expected: dict[str, Counter[str]] = {}

    def census(self) -> Counter[str]:
        """How many records of each kind the account holds."""
        rows = self.account.box.store.execute("select kind, count(*) from records group by kind")
        return Counter({kind: count for kind, count in rows if kind != "tags"})

    def learn(self, fixture: Fixture) -> None:
        """What the account is like when nothing went wrong."""
        self.calls(fixture)
        self.expected[fixture.name] = self.census()


def points(calls: int) -> Iterator[Point]:
    """Every call of an apply and everything that may go wrong at it."""
    return (Point(number, stage) for number, stage in itertools.product(range(calls), STAGES))


def prepared(account: Account, name: str, before: Wanted | None, wanted: Wanted, *extra: Any) -> Fixture:
    """A fixture whose account already went through `before` and through the calls `extra` of a stranger."""
    account.load(account.empty)

    async def go() -> None:
        await account.worker("shop")
        await account.zone("example.com")
        cloud = DirectCloud(account)
        for method, path, body in extra:
            await cloud.call(method, path, json=body)
        if before is not None:
            await apply(cloud, before, Options(confirmed=True, clock=Time().clock(), reveal=revealed))

    asyncio.run(go())
    return Fixture(name, account.dump(), wanted)


__all__ = ["Fixture", "Point", "Runner", "points", "prepared", "replace", "resource", "wanting"]
