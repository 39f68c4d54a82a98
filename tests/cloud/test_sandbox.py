"""The same code against the real emulated account: target, envelope, pages, faults."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from tests.cloud.conftest import Time
from tests.conftest import Sandbox
from trailboss.cloud import Cloud, Part, Target, resolve_target, segment
from trailboss.cloud.session import Options
from trailboss.cloud.tail_socket import open_tail
from trailboss.errors import AlreadyExists, AuthenticationError, NotFound, PermissionDenied, Unavailable
from trailboss.values import Secret

NAMESPACES = "storage/kv/namespaces"


def run(account: Sandbox, use: Callable[[Cloud], Any], time: Time, **changes: Any) -> Any:
    """Run `use` with the target that the connection file gives."""
    environ = {"TRAILBOSS_SANDBOX_HOME": str(account.home)}
    found = resolve_target(None, flag=f"sandbox:{account.connection.name}", environ=environ)
    values = {name: getattr(found, name) for name in Target.__dataclass_fields__}
    target = Target(**{**values, **changes})

    async def main() -> Any:
        async with Cloud(target, options=Options(clock=time.clock, sleep=time.sleep, rng=Random(3))) as cloud:
            return await use(cloud)

    return asyncio.run(main())


def test_the_connection_file_is_enough(account: Sandbox, time: Time) -> None:
    async def use(cloud: Cloud) -> Any:
        assert cloud.target.is_sandbox
        assert cloud.target.edge_url == account.connection.edge_url
        await cloud.get("/user/tokens/verify")
        return cloud.account

    assert run(account, use, time) == account.account
    assert run(account, lambda c: c.account_id(), time, account_id=None) == account.connection.account_id


def test_a_wrong_token(account: Sandbox, time: Time) -> None:
    with pytest.raises((AuthenticationError, PermissionDenied)) as caught:
        run(account, lambda c: c.get(f"{c.account}/workers/scripts"), time, token=Secret("w" * 40))
    assert "trailboss whoami" in caught.value.hint


def test_typed_errors(account: Sandbox, time: Time) -> None:
    async def use(cloud: Cloud) -> None:
        base = f"{cloud.account}/{NAMESPACES}"
        await cloud.post(base, json={"title": "one"})
        with pytest.raises(AlreadyExists):
            await cloud.post(base, json={"title": "one"})
        for path in ("workers/scripts/none/settings", "d1/database/none", "r2/buckets/none"):
            with pytest.raises(NotFound):
                await cloud.get(f"{cloud.account}/{path}")

    run(account, use, time)


def test_lists_to_their_end(account: Sandbox, time: Time) -> None:
    async def use(cloud: Cloud) -> None:
        base = f"{cloud.account}/{NAMESPACES}"
        for number in range(7):
            await cloud.post(base, json={"title": f"n{number}"})
        for size in (1, 2, 7, 100):
            titles = {item["title"] async for item in cloud.pages(base, per_page=size)}
            assert titles == {f"n{number}" for number in range(7)}
        (first, *_) = [item["id"] async for item in cloud.pages(base)]
        pairs = [{"key": f"k{number:03}", "value": "v"} for number in range(25)]
        await cloud.put(f"{base}/{first}/bulk", json=pairs)
        keys = cloud.pages(f"{base}/{first}/keys", style="cursor", params={"limit": 10})
        assert [item["name"] async for item in keys] == [pair["key"] for pair in pairs]
        raw = await cloud.raw("GET", f"{base}/{first}/values/k001")
        assert raw.body == b"v"

    run(account, use, time)


def _break(account: Sandbox, **fault: Any) -> None:
    account.control("PUT", "faults", [{"path": f"*/{NAMESPACES}*", "times": 1, **fault}])


@pytest.mark.parametrize(("effect", "made"), [("drop-before", 0), ("drop-after", 1), ("truncate", 1)])
def test_a_lost_create_is_not_repeated(account: Sandbox, time: Time, effect: str, made: int) -> None:
    async def use(cloud: Cloud) -> None:
        base = f"{cloud.account}/{NAMESPACES}"
        with pytest.raises(Unavailable) as caught:
            await cloud.post(base, json={"title": "one"})
        assert caught.value.effect_unknown
        assert len([item async for item in cloud.pages(base)]) == made

    _break(account, effect=effect, method="POST")
    run(account, use, time)


@pytest.mark.parametrize("effect", ["drop-before", "drop-after", "truncate", "status"])
def test_a_lost_read_is_repeated(account: Sandbox, time: Time, effect: str) -> None:
    async def use(cloud: Cloud) -> int:
        assert [item async for item in cloud.pages(f"{cloud.account}/{NAMESPACES}")] == []
        return cloud.stats.retries

    _break(account, effect=effect, method="GET")
    assert run(account, use, time) == 1


def test_a_refused_create_is_repeated_later(account: Sandbox, time: Time) -> None:
    async def use(cloud: Cloud) -> None:
        made = await cloud.post(f"{cloud.account}/{NAMESPACES}", json={"title": "one"})
        assert made["title"] == "one"
        assert cloud.stats.retries == 1

    _break(account, effect="status", method="POST", status=429, code=10100, retry_after=1)
    run(account, use, time)


def test_the_client_asks_as_promised(account: Sandbox, time: Time) -> None:
    """What leaves the machine, read from the sandbox's journal."""

    async def use(cloud: Cloud) -> None:
        await cloud.get(f"{cloud.account}/{NAMESPACES}")

    account.control("DELETE", "journal")
    run(account, use, time)
    shown = json.dumps(account.control("GET", "journal"))
    assert f"/accounts/{account.connection.account_id}/{NAMESPACES}" in shown
    assert account.connection.token not in shown


CODE = b"export default { fetch() { console.log('hello'); return new Response('hi') } }"


def test_a_worker_uploaded_served_and_followed(account: Sandbox, time: Time) -> None:
    async def use(cloud: Cloud) -> list[Any]:
        script = f"{cloud.account}/workers/scripts/{segment('hello')}"
        metadata = {"main_module": "index.js", "compatibility_date": "2026-01-01"}
        form = [
            Part("metadata", json.dumps(metadata)),
            Part("index.js", CODE, "index.js", "application/javascript+module"),
        ]
        await cloud.put(script, parts=form, params={"excludeScript": True, "bindings_inherit": "strict"})
        await cloud.post(f"{script}/subdomain", json={"enabled": True, "previews_enabled": False})
        tail = await cloud.post(f"{script}/tails", json={"filters": []})
        async with open_tail(tail["url"]) as frames:
            answer = await asyncio.to_thread(account.worker, "hello")
            assert answer.text == "hi"
            event = json.loads(await anext(aiter(frames)))
            with contextlib.suppress(NotFound):  # gone is what we want
                await cloud.delete(f"{script}/tails/{tail['id']}")
        return [event["outcome"], event["logs"][0]["message"]]

    assert run(account, use, time) == ["ok", ["hello"]]
