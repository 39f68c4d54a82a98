"""Where the account refuses tags: names and markers decide, nothing is deleted, and it is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plan.crashing import prepared, revealed, wanting
from tests.plan.fixtures import D1, INDEX, JOBS, KV, SLOW, SQL, STRANGER_KV, WIDER, WWW, WWW3
from tests.plan.inprocess import Account, DirectCloud
from tests.plan.virtual import clock, run
from trailboss.errors import ConflictError
from trailboss.plan.apply import Applied, Options, apply
from trailboss.plan.plan import Plan, make
from trailboss.plan.wanted import Wanted
from trailboss.sandbox.routes.resource_tagging import MODE

MODES = ("no-permission", "not-enabled")


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path)


def refuse(account: Account, mode: str) -> None:
    """What the sandbox's seed does for `{"tagging": mode}`."""
    account.box.store.put(MODE, MODE, {"is": mode})


def applied(account: Account, wanted: Wanted, told: list[str]) -> Applied:
    options = Options(confirmed=True, clock=clock(), reveal=revealed, tell=told.append)
    return run(lambda: apply(DirectCloud(account), wanted, options))


def planned(account: Account, wanted: Wanted) -> Plan:
    return run(lambda: make(DirectCloud(account), wanted))


@pytest.mark.parametrize("mode", MODES)
def test_it_works_by_name_and_marker_and_says_so(account: Account, mode: str) -> None:
    everything = wanting(KV, D1, JOBS, SQL, WWW, INDEX)
    prepared(account, "untagged", None, everything, STRANGER_KV)
    refuse(account, mode)
    told: list[str] = []
    assert len(applied(account, everything, told).done) == 6
    assert "refuses resource tags" in told[0] and "nothing is deleted" in told[0]
    plan = planned(account, everything)
    assert plan.is_empty and plan.untagged
    changed = applied(account, wanting(KV, D1, SLOW, SQL, WWW3, INDEX), told)
    assert sorted(one.kind for one in changed.done) == ["dns_record", "queue"]
    assert planned(account, wanting(KV, D1, SLOW, SQL, WWW3, INDEX)).is_empty


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_deleted_or_replaced(account: Account, mode: str) -> None:
    prepared(account, "untagged", wanting(KV, JOBS, INDEX, WWW), wanting())
    refuse(account, mode)
    assert [one.action for one in planned(account, wanting(KV)).changes] == ["none"]
    applied(account, wanting(), [])
    assert len(planned(account, wanting(KV, JOBS, INDEX, WWW)).pending) == 0
    with pytest.raises(ConflictError, match="without tags nothing is deleted") as caught:
        applied(account, wanting(WIDER), [])
    assert caught.value.code == "TB6505"


def test_tags_that_come_back_are_used_again(account: Account) -> None:
    prepared(account, "untagged", None, wanting(KV))
    refuse(account, "not-enabled")
    applied(account, wanting(KV, WWW), [])
    refuse(account, "enabled")
    plan = planned(account, wanting(KV, WWW))
    assert [one.action for one in plan.pending] == ["adopt"]
    applied(account, wanting(KV, WWW), [])
    assert planned(account, wanting(KV, WWW)).is_empty
