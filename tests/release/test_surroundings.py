"""What belongs to no version is kept with the version that goes, and put back on request."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.release.conftest import Desk
from trailboss.cloud import Cloud
from trailboss.release.restoring import compare, restore
from trailboss.release.surroundings import (
    Surroundings,
    keep,
    pack,
    read_surroundings,
    recall,
    unpack,
)

TEXTS = st.lists(st.text(max_size=20), max_size=5).map(tuple)


@given(st.builds(Surroundings, TEXTS, TEXTS, st.booleans(), st.booleans()))
def test_there_and_back(around: Surroundings) -> None:
    packed = pack(around)
    assert packed is not None and unpack(packed) == around
    assert all(len(text) <= 1000 for text in packed.values())


def test_what_is_not_ours() -> None:
    assert unpack({"team": "a"}) is None
    with pytest.raises(ValueError):
        unpack({"trailboss.around.0": "AAAA"})


def test_compare() -> None:
    then = Surroundings(("* * * * *",), ("a.com",), True, True, {"logpush": True}, {"db": "m1"})
    assert compare(then, then) == ()
    now = replace(then, crons=(), domains=(), previews=False, settings={}, bookmarks={"db": "m2"})
    found = {one.what: (one.restorable, one.data) for one in compare(now, then)}
    assert found == {
        "schedules": (True, False),
        "workers.dev": (True, False),
        "custom domain a.com": (True, False),
        "logpush": (True, False),
        "D1 db": (True, True),
    }


def test_what_is_not_known_is_no_difference_and_what_others_have_is_theirs() -> None:
    jobs = {"settings": {"batch_size": 5}, "dead_letter_queue": "dead"}
    then = Surroundings(routes={"a.com/*": "a.com", "b.com/*": ""}, consumers={"jobs": jobs})
    assert compare(Surroundings(), then) == compare(then, Surroundings()) == ()
    now = Surroundings(routes={"c.com/*": ""}, consumers={}, taken={"route b.com/*": "of other"})
    found = {one.what: (one.now, one.then, one.restorable) for one in compare(now, then)}
    assert found["route a.com/*"] == ("none", "there", True)
    assert found["route b.com/*"] == ("of other", "there", False)
    assert found["route c.com/*"] == ("there", "none", True)
    assert found["consumer of jobs"][0] == "none" and '"dead"' in found["consumer of jobs"][1]
    packed = pack(now)
    assert packed is not None and unpack(packed) == replace(now, taken={})


def test_routes_consumers_and_domains_come_back_and_those_of_others_stay(desk: Desk) -> None:
    account = desk.account
    owner = {"id": account.connection.account_id}
    zone = account.call("POST", "/zones", {"name": "around.example", "account": owner, "type": "full"})["id"]
    queues = {
        name: account.call("POST", f"{account.account}/queues", {"queue_name": name})["queue_id"]
        for name in ("jobs", "taken", "new", "dead")
    }
    domain = {"pattern": "app.around.example", "custom_domain": True}
    before = {
        "routes": ["a.around.example/*", "b.around.example/*", domain],
        "queues": {
            "consumers": [
                {"queue": "jobs", "max_batch_size": 5, "dead_letter_queue": "dead"},
                {"queue": "taken"},
            ]
        },
    }
    desk.write(**before)
    version = desk.deploy().workers[0].version_id or ""
    shapes = account.call("GET", f"{account.account}/queues")

    desk.write(name="other")
    desk.deploy()
    desk.write(text="two", routes=["c.around.example/*"], queues={"consumers": [{"queue": "new"}]})
    stages = {one.name: one.note for one in desk.deploy().workers[0].stages}
    assert stages["keep"] == "kept with v1"
    for queue in ("jobs", "taken"):
        (there,) = account.call("GET", f"{account.account}/queues/{queues[queue]}/consumers")
        account.call("DELETE", f"{account.account}/queues/{queues[queue]}/consumers/{there['consumer_id']}")
    account.call(
        "POST", f"/zones/{zone}/workers/routes", {"pattern": "b.around.example/*", "script": "other"}
    )
    theirs = {"type": "worker", "script_name": "other"}
    account.call("POST", f"{account.account}/queues/{queues['taken']}/consumers", theirs)

    async def back(cloud: Cloud) -> tuple[dict[str, bool], set[str]]:
        then = await recall(cloud, "hello", version)
        assert then is not None
        now = await read_surroundings(cloud, "hello", version, then)
        said = {one.what: one.restorable for one in compare(now, then)}
        return said, {one.what for one in await restore(cloud, "hello", now, then)}

    said, done = desk.run(back)
    assert {what for what, can in said.items() if not can} == {
        "route b.around.example/*",
        "consumer of taken",
    }
    assert done == {what for what, can in said.items() if can}
    assert {"route a.around.example/*", "route c.around.example/*", "consumer of jobs"} <= done
    assert {"consumer of new", "custom domain app.around.example"} & done
    routes = {one["pattern"]: one["script"] for one in account.call("GET", f"/zones/{zone}/workers/routes")}
    assert routes == {"a.around.example/*": "hello", "b.around.example/*": "other"}
    after = {one["queue_name"]: one for one in account.call("GET", f"{account.account}/queues")}
    (jobs,), was = after["jobs"]["consumers"], next(one for one in shapes if one["queue_name"] == "jobs")
    assert (jobs["settings"], jobs["dead_letter_queue"]) == (was["consumers"][0]["settings"], "dead")
    assert after["new"]["consumers"] == [] and after["taken"]["consumers"][0]["script"] == "other"
    hosts = account.call("GET", f"{account.account}/workers/domains")
    assert [one["service"] for one in hosts if one["hostname"] == "app.around.example"] == ["hello"]
    said, done = desk.run(back)
    assert done == set()


def test_kept_and_put_back(desk: Desk) -> None:
    account = desk.account
    made = account.call("POST", f"{account.account}/d1/database", {"name": "books"})
    database = f"{account.account}/d1/database/{made['uuid']}"

    def sql(text: str) -> list[dict[str, Any]]:
        return list(account.call("POST", f"{database}/query", {"sql": text})[0]["results"])

    sql("create table t (n integer)")
    sql("insert into t values (1)")
    d1 = [{"binding": "DB", "database_id": made["uuid"], "database_name": "books"}]
    desk.write(d1_databases=d1, triggers={"crons": ["0 1 * * *"]}, observability={"enabled": True})
    version = desk.deploy().workers[0].version_id or ""
    assert desk.run(lambda cloud: keep(cloud, "hello", version)) is None
    desk.write(text="two", d1_databases=d1, triggers={"crons": ["0 2 * * *"]}, workers_dev=False)
    desk.deploy()
    sql("insert into t values (2)")

    async def back(cloud: Cloud, data: bool) -> set[str]:
        then = await recall(cloud, "hello", version)
        assert then is not None and then.crons == ("0 1 * * *",) and then.workers_dev
        now = await read_surroundings(cloud, "hello", version)
        await asyncio.sleep(0)
        return {one.what for one in await restore(cloud, "hello", now, then, data=data)}

    assert desk.run(lambda cloud: back(cloud, False)) == {"schedules", "workers.dev", "observability"}
    assert desk.run(lambda cloud: back(cloud, False)) == set()
    assert sql("select count(*) as n from t")[0]["n"] == 2
    assert desk.run(lambda cloud: back(cloud, True)) == {f"D1 {made['uuid']}"}
    assert sql("select count(*) as n from t")[0]["n"] == 1
    assert desk.run(lambda cloud: recall(cloud, "hello", "nothing")) is None


def test_nobody_to_keep_it_for(desk: Desk) -> None:
    warning = desk.run(lambda cloud: keep(cloud, "nobody", "v"))
    assert warning and "could not be kept" in warning
