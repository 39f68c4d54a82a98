"""Two applies at once, and one that fell asleep: the lock lets one write, and nobody's tags get lost."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from pathlib import Path

import pytest

from tests.plan.crashing import Fixture, Runner, prepared, revealed, wanting
from tests.plan.faulty import FaultyCloud, Weather
from tests.plan.fixtures import D1, JOBS, KV, META, SQL, STAFF, WWW
from tests.plan.fixtures import INDEX as DOCS
from tests.plan.inprocess import Account, DirectCloud
from tests.plan.virtual import NOW, clock, run
from trailboss.errors import ConflictError
from trailboss.plan.apply import Applied, Options, apply
from trailboss.plan.lock import LEASE, REQUEST, Holder, take
from trailboss.plan.owner import Owner
from trailboss.plan.plan import make
from trailboss.plan.register import LOCK, Register, key_of
from trailboss.plan.wanted import Wanted
from trailboss.resources.kv_namespace import KVNamespace
from trailboss.resources.marks import identity_of

WANTED = wanting(KV, D1, JOBS, SQL, STAFF, WWW, DOCS, META)
OTHER = Owner("shop", "production")


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Account:
    return Account(Path(tmp_path_factory.mktemp("account")))


def options(**more: object) -> Options:
    return Options(confirmed=True, clock=clock(), reveal=revealed, **more)  # type: ignore[arg-type]


def elsewhere() -> Wanted:
    """The same things of another environment, under names of its own."""
    names = {"kv_namespace": "title", "d1_database": "name", "queue": "name", "hyperdrive_config": "name"}
    kept = [one for one in WANTED.resources if one.kind in names]
    renamed = [
        replace(one, spec=replace(one.spec, **{names[one.kind]: f"{identity_of(one.spec)[0]}-production"}))
        for one in kept
    ]
    return replace(wanting(*renamed), owner=OTHER)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("wait", [0.0, 600.0])
def test_the_same_environment(account: Account, seed: int, wait: float) -> None:
    fixture = prepared(account, "together", None, WANTED)
    runner = Runner(account, fixture)
    account.load(fixture.start)
    weather = Weather(random.Random(seed))
    told: list[str] = []

    async def one(delay: float) -> Applied:
        await asyncio.sleep(delay)
        cloud = FaultyCloud(account, account, weather)
        return await apply(cloud, WANTED, options(wait=wait, tell=told.append))

    async def both() -> list[Applied | BaseException]:
        delays = (weather.random.uniform(0, 3), weather.random.uniform(0, 3))
        return await asyncio.gather(*map(one, delays), return_exceptions=True)

    ends = run(both)
    refused = [end for end in ends if isinstance(end, ConflictError)]
    assert [end.code for end in refused] == (["TB6503"] if not wait else [])
    done = [len(end.done) for end in ends if isinstance(end, Applied)]
    assert sorted(done) == ([0, len(WANTED.resources)] if wait else [len(WANTED.resources)])
    assert bool(told) is bool(wait)
    runner.check(())


@pytest.mark.parametrize("seed", range(30))
def test_two_environments_of_one_account(account: Account, seed: int) -> None:
    """They share the account's tags, where their locks and claims stand."""
    fixture = prepared(account, "two", None, WANTED)
    weather = Weather(random.Random(seed), rate=0.05 * (seed % 3))

    async def one(wanted: Wanted) -> None:
        for _ in range(4):
            try:
                await apply(FaultyCloud(account, account, weather), wanted, options(wait=600.0))
            except Exception:  # bad weather; the next try is in ten minutes
                await asyncio.sleep(600.0)
            else:
                return

    async def both() -> None:
        await asyncio.gather(one(WANTED), one(elsewhere()))
        weather.rate = 0.0
        await asyncio.gather(one(WANTED), one(elsewhere()))

    account.load(fixture.start)
    run(both)
    for wanted in (WANTED, elsewhere()):
        plan = run(lambda wanted=wanted: make(DirectCloud(account), wanted))  # type: ignore[misc]
        assert plan.is_empty and not any(change.restamp for change in plan.changes)
        assert all(seen.stamp and not seen.stamp.adopted for seen in plan.view.matches.values())
        assert plan.view.register is not None
        assert not plan.view.register.value(key_of(LOCK, wanted.owner))


