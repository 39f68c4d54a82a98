"""Stopped at every single call of every fixture, and run again: the account is as wanted, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plan.crashing import Runner, points
from tests.plan.fixtures import BIG, SMALL
from tests.plan.inprocess import Account


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    return Runner(Account(Path(tmp_path_factory.mktemp("account"))))


@pytest.mark.parametrize("name", [*SMALL, *BIG])
def test_every_call(runner: Runner, name: str) -> None:
    fixture = {**SMALL, **BIG}[name](runner.account)
    runner.learn(fixture)
    schedules = 0
    for point in points(runner.calls(fixture)):
        runner.schedule(fixture, point)
        schedules += 1
    assert schedules >= 18
