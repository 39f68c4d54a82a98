"""The pairs of the other half of the fixtures: two files, so that two processes share the work."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plan.crashing import Runner
from tests.plan.fixtures import SMALL
from tests.plan.inprocess import Account

PAIRS = ("create inside", "replace", "rename", "delete", "adopt", "update marked")


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    return Runner(Account(Path(tmp_path_factory.mktemp("account"))))


@pytest.mark.parametrize("name", PAIRS)
def test_every_pair(runner: Runner, name: str) -> None:
    pairs = runner.pairs(SMALL[name](runner.account))
    assert pairs >= 500
