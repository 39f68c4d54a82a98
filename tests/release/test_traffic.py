"""Whoever deploys second at the same moment wins the traffic, and the first is told so."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.release.rollout.sim import CANARY, Account, Clock
from trailboss.errors import ConflictError, ReleaseError
from trailboss.release import traffic
from trailboss.release.traffic import confirm_live


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setattr(traffic, "_READ_BACK_DELAYS", (0.0,))
    made = Account(Clock())
    made.begin("api")
    return made


def deployed(account: Account, version: str) -> None:
    account._add("api", {"versions": [{"version_id": version, "percentage": 100}]})


def confirm(account: Any, version: str) -> None:
    asyncio.run(confirm_live(account, "api", version))


def test_two_deploys_at_once(account: Account) -> None:
    deployed(account, f"{CANARY}0")
    confirm(account, f"{CANARY}0")
    deployed(account, f"{CANARY}1")
    with pytest.raises(ConflictError) as caught:
        confirm(account, f"{CANARY}0")
    assert caught.value.code == "TB4021" and caught.value.exit_status == 5


def test_one_that_never_shows(account: Account) -> None:
    with pytest.raises(ReleaseError) as caught:
        confirm(account, f"{CANARY}9")
    assert caught.value.code == "TB4022"
