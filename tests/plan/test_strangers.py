"""What others own under a name of ours: never deleted, wherever an apply was stopped."""

from __future__ import annotations

from pathlib import Path

from tests.plan.crashing import Runner, prepared, replace, resource, wanting
from tests.plan.inprocess import ACCOUNT, Account, DirectCloud
from tests.plan.virtual import run
from trailboss.plan.plan import make
from trailboss.resources.dns_record import DNSRecord
from trailboss.resources.r2_bucket import R2Bucket

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


def test_a_bucket_of_the_same_name_in_another_jurisdiction_stays(tmp_path: Path) -> None:
    """Tags go by a bucket's name: the stamp of ours is not theirs."""
    account = Account(tmp_path)
    ours = resource("r2_bucket", "files", R2Bucket("shop-files"))
    europe = resource("r2_bucket", "more", R2Bucket("shop-more", "eu"))
    fixture = prepared(account, "buckets", wanting(ours, europe), wanting(europe))
    account.load(fixture.start, -1)
    path, headers = f"/accounts/{ACCOUNT}/r2/buckets", {"cf-r2-jurisdiction": "eu"}
    run(lambda: DirectCloud(account).call("POST", path, json={"name": "shop-files"}, headers=headers))
    plan = run(lambda: make(DirectCloud(account), wanting(europe)))
    assert [one.action for one in plan.changes if one.kind == "r2_bucket"] == ["none"]
