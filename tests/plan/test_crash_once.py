"""Stopped at every single call of every fixture, and run again: the account is as wanted, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plan.crashing import Runner
from tests.plan.fixtures import BIG, SMALL
from tests.plan.inprocess import Account

FIXTURES = {**SMALL, **BIG}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Account:
    return Account(Path(tmp_path_factory.mktemp("account")))


@pytest.mark.parametrize("name", FIXTURES)
def test_every_call(account: Account, name: str) -> None:
    assert Runner(account, FIXTURES[name](account)).singles() >= 18
