"""Sources: what becomes a record and what does not, how late, and what trouble sounds like."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.release.conftest import Desk
from trailboss.cloud import Cloud
from trailboss.errors import ConfigError, ReleaseError, Unavailable
from trailboss.release.evidence.windows import Exact, Span, Window
from trailboss.release.rollout.policy import Policy, Step, Timing
from trailboss.release.rollout.probing import MARK, OVERRIDES
from trailboss.release.sources import analytics, open_source
from trailboss.release.sources.engine import EngineSource
from trailboss.release.sources.tail import TailSource, read_event


def event(**changes: Any) -> dict[str, Any]:
    request = {"url": "https://a/", "headers": changes.pop("headers", {"cf-connecting-ip": "10.0.0.1"})}
    status = changes.pop("status", 200)
    return {
        "outcome": "ok",
        "scriptVersion": {"id": "v"},
        "eventTimestamp": 1000,
        "event": {"request": request, "response": {"status": status}},
        "wallTime": 12,
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "failed", "raised"),
    [
        ({}, False, False),
        ({"status": 404}, False, False),
        ({"status": 500}, True, False),
        ({"outcome": "canceled"}, False, False),
        ({"outcome": "exceededCpu"}, True, False),
        ({"outcome": "exception", "exceptions": [{}]}, True, True),
        ({"event": {"cron": "* * * * *"}}, False, False),
        ({"event": None}, False, False),
    ],
)
def test_events(changes: dict[str, Any], failed: bool, raised: bool) -> None:
    found = read_event(event(**changes))
    assert found is not None and found[0] == "v"
    record = found[1]
    assert (record.at, record.failed, record.raised, record.wall, record.cpu) == (
        1.0,
        failed,
        raised,
        12.0,
        None,
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": {MARK: "home"}},
        {"headers": {OVERRIDES: 'a="v"'}},
        {"scriptVersion": None},
        {"eventTimestamp": None},
    ],
)
def test_probes_and_strangers_are_left_out(changes: dict[str, Any]) -> None:
    assert read_event(event(**changes)) is None


def test_users_and_keys() -> None:
    plain, keyed = read_event(event()), read_event(event(headers={"Cloudflare-Workers-Version-Key": "me"}))
    black = read_event(event(headers={"Cloudflare-Workers-Version-Key": "REDACTED"}))
    assert plain and keyed and black
    assert plain[1].user and plain[1].user != keyed[1].user and "10.0.0.1" not in str(plain)
    assert (plain[1].key, keyed[1].key, black[1].key, black[1].user) == (None, "me", None, None)


def test_the_live_tail(desk: Desk) -> None:
    desk.write()
    version = desk.deploy().workers[0].version_id or ""

    async def main() -> None:
        async with Cloud(desk.target) as cloud:
            source = TailSource(cloud, "hello", lag=0.1)
            assert await source.read(Span(0, 1e12), version) is None
            await source.open()
            try:
                for _ in range(3):
                    await asyncio.to_thread(desk.account.worker, "hello")
                await asyncio.to_thread(desk.account.worker, "hello", headers={MARK: "p"})
                found: tuple[Any, ...] = ()
                while len(found) < 3:
                    found += await source.read(Span(0, 1e12), version) or ()
                    await asyncio.sleep(0.01)
                assert all(record.canary and not record.failed for record in found) and len(found) == 3
                about = source.about()
                assert (about.sampled, about.trouble) == (False, "")
                source._take(b'{"event": {"type": "overload"}}')
                source._take(b"nonsense")
                assert source.about().sampled
            finally:
                await source.aclose()
            tails = await cloud.get(f"{cloud.account}/workers/scripts/hello/tails")
            assert not tails

    asyncio.run(main())


def test_what_ends_late_is_not_lost() -> None:
    nothing: Any = None
    source = TailSource(nothing, "hello")
    source._trouble = ""

    def arrives(*times: float) -> None:
        for at in times:
            source._take(json.dumps(event(eventTimestamp=at * 1000)).encode())

    def read(start: float, end: float) -> list[float]:
        return [record.at for record in asyncio.run(source.read(Span(start, end), "v", "s")) or ()]

    arrives(5, 12, 21)
    assert read(10, 20) == [12]
    arrives(13, 8)
    assert read(20, 30) == [21, 13], "of this step; what began before it is of another share"
    arrives(14, 41)
    assert read(40, 50) == [41], "another step"
    assert read(50, 60) == []


def test_a_tail_that_cannot_be_had(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trailboss.release.sources.tail.asyncio.wait_for", _at_once)

    async def main() -> None:
        async with Cloud(desk.target) as cloud:
            source = TailSource(cloud, "nobody")
            await source.open()
            while "not connected" in source.about().trouble:
                await asyncio.sleep(0.01)
            assert await source.read(Span(0, 1), "v") is None and source.about().trouble
            await source.aclose()

    asyncio.run(main())


async def _at_once(waiting: Any, _seconds: float) -> None:
    waiting.close()
    raise TimeoutError


COUNTING = """export default { async fetch(request, env) {
  const bad = new URL(request.url).pathname === "/bad";
  const blobs = [bad ? "exception" : "ok", bad ? "500" : "200", request.headers.get("x-user") ?? ""];
  env.COUNTS.writeDataPoint({ indexes: [env.VERSION.id], blobs, doubles: [12, 3] });
  return new Response("counted", { status: bad ? 500 : 200 });
} };"""


def test_exact_counts_of_an_analytics_engine_dataset(desk: Desk) -> None:
    desk.write(
        analytics_engine_datasets=[{"binding": "COUNTS", "dataset": "requests"}],
        version_metadata={"binding": "VERSION"},
    )
    (desk.folder / "index.js").write_text(COUNTING)
    version = desk.deploy().workers[0].version_id or ""
    for path in ("/", "/", "/bad"):
        desk.account.worker("hello", path, headers={"x-user": "me"})

    async def main(cloud: Cloud) -> None:
        source = EngineSource(cloud, "requests", lag=0)
        await source.open()
        found: tuple[Any, ...] | None = ()
        while found is not None and len(found) < 3:
            found = await source.read(Span(1.5, 4e9), version)
        assert found is not None and [sum(r.canary for r in found), sum(r.failed for r in found)] == [3, 1]
        assert {(r.wall, r.cpu, r.key) for r in found} == {(12.0, 3.0, "me")}
        assert not source.about().sampled and not source.about().trouble
        assert len(await source.read(Span(1.5, 4e9), "new", version) or ()) == 3
        assert await source.read(Span(1.5, 4e9), "new", "old") is None and source.about().trouble
        gone = EngineSource(cloud, "nothing")
        assert await gone.read(Span(0, 1), version) is None and gone.about().trouble
        await source.aclose()

    desk.run(main)


def test_names_of_datasets() -> None:
    cloud: Any = None
    for name in (None, "", "a b", "a;drop"):
        with pytest.raises(ConfigError) as caught:
            EngineSource(cloud, name)
        assert caught.value.code == "TB1814"


def test_sources_by_name(desk: Desk) -> None:
    from trailboss.release.rollout.policy import Gate

    cloud = Cloud(desk.target)
    counted = Policy("canary", (Step(100, 0, 1),), (Gate("errors", "errors"),), timing=Timing(lag=7))
    found = open_source(counted, cloud, "a")
    assert found is not None and found.name == "tail" and found.about().lag == 7
    assert open_source(Policy("canary", ()), cloud, "a") is None


def test_estimates_are_never_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"dimensions": {"scriptVersion": "v1", "status": "success"}, "sum": {"requests": 3600, "errors": 36}},
        {"dimensions": {"scriptVersion": "v1", "status": "error"}, "sum": {"requests": 0, "errors": 0}},
        {"dimensions": {"scriptVersion": "v2"}, "sum": {"requests": 3600, "errors": 0}},
    ]
    found = asked(monkeypatch, {"viewer": {"accounts": [{"workersInvocationsAdaptive": rows}]}})
    assert found.versions["v1"].requests == 3600 and found.traffic is not None
    assert (found.traffic.per_second, found.traffic.failing) == (2.0, 0.005)
    with pytest.raises(ReleaseError) as caught:
        Window(1, found.versions["v1"], Exact())  # type: ignore[arg-type]
    assert caught.value.code == "TB4301"
    with pytest.raises(ReleaseError):
        found.versions["v1"].counted()


@pytest.mark.parametrize(
    "data", [{}, {"viewer": None}, {"viewer": {"accounts": []}}, Unavailable("TB2501", "late")]
)
def test_no_estimates(monkeypatch: pytest.MonkeyPatch, data: Any) -> None:
    found = asked(monkeypatch, data)
    assert found.traffic is None and not found.versions
    assert found.trouble or not isinstance(data, Exception)


def asked(monkeypatch: pytest.MonkeyPatch, data: Any) -> analytics.Estimates:
    async def graphql(*_: Any) -> Any:
        if isinstance(data, Exception):
            raise data
        return data

    monkeypatch.setattr("trailboss.cloud.graphql.graphql", graphql)

    class Account:
        async def account_id(self) -> str:
            return "a"

    cloud: Any = Account()
    return asyncio.run(analytics.estimate(cloud, "hello", now=1_800_000_000.0))
