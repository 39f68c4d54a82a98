"""Applies that die at a call, and what must hold once somebody has run them again.

What a run does follows from the account it finds, as a dead process keeps nothing: two schedules that leave
the same account behind share one recovery. So every account that any schedule leaves is recovered, once."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.plan.inprocess import Account, Crash, DirectCloud, lost
from tests.plan.virtual import NOW, clock, run
from trailboss.cloud.retry import is_safe
from trailboss.plan.apply import Options, apply
from trailboss.plan.carry import Reveal
from trailboss.plan.owner import Owner, Stamp, digest
from trailboss.plan.plan import Plan, make
from trailboss.plan.wanted import Resource, Wanted
from trailboss.resources.registry import kind
from trailboss.values import Secret

Hook = Callable[[int, str, str, str], None]
State = tuple[str, bytes]
"""The digest of an account, and all of it."""
OWNER = Owner("shop", "staging")
TRIES = 4
HISTORY = ("tags", "ruleset_version")
"""Records that count writes and not things."""
LATER = 600.0
"""Seconds until somebody runs it again."""


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
    reveal: Reveal = revealed


@dataclass(frozen=True)
class Point:
    """One call, by its number, and what goes wrong there: the process dies 'before' it or 'after' it, or
    lives and the reply is 'lost'."""

    number: int
    stage: str


@dataclass
class Tally:
    """What was tried: schedules, and the different accounts that their crashes left behind."""

    schedules: int = 0
    accounts: set[tuple[int, str]] = field(default_factory=set)


class Runner:
    """Runs the schedules of one fixture on one account."""

    def __init__(self, account: Account, fixture: Fixture) -> None:
        self.account, self.fixture = account, fixture
        self.tally = Tally()
        self.failure: BaseException | None = None
        warnings.simplefilter("ignore", ResourceWarning)
        account.load(fixture.start)
        assert self.once(0), (fixture.name, self.failure)
        self.expected = self.census()
        self.stamps = self.look()[1]

    def options(self, number: int) -> Options:
        """Of the run of that number: what a dead one held has run out before the next."""
        time = clock(NOW + LATER * number)
        return Options(adopt=False, confirmed=True, clock=time, reveal=self.fixture.reveal)

    def once(self, number: int, hook: Hook = lambda *_: None) -> bool:
        """One apply with `hook` at its calls; whether it came to its end."""
        self.account.begin(number)

        async def go() -> None:
            await apply(DirectCloud(self.account, hook), self.fixture.wanted, self.options(number))

        try:
            run(go)
        except (Crash, Exception) as error:  # whatever it ended with, the next run has to cope
            self.failure = error
            return False
        return True

    def crashes(self, start: bytes, turn: int) -> Iterator[tuple[Point, State]]:
        """Every way in which a run from `start` can end at one call, and the account it leaves.

        A process that dies changes nothing any more, so one run passes through all accounts that dying
        leaves; one that lives on and misses a reply has a story of its own each time.
        """
        found: list[tuple[Point, State]] = []
        last: list[State] = []

        def watch(number: int, stage: str, method: str, path: str) -> None:
            if not last or (stage == "after" and not is_safe(method)):
                last[:] = [self.state()]
            found.append((Point(number, stage), last[0]))

        self.account.load(start)
        self.once(turn, watch)
        yield from found
        for number in range(len(found) // 2):
            self.account.load(start)
            self.once(turn, _losing(number))
            yield Point(number, "lost"), self.state()

    def state(self) -> State:
        return self.account.digest(), self.account.dump()

    def singles(self) -> int:
        """Every point; how many schedules that were."""
        for point, state in self.crashes(self.fixture.start, 0):
            self.finish(1, state, point)
        return self.tally.schedules

    def pairs(self) -> int:
        """Every point, and after each every point of the recovery; how many schedules that were."""
        known: dict[str, int] = {}
        for first, (name, broken) in self.crashes(self.fixture.start, 0):
            if name in known:
                self.tally.schedules += known[name]
                continue
            before = self.tally.schedules
            for second, state in self.crashes(broken, 1):
                self.finish(2, state, first, second)
            known[name] = self.tally.schedules - before
        return self.tally.schedules

    def finish(self, turn: int, state: State, *schedule: Point) -> None:
        """Run it until it comes to its end, and check the account."""
        self.tally.schedules += 1
        if (turn, state[0]) in self.tally.accounts:
            return
        self.tally.accounts.add((turn, state[0]))
        self.account.load(state[1])
        for number in range(turn, turn + TRIES):
            if self.once(number):
                self.check(schedule)
                return
        raise AssertionError(f"{self.fixture.name} {schedule}: it never comes to its end") from self.failure

    def check(self, schedule: tuple[Point, ...]) -> None:
        """A second plan is empty, nothing is double, nothing was left behind, nobody holds the lock."""

        plan, stamps = self.look()
        at = f"{self.fixture.name} {schedule}"
        assert [(one.action, one.address) for one in plan.changes if one.action != "none"] == [], at
        assert not [one.address for one in plan.changes if one.restamp], at
        assert self.census() == self.expected, at
        assert stamps == self.stamps, at
        assert plan.view.register is not None
        tags = plan.view.register._tags.values
        assert not [name for name in tags if name.startswith("trailboss.lock")], at
        owner = self.fixture.wanted.owner
        assert not [claim for claim in plan.view.register.claims_of(owner).values() if not claim.spec], at

    def look(self) -> tuple[Plan, dict[str, Stamp | None]]:
        """A plan of the account as it is, and whose each wanted thing is. A setting stays whoever made it."""
        plan = run(lambda: make(DirectCloud(self.account), self.fixture.wanted))
        seen = {name: one for name, one in plan.view.matches.items() if not kind(one.kind).is_setting}
        return plan, {name: one.stamp for name, one in seen.items()}

    def census(self) -> Counter[str]:
        """How many records of each kind the account holds."""
        rows = self.account.box.store.execute("select kind, count(*) from records group by kind")
        return Counter({kind: count for kind, count in rows if kind not in HISTORY})


def _losing(lost_one: int) -> Hook:
    """The reply to one call never comes."""

    def hook(number: int, stage: str, method: str, path: str) -> None:
        if number == lost_one and stage == "after":
            raise lost(method, path)

    return hook


def prepared(
    account: Account,
    name: str,
    before: Wanted | None,
    wanted: Wanted,
    *extra: Any,
    reveal: Reveal = revealed,
) -> Fixture:
    """A fixture whose account already went through `before` and through the calls `extra` of a stranger."""
    account.load(account.empty, -2)

    async def go() -> None:
        await account.worker("shop")
        await account.zone("example.com")
        cloud = DirectCloud(account)
        for method, path, body in extra:
            await cloud.call(method, path, json=body)
        if before is not None:
            await apply(cloud, before, Options(confirmed=True, clock=clock(), reveal=reveal))

    run(go)
    return Fixture(name, account.dump(), wanted, reveal)


__all__ = ["Fixture", "Point", "Runner", "prepared", "replace", "resource", "wanting"]
