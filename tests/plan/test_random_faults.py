"""A thousand bad days: whatever was refused, broke, got lost, came late or died, a later run makes it right.

A day that goes wrong names its fixture and its seed, and `bad_day` with that seed repeats it call by call."""

from __future__ import annotations

import itertools
import math
import random
from pathlib import Path

import pytest

from tests.plan.crashing import LATER, Runner
from tests.plan.faulty import FaultyCloud, Weather
from tests.plan.fixtures import BIG, SMALL
from tests.plan.inprocess import Account, Crash
from tests.plan.virtual import NOW, clock, run
from trailboss.errors import TrailbossError
from trailboss.plan.apply import Options, apply

SEEDS = 1000
RUNS = 3
FIXTURES = {**SMALL, "everything changes": BIG["everything changes"]}
SHARES = [name for name in FIXTURES for _ in range(1 if name in BIG else 3)]


def bad_day(runner: Runner, shadow: Account, seed: int) -> None:
    """A few applies in bad weather, one after the other, then as many as it takes in good weather."""
    chance = random.Random(seed)
    rate, lag = chance.choice((0.03, 0.1, 0.3)), chance.choice((0.0, 5.0, 30.0))
    account, fixture = runner.account, runner.fixture
    account.load(fixture.start)
    weather = Weather(chance, rate, lag, past=[(0.0, fixture.start)])
    for number in itertools.count():
        weather.rate = rate if number < RUNS else 0.0
        weather.left = chance.randrange(120) if number < RUNS and chance.random() < 0.5 else math.inf
        start = NOW + LATER * number
        account.begin(number)
        options = Options(confirmed=True, clock=clock(start), reveal=fixture.reveal)

        async def go(start: float = start, options: Options = options) -> None:
            await apply(FaultyCloud(account, shadow, weather, start), fixture.wanted, options)

        try:
            run(go)
        except (Crash, TrailbossError):
            assert number < RUNS + 2, "it never comes to its end"
            continue
        if number >= RUNS:
            return


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(tmp_path_factory.mktemp("account"))


@pytest.mark.parametrize("name", FIXTURES)
def test_bad_days(folder: Path, name: str) -> None:
    account, shadow = Account(folder), Account(folder)
    runner = Runner(account, FIXTURES[name](account))
    for seed in (seed for seed in range(SEEDS) if SHARES[seed % len(SHARES)] == name):
        try:
            bad_day(runner, shadow, seed)
            runner.check(())
        except (AssertionError, TrailbossError) as error:
            raise AssertionError(f"replay it with seed {seed} of '{name}': {error}") from error
