"""Stopped at every call, and the recovery stopped at every call of its own: every pair of the two."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plan.crashing import Runner
from tests.plan.fixtures import SMALL
from tests.plan.inprocess import Account

PAIRS = ("create tagged", "create claimed", "create marked", "update")


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    return Runner(Account(Path(tmp_path_factory.mktemp("account"))))


@pytest.mark.parametrize("name", PAIRS)
def test_every_pair(runner: Runner, name: str) -> None:
    pairs = runner.pairs(SMALL[name](runner.account))
    assert pairs >= 500
