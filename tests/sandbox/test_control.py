"""The control plane: faults, clock and schedules, snapshots, journal, reset, seed; and a tail's WebSocket."""

from __future__ import annotations

import json
import time
from itertools import pairwise

import httpx
import pytest
from websockets.sync.client import connect

from tests.conftest import Sandbox
from tests.sandbox.upload import deploy, who


def test_reset_is_quick_and_complete(account: Sandbox) -> None:
    deploy(account, "app", who("one"))
    assert account.control("POST", "reset")["ms"] < 3000
    assert account.call("GET", f"{account.account}/workers/scripts") == []
    assert account.worker("app").status_code == 404


def test_a_status_fault_counts_down(account: Sandbox) -> None:
    rule = {"effect": "status", "status": 429, "code": 971, "retry_after": 3, "path": "/user", "times": 1}
    account.control("PUT", "faults", [rule])
    answer = account.http.get(f"{account.connection.api_url}/user")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
    account.call("GET", "/user")
    assert account.control("GET", "faults")[0]["hits"] == 1
    account.control("DELETE", "faults")


@pytest.mark.parametrize(("effect", "made"), [("drop-before", 0), ("drop-after", 1)])
def test_dropped_connections(account: Sandbox, effect: str, made: int) -> None:
    path = f"{account.account}/workers/dispatch/namespaces"
    account.control(
        "PUT", "faults", [{"effect": effect, "method": "POST", "path": "*/namespaces", "times": 1}]
    )
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        account.call("POST", path, {"name": "dropped"})
    assert len(account.call("GET", path)) == made
    entry = account.control("GET", "journal?match=/dispatch/")[0]
    assert (entry["status"], entry["fault"]) == (0, effect)


def test_truncated_late_and_stale_answers(account: Sandbox) -> None:
    path = f"{account.account}/workers/dispatch/namespaces"
    account.control("PUT", "faults", [{"effect": "truncate", "path": "/user", "times": 1}])
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        account.call("GET", "/user")
    account.control("PUT", "faults", [{"effect": "stale", "seconds": 60, "path": "*/namespaces"}])
    assert account.call("GET", path) == []
    account.call("POST", path, {"name": "unseen"})
    assert account.call("GET", path) == []
    account.control("PUT", "clock", {"advance": 61})
    assert len(account.call("GET", path)) == 1
    account.control("PUT", "faults", [{"effect": "latency", "latency_ms": 120}])
    began = time.perf_counter()
    account.call("GET", "/user")
    assert time.perf_counter() - began >= 0.12


def test_wrong_rules_are_explained(account: Sandbox) -> None:
    url = f"{account.connection.control_url}/faults"
    for rule in ([{"effect": "nonsense"}], [{"effect": "status", "colour": 1}], ["x"], {}):
        assert account.http.put(url, json=rule).status_code == 400


def test_schedules_fire_on_the_sandboxs_clock(account: Sandbox) -> None:
    deploy(account, "app", who("one"))
    scripts = f"{account.account}/workers/scripts/app"
    account.control("PUT", "clock", {"freeze": 1_800_000_000})
    assert account.call("PUT", f"{scripts}/schedules", [{"cron": "61 * * * *"}], expect=400)["code"] == 10100
    account.call("PUT", f"{scripts}/schedules", [{"cron": "*/20 * * * *"}])
    tail = account.call("POST", f"{scripts}/tails", {"filters": []})
    with connect(tail["url"], subprotocols=["trace-v1"]) as socket:
        account.control("PUT", "clock", {"advance": 3600})
        events = [json.loads(socket.recv(timeout=20)) for _ in range(3)]
    assert {event["event"]["cron"] for event in events} == {"*/20 * * * *"}
    moments = sorted(event["event"]["scheduledTime"] for event in events)
    assert [after - before for before, after in pairwise(moments)] == [1_200_000] * 2


def test_tail_filters_and_pings(account: Sandbox) -> None:
    deploy(account, "app", who("one"))
    filters = [{"method": ["POST"]}, {"header": {"key": "x-mark", "query": "yes"}}]
    tail = account.call("POST", f"{account.account}/workers/scripts/app/tails", {"filters": filters})
    with connect(tail["url"], subprotocols=["trace-v1"]) as socket:
        assert socket.ping(b"wrangler tail ping").wait(5)
        account.worker("app", "/no")
        account.worker("app", "/yes", method="POST", headers={"x-mark": "yes"})
        event = json.loads(socket.recv(timeout=10))
        assert event["event"]["request"]["url"].endswith("/yes")
        account.call("DELETE", f"{account.account}/workers/scripts/app/tails/{tail['id']}")
        with pytest.raises(Exception, match="1000"):
            socket.recv(timeout=5)


def test_snapshot_and_restore(account: Sandbox) -> None:
    deploy(account, "app", who("before"))
    space = account.call("POST", f"{account.account}/storage/kv/namespaces", {"title": "kept"})["id"]
    value = f"{account.connection.api_url}{account.account}/storage/kv/namespaces/{space}/values/key"
    account.http.put(value, content=b"old").raise_for_status()
    account.control("POST", "snapshot", {"name": "point"})
    account.http.put(value, content=b"new").raise_for_status()
    deploy(account, "app", who("after"))
    account.control("POST", "restore", {"name": "point"})
    assert account.worker("app").text == "hello from before"
    assert account.http.get(value).text == "old"
    assert "point" in {item["name"] for item in account.control("GET", "snapshot")}


def test_the_journal_hides_credentials(account: Sandbox) -> None:
    account.call("GET", "/user")
    entry = account.control("GET", "journal?match=/user")[0]
    assert (entry["method"], entry["status"], entry["route"]) == ("GET", 200, "user.get_user")
    assert account.connection.token not in json.dumps(entry)


def test_seeded_identifiers_repeat(account: Sandbox) -> None:
    path = f"{account.account}/workers/dispatch/namespaces"
    seen = []
    for _ in range(2):
        account.control("POST", "reset")
        account.control("POST", "seed", {"ids": 7})
        seen.append(account.call("POST", path, {"name": "same"})["namespace_id"])
    assert seen[0] == seen[1]


def test_status_tells_processes_and_memory(account: Sandbox) -> None:
    status = account.control("GET", "status")
    assert status["runtime"]["state"] == "ready"
    assert status["memory"]["python"] > 0 and status["memory"]["node"] > 0
