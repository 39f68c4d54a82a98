"""What others own under a name of ours: never deleted, wherever an apply was stopped."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.plan.crashing import Runner, points, prepared, replace, resource, wanting
from tests.plan.inprocess import Account, DirectCloud
from trailboss.resources.dns_record import DNSRecord

OURS = resource("dns_record", "t", DNSRecord("example.com", "t.example.com", "TXT", "ours"))


def test_a_record_of_the_same_name_and_type_stays(tmp_path: Path) -> None:
    runner = Runner(Account(tmp_path))
    account = runner.account
    fixture = prepared(account, "strangers", None, wanting(OURS))
    zone = next(one["id"] for one in account.box.store.all("zone") if one["name"] == "example.com")
    theirs = {"type": "TXT", "name": "t.example.com", "content": "theirs", "ttl": 1}
    account.load(fixture.start)
    asyncio.run(DirectCloud(account).call("POST", f"/zones/{zone}/dns_records", json=theirs))
    fixture = replace(fixture, start=account.dump())
    runner.learn(fixture)
    assert runner.expected["strangers"]["dns_record"] == 2
    for point in points(runner.calls(fixture)):
        runner.schedule(fixture, point)
