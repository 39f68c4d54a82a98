"""What others own under a name of ours: never deleted, wherever an apply was stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plan.crashing import Runner, prepared, replace, resource, wanting
from tests.plan.every import every, revealed
from tests.plan.inprocess import ACCOUNT, Account, DirectCloud
from tests.plan.virtual import clock, run
from trailboss.plan.apply import Options, apply
from trailboss.plan.plan import make
from trailboss.resources.dns_record import DNSRecord
from trailboss.resources.r2_bucket import R2Bucket
from trailboss.resources.registry import kind

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


@pytest.mark.parametrize("name", ["flagship_app", "access_service_token", "certificate_pack"])
def test_a_thing_that_somebody_gives_the_name_of_ours_stays(tmp_path: Path, name: str) -> None:
    """Where Cloudflare lets several have one name, the claim says which of them is ours."""
    account = Account(tmp_path)
    mine = next(one for one in every("FULL") if one.kind == name)
    ours, none = wanting(mine), wanting()
    account.load(prepared(account, "ours", ours, none, reveal=revealed).start)
    cloud, found = DirectCloud(account), kind(name)

    async def twin() -> str:
        plan = await make(cloud, ours)
        return found.handle(await found.create(cloud, plan.view.specs[mine.address]))

    theirs = run(twin)
    assert run(lambda: make(cloud, ours)).is_empty
    gone = run(lambda: apply(cloud, none, Options(confirmed=True, clock=clock())))
    assert [one.action for one in gone.done] == ["delete"]
    left = run(lambda: make(cloud, ours)).view.seen
    assert [found.handle(one.observed) for one in left if one.kind == name] == [theirs]
    assert run(lambda: make(cloud, none)).changes == ()
