"""What a plan costs: API calls for a hundred, a thousand and five thousand resources, and processor time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.plan.crashing import prepared, resource, wanting
from tests.plan.every import every, revealed
from tests.plan.inprocess import Account, DirectCloud
from tests.plan.scale import fill, many, zone_of
from tests.plan.virtual import run
from trailboss.errors import NotFound
from trailboss.plan.plan import Plan, make
from trailboss.plan.wanted import Wanted
from trailboss.resources.dns_record import DNSRecord
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


@pytest.mark.parametrize(("there", "wanted", "calls"), [(1, 1, 1), (60, 60, 2), (260, 3, 4), (260, 20, 6)])
def test_zones_are_listed_where_that_is_cheaper_than_asking(
    tmp_path: Path, there: int, wanted: int, calls: int
) -> None:
    """A page of fifty for all that are wanted; by name where the account has many and the file wants few."""
    account = Account(tmp_path)
    names = [zone_of(number) for number in range(there)]
    records = [
        resource("dns_record", f"r{number}", DNSRecord(name, f"a.{name}", "A", "192.0.2.1"))
        for number, name in enumerate(names[-wanted:])
    ]
    cloud = DirectCloud(account)

    async def go() -> Plan:
        for name in names:
            await account.zone(name)
        return await make(cloud, wanting(*records))

    assert len(run(go).pending) == wanted
    assert sum(count for (_, path), count in cloud.stats.requests.items() if path == "/zones") == calls


def test_a_zone_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    account = Account(tmp_path)
    zones = [zone_of(0), zone_of(1), "nowhere.example"]
    records = [resource("dns_record", z, DNSRecord(z, f"a.{z}", "A", "192.0.2.1")) for z in zones]

    async def go() -> None:
        for name in zones[:2]:
            await account.zone(name)
        await make(DirectCloud(account), wanting(*records))

    with pytest.raises(NotFound, match=r"nowhere\.example") as caught:
        run(go)
    assert zone_of(1) in caught.value.hint
