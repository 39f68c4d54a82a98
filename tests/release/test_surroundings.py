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
from trailboss.release.surroundings import (
    Surroundings,
    compare,
    keep,
    pack,
    read_surroundings,
    recall,
    restore,
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
        "custom domains": (False, False),
        "logpush": (True, False),
        "D1 db": (True, True),
    }


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
