"""One of every kind in one project, stopped at every call: made, changed, and given up again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.plan.crashing import Fixture, Runner, prepared, wanting
from tests.plan.every import every, rekeyed, revealed
from tests.plan.inprocess import Account
from trailboss.resources.registry import NAMES


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Account:
    return Account(Path(tmp_path_factory.mktemp("account")))


def _fixture(account: Account, name: str, before: str, after: str) -> Fixture:
    wanted = wanting(*(every(after) if after else ()))
    start = wanting(*every(before)) if before else None
    return prepared(account, name, start, wanted, reveal=revealed)


FIXTURES: dict[str, Callable[[Account], Fixture]] = {
    "make every kind": lambda a: _fixture(a, "make every kind", "", "FULL"),
    "change every kind": lambda a: _fixture(a, "change every kind", "BARE", "FULL"),
    "rename every key": lambda a: prepared(
        a, "rename every key", wanting(*every("FULL")), wanting(*rekeyed(every("FULL"))), reveal=revealed
    ),
    "give up every kind": lambda a: _fixture(a, "give up every kind", "FULL", ""),
}


def test_every_kind_is_among_them() -> None:
    for form in ("BARE", "FULL"):
        assert {one.kind for one in every(form)} == set(NAMES)


@pytest.mark.parametrize("name", FIXTURES)
def test_every_call(account: Account, name: str) -> None:
    assert Runner(account, FIXTURES[name](account)).singles() >= 250
