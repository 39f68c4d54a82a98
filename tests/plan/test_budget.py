"""What a plan costs: API calls for a hundred, a thousand and five thousand resources, and processor time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.plan.crashing import prepared, wanting
from tests.plan.every import every, revealed
from tests.plan.inprocess import Account, DirectCloud
from tests.plan.scale import fill, many
from tests.plan.virtual import run
from trailboss.plan.plan import Plan, make
from trailboss.plan.wanted import Wanted
from trailboss.resources.registry import NAMES

BUDGETS = ((100, 15), (1_000, 55), (5_000, 240))


def planned(account: Account, wanted: Wanted) -> tuple[Plan, float]:
    """The plan, and the seconds of processor time it took with the account's own."""
    began = time.process_time()
    plan = run(lambda: make(DirectCloud(account), wanted))
    return plan, time.process_time() - began


@pytest.mark.parametrize(("count", "calls"), BUDGETS)
def test_calls(tmp_path: Path, count: int, calls: int) -> None:
    account, wanted = Account(tmp_path), many(count)
    fill(account, wanted, count // 100)
    plan, seconds = planned(account, wanted)
    assert len(plan.changes) == count
    assert plan.is_empty
    assert plan.calls <= calls
    assert seconds < 1.0 + count / 500


def test_one_list_for_each_kind(tmp_path: Path) -> None:
    """Lock and claims, tags, Workers, the zone, a list of each kind, and where Cloudflare has no list of all,
    one for each bucket or host name."""
    account, wanted = Account(tmp_path), wanting(*every("FULL"))
    fixture = prepared(account, "every kind", wanted, wanted, reveal=revealed)
    plan, _ = planned(account, fixture.wanted)
    assert plan.is_empty
    assert plan.calls <= len(NAMES) + 8


def test_a_zone_is_asked_for_once(tmp_path: Path) -> None:
    account, wanted = Account(tmp_path), many(300)
    fill(account, wanted, 3)
    cloud = DirectCloud(account)
    run(lambda: make(cloud, wanted))
    assert sum(count for (_, path), count in cloud.stats.requests.items() if path == "/zones") == 3
