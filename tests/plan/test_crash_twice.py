"""Stopped at every call, and the recovery stopped at every call of its own: every pair of the two."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plan.crashing import Runner
from tests.plan.fixtures import SMALL
from tests.plan.inprocess import Account

AT_LEAST = 10_000
"""Schedules of all fixtures together."""


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Account:
    return Account(Path(tmp_path_factory.mktemp("account")))


@pytest.fixture(scope="module")
def counted() -> dict[str, int]:
    return {}


@pytest.mark.parametrize("name", SMALL)
def test_every_pair(account: Account, counted: dict[str, int], name: str) -> None:
    counted[name] = Runner(account, SMALL[name](account)).pairs()
    assert counted[name] >= 300


def test_that_is_enough(counted: dict[str, int]) -> None:
    if len(counted) == len(SMALL):
        assert sum(counted.values()) >= AT_LEAST, counted
