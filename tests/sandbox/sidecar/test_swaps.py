"""Reloads under load: nobody notices."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.sandbox.sidecar.driver import (
    SUBDOMAIN,
    ControlPlane,
    Sidecar,
    routed,
    says,
    until,
    version,
    worker,
)

SWAPS = 8


async def _load(sidecar: Sidecar, host: str, stop: asyncio.Event, clients: int = 8) -> Counter[str]:
    """Ask as fast as it goes until `stop`; what was answered, by status and text."""
    seen: Counter[str] = Counter()

    url = f"http://127.0.0.1:{sidecar.edge_port}/"

    async def one(session: aiohttp.ClientSession) -> None:
        while not stop.is_set():
            try:
                async with session.get(url, headers={"host": host}) as reply:
                    seen[f"{reply.status} {await reply.text()}"] += 1
            except aiohttp.ClientError as error:
                seen[repr(error)] += 1

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(one(session) for _ in range(clients)))
    return seen


@pytest.mark.anyio
async def test_no_request_fails_while_versions_are_swapped(sidecar: Sidecar, folder: Path) -> None:
    sidecar.put(worker(folder, "app", says("ok"), 1))
    stop = asyncio.Event()
    load = asyncio.create_task(_load(sidecar, f"app.{SUBDOMAIN}.workers.localhost", stop))
    for number in range(2, 2 + SWAPS):
        done = await asyncio.to_thread(sidecar.put, worker(folder, "app", says("ok"), number))
        assert done["reloaded"]
    stop.set()
    seen = await load
    assert set(seen) == {"200 ok"}, seen
    assert seen["200 ok"] > 100


@pytest.mark.anyio
async def test_the_old_state_goes_on_when_a_worker_does_not_start(sidecar: Sidecar, folder: Path) -> None:
    good = worker(folder, "app", says("good"))
    sidecar.put(good)
    bad = worker(folder, "bad", "const x = 1;\nthrow new TypeError('at the start');\nexport default {};", 7)
    stop = asyncio.Event()
    load = asyncio.create_task(_load(sidecar, f"app.{SUBDOMAIN}.workers.localhost", stop, 2))
    state = {"workers": [good, bad], "routing": routed(good, bad)}
    reply = await asyncio.to_thread(sidecar.control, "PUT", "/state", state)
    stop.set()
    assert set(await load) == {"200 good"}
    error = reply.json["error"]
    assert reply.status == 422
    assert (error["script"], error["version"]) == ("bad", version(7))
    assert "at the start" in error["message"] and "index.js:2:7" in error["message"]
    assert sidecar.get("bad").status == 404


@pytest.mark.anyio
async def test_a_killed_runtime_comes_back_with_requests_held(sidecar: Sidecar, folder: Path) -> None:
    sidecar.put(worker(folder, "app", says("alive")))
    (child,) = await asyncio.to_thread(until, lambda: len(found := sidecar.children()) == 1 and found)
    stop = asyncio.Event()
    load = asyncio.create_task(_load(sidecar, f"app.{SUBDOMAIN}.workers.localhost", stop, 4))
    await asyncio.to_thread(until, lambda: sidecar.done("GET", "/stats")["scripts"])
    os.kill(child, signal.SIGKILL)
    await asyncio.to_thread(until, lambda: sidecar.done("GET", "/stats")["crashes"] == 1)
    await asyncio.to_thread(until, lambda: sidecar.get("app").text == "alive")
    stop.set()
    assert set(await load) == {"200 alive"}


LATER = """
export default {
  async fetch(request, env, ctx) {
    const name = new URL(request.url).pathname.slice(1);
    ctx.waitUntil(scheduler.wait(1200).then(() => env.KV.put(name, "NUMBER")));
    return new Response("NUMBER");
  },
};
"""


def test_what_follows_an_answer_survives_a_swap(plane: ControlPlane, tmp_path: Path) -> None:
    sidecar = Sidecar(tmp_path, plane, {"linger_ms": 60_000})
    try:
        for wanted in (1, 2, 3):
            sidecar.put(_later(tmp_path, wanted))
            assert sidecar.get("later", f"/{wanted}").text == str(wanted)
        assert len(sidecar.children()) == 3
        for wanted in (1, 2, 3):
            path = f"/data/kv/later/values/{wanted}"
            until(lambda path=path: sidecar.control("GET", path).status == 200, 8)  # type: ignore[misc]
        sidecar.put(_later(tmp_path, 4))
        until(lambda: len(sidecar.children()) == 3, 8)
        sidecar.done("POST", "/exclusive/begin", {})
        assert sidecar.children() == []
        sidecar.done("POST", "/exclusive/end", {})
    finally:
        sidecar.stop()


def test_what_was_replaced_ends_when_its_time_is_over(plane: ControlPlane, tmp_path: Path) -> None:
    sidecar = Sidecar(tmp_path, plane, {"linger_ms": 100})
    try:
        for wanted in (1, 2):
            sidecar.put(_later(tmp_path, wanted))
            assert sidecar.get("later", f"/{wanted}").text == str(wanted)
        until(lambda: len(sidecar.children()) == 1, 8)
    finally:
        sidecar.stop()


def _later(folder: Path, number: int) -> dict[str, Any]:
    bindings = [{"name": "KV", "type": "kv_namespace", "namespace_id": "later"}]
    return worker(folder, "later", LATER.replace("NUMBER", str(number)), number, bindings=bindings)


def test_a_preview_is_forgotten_with_its_script(sidecar: Sidecar, plane: ControlPlane, folder: Path) -> None:
    app, other = worker(folder, "app", says("deployed")), worker(folder, "other", says("other"))
    plane.previews["app", version(7)[:8]] = [worker(folder, "app", says("preview"), 7)]
    host = f"{version(7)[:8]}-app"
    sidecar.put(app, other)
    assert sidecar.get(host).text == "preview"
    plane.previews.clear()
    assert sidecar.get(host).text == "preview"
    sidecar.put(other)
    sidecar.put(app, other)
    assert sidecar.get(host).status == 404

    plane.previews["app", version(7)[:8]] = [worker(folder, "app", says("preview"), 7)]
    assert sidecar.get(host).text == "preview"
    plane.previews.clear()
    routing = routed(app, other)
    routing["scripts"]["app"]["previewable"] = [version(1)]
    sidecar.put(app, other, routing=routing)
    assert sidecar.get(host).status == 404


def test_a_state_that_is_already_live_costs_nothing(sidecar: Sidecar, folder: Path) -> None:
    one = worker(folder, "app", says("one"))
    assert sidecar.put(one)["reloaded"] is True
    assert sidecar.put(one) == pytest.approx({"reloaded": False, "ms": 0}, abs=20)


def test_a_version_that_lost_its_traffic_stays_until_something_else_is_loaded(
    sidecar: Sidecar, plane: ControlPlane, folder: Path
) -> None:
    old, new, newer = (worker(folder, "app", says(str(n)), n) for n in (1, 2, 3))
    sidecar.put(old, new, routing=routed(old))
    assert sidecar.put(new)["reloaded"] is False
    assert sidecar.get("app").text == "2"
    assert sidecar.put(old)["reloaded"] is False
    assert sidecar.get("app").text == "1"
    assert sidecar.put(newer)["reloaded"] is True
    assert sidecar.get("app").text == "3"
    assert sidecar.put(old)["reloaded"] is True
    other = worker(folder, "other", says("other"))
    sidecar.put(old, other)
    assert sidecar.put(other)["reloaded"] is True, "a deleted script goes at once"
    assert sidecar.get("app").status == 404


def test_thirty_workers(sidecar: Sidecar, folder: Path) -> None:
    workers = [worker(folder, f"w{n}", says(str(n))) for n in range(30)]
    sidecar.put(*workers)
    assert [sidecar.get(f"w{n}").text for n in range(30)] == [str(n) for n in range(30)]


@pytest.mark.anyio
async def test_states_that_overtake_each_other(sidecar: Sidecar, folder: Path) -> None:
    puts = [asyncio.to_thread(sidecar.put, worker(folder, "app", says(str(n)), n)) for n in range(1, 7)]
    answers = await asyncio.gather(*puts)
    assert sum(answer["reloaded"] for answer in answers) <= 6
    assert sidecar.get("app").status == 200


def test_exclusive_access_stops_the_runtime_and_holds_requests(sidecar: Sidecar, folder: Path) -> None:
    sidecar.put(worker(folder, "app", says("back")))
    sidecar.done("POST", "/exclusive/begin", {})
    assert sidecar.children() == []
    assert sidecar.done("GET", "/health")["exclusive"] is True
    assert sidecar.control("POST", "/exclusive/begin", {}).status == 409
    sidecar.put(worker(folder, "app", says("declared meanwhile"), 2))
    sidecar.done("POST", "/exclusive/end", {})
    assert sidecar.get("app").text == "declared meanwhile"
    assert sidecar.control("POST", "/exclusive/end", {}).status == 409