class Sleeper(FaultyCloud):
    """A process that is stopped for a while in the middle of a create, and then goes on as if nothing was."""

    asleep = 0.0

    async def _attempt(self, method, path, given):  # type: ignore[no-untyped-def]
        if method == "POST" and path.endswith("/namespaces"):
            await asyncio.sleep(self.asleep)
            if self._guard is not None:
                self._guard()
        return await super()._attempt(method, path, given)

    def guarded(self, check):  # type: ignore[no-untyped-def]
        view = Sleeper(self._account_there, self.shadow, self.weather, self.start)
        view._root, view._guard, view.stats = self._root, check, self.stats
        view.asleep = self.asleep
        return view


def _frozen(asleep: float) -> Options:
    """The holder's heart stands still while it sleeps."""
    there = clock()

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(max(seconds, asleep))

    return Options(confirmed=True, clock=replace(there, sleep=sleep), reveal=revealed)


def test_a_holder_that_wakes_up_late_writes_nothing_more(account: Account) -> None:
    small = wanting(KV, SQL)
    fixture: Fixture = prepared(account, "asleep", None, small)
    runner = Runner(account, fixture)
    account.load(fixture.start)
    weather = Weather(random.Random(1))
    sleeper = Sleeper(account, account, weather)
    sleeper.asleep = 1000.0
    ends: list[BaseException | None] = []

    async def holder() -> None:
        try:
            await apply(sleeper, small, _frozen(1000.0))
        except ConflictError as error:
            ends.append(error)

    async def successor() -> Applied:
        await asyncio.sleep(LEASE + 30.0)
        return await apply(FaultyCloud(account, account, weather), small, options())

    async def both() -> Applied:
        _, done = await asyncio.gather(holder(), successor())
        return done

    done = run(both)
    assert len(done.done) == 2
    assert [getattr(end, "code", "") for end in ends] == ["TB6504"]
    runner.check(())


def held(account: Account, holder: Holder) -> None:
    async def go() -> None:
        register = await Register.read(DirectCloud(account))
        await register.change(lambda values: {**values, key_of(LOCK, WANTED.owner): holder.text()})

    account.load(account.empty)
    run(go)


def taken(account: Account, **more: float) -> tuple[float, list[str]]:
    """Seconds until the lock was had, and what was said meanwhile."""
    told: list[str] = []

    async def go() -> float:
        register = await Register.read(DirectCloud(account))
        await take(register, WANTED.owner, clock(), "apply", tell=told.append, **more)
        return asyncio.get_running_loop().time()

    return run(go), told


HOLDER = Holder("cafe0123", "ann", "elsewhere", 1, "2027-01-15T08:00:00+00:00", NOW - 1, "apply")


def test_a_successor_settles(account: Account) -> None:
    held(account, HOLDER)
    seconds, told = taken(account)
    assert seconds >= REQUEST and "settle" in told[0]


def test_a_dead_process_of_this_machine_is_succeeded_at_once(account: Account) -> None:
    import socket
    import subprocess
    import sys

    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    held(account, replace(HOLDER, host=socket.gethostname()[:60], pid=dead.pid, until=NOW + LEASE))
    assert taken(account) == (0.0, [])


def test_who_holds_it_is_told_and_waited_for(account: Account) -> None:
    held(account, replace(HOLDER, until=NOW + 100))
    with pytest.raises(ConflictError, match=r"ann on elsewhere .process 1. since 2027-01-15.*doing: apply"):
        taken(account)
    seconds, told = taken(account, wait=300.0)
    assert 100 <= seconds <= 100 + 2 + REQUEST + 1 and "ann" in told[0]


def test_another_environment_is_not_held_up(account: Account) -> None:
    held(account, replace(HOLDER, until=NOW + 100))
    kv = replace(KV, spec=KVNamespace("elsewhere"))
    done = run(lambda: apply(DirectCloud(account), replace(wanting(kv), owner=OTHER), options()))
    assert len(done.done) == 1
