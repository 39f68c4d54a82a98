"""What others own under a name of ours: never deleted, wherever an apply was stopped."""

from __future__ import annotations

from pathlib import Path

from tests.plan.crashing import Runner, prepared, replace, resource, wanting
from tests.plan.inprocess import Account, DirectCloud
from tests.plan.virtual import run
from trailboss.resources.dns_record import DNSRecord

OURS = resource("dns_record", "t", DNSRecord("example.com", "t.example.com", "TXT", "ours"))


def test_a_record_of_the_same_name_and_type_stays(tmp_path: Path) -> None:
    account = Account(tmp_path)
    fixture = prepared(account, "strangers", None, wanting(OURS))
    zone = next(one["id"] for one in account.box.store.all("zone") if one["name"] == "example.com")
    theirs = {"type": "TXT", "name": "t.example.com", "content": "theirs", "ttl": 1}
    account.load(fixture.start, -1)
    run(lambda: DirectCloud(account).call("POST", f"/zones/{zone}/dns_records", json=theirs))
    runner = Runner(account, replace(fixture, start=account.dump()))
    assert runner.expected["dns_record"] == 2
    assert runner.singles() >= 18
