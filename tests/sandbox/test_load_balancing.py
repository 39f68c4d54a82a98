"""Load balancing and health checks: origins that are really asked, references, refusals."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.sandbox.walk.zone import origin
from trailboss.sandbox.products.health_probe import Outcome, Target, probe
from trailboss.sandbox.products.health_state import judged


@pytest.fixture
def port() -> Iterator[int]:
    """Of a web server that says 200."""
    with origin() as number:
        yield number


@pytest.fixture
def nobody() -> int:
    """A port where nobody is."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@pytest.fixture
def root(account: Sandbox) -> str:
    return f"{account.account}/load_balancers"


@pytest.fixture
def zone(account: Sandbox) -> str:
    return f"/zones/{account.call('GET', '/zones?name=example.com')[0]['id']}"


def _origin(name: str, port: int, **more: Any) -> dict[str, Any]:
    return {"name": name, "address": "127.0.0.1", "port": port, **more}


def _pool(account: Sandbox, root: str, *origins: dict[str, Any], **more: Any) -> Any:
    body = {"name": "main", "origins": list(origins), **more}
    return account.call("POST", f"{root}/pools", body)


def _monitor(account: Sandbox, root: str, **more: Any) -> str:
    return str(
        account.call("POST", f"{root}/monitors", {"type": "http", "expected_codes": "2xx", **more})["id"]
    )


def _health(account: Sandbox, root: str, pool: Any) -> Any:
    return account.call("GET", f"{root}/pools/{pool['id']}/health")["pop_health"]


def test_a_dead_origin_is_unhealthy(account: Sandbox, root: str, port: int, nobody: int) -> None:
    pool = _pool(
        account, root, _origin("live", port), _origin("dead", nobody), monitor=_monitor(account, root)
    )
    health = _health(account, root, pool)["WEU"]
    live, dead = (seen["127.0.0.1"] for seen in health["origins"])
    assert health["healthy"] is True
    assert (live["healthy"], live["failure_reason"], live["response_code"]) == (True, "No failures", 200)
    assert live["rtt"].endswith("ms")
    assert (dead["healthy"], dead["failure_reason"]) == (False, "TCP connection failed")
    path = f"{root}/pools/{pool['id']}"
    account.call("PATCH", path, {"minimum_origins": 2, "check_regions": ["WNAM", "OC"]})
    health = _health(account, root, pool)
    assert {region: seen["healthy"] for region, seen in health.items()} == {"WNAM": False, "OC": False}
    account.call("PATCH", path, {"origins": [_origin("live", port), _origin("dead", nobody, enabled=False)]})
    assert len(_health(account, root, pool)["OC"]["origins"]) == 1


def test_an_origin_that_dies_and_comes_back(account: Sandbox, root: str) -> None:
    account.control("PUT", "clock", {"freeze": True})
    with origin() as port:
        monitor = _monitor(account, root, consecutive_down=2)
        pool = _pool(account, root, _origin("one", port), monitor=monitor)
        assert _health(account, root, pool)["WEU"]["healthy"] is True
    first, second = (_health(account, root, pool)["WEU"] for _ in range(2))
    assert [first["healthy"], second["healthy"]] == [True, False]  # two failures in a row are wanted
    assert first["origins"][0]["127.0.0.1"]["failure_reason"] == "TCP connection failed"


def test_a_pool_is_probed_by_its_monitors_interval(
    account: Sandbox, root: str, zone: str, nobody: int
) -> None:
    with origin() as port:
        check = {"name": "front", "address": "127.0.0.1", "http_config": {"port": port}, "interval": 60}
        account.call("POST", f"{zone}/healthchecks", check)
        _seen(account, f"{zone}/healthchecks", "healthy")
    assert account.call("GET", f"{zone}/healthchecks")[0]["status"] == "healthy"
    account.control("PUT", "clock", {"advance": 61})
    _seen(account, f"{zone}/healthchecks", "unhealthy")


def _seen(account: Sandbox, path: str, status: str) -> None:
    """Wait until the list (which asks nobody) says so."""
    deadline = time.monotonic() + 20
    while account.call("GET", path)[0]["status"] != status:
        assert time.monotonic() < deadline


def test_a_pool_without_a_monitor_has_no_health(account: Sandbox, root: str, nobody: int) -> None:
    assert _health(account, root, _pool(account, root, _origin("one", nobody))) == {}


def test_names_are_looked_up_in_the_accounts_zones(account: Sandbox, root: str, zone: str, port: int) -> None:
    record = {"type": "A", "name": "origin", "content": "127.0.0.1", "ttl": 1}
    account.call("POST", f"{zone}/dns_records", record)
    alias = {"type": "CNAME", "name": "alias", "content": "origin.example.com", "ttl": 1}
    account.call("POST", f"{zone}/dns_records", alias)
    one = {"name": "one", "address": "alias.example.com", "port": port}
    pool = _pool(account, root, one, monitor=_monitor(account, root))
    (seen,) = _health(account, root, pool)["WEU"]["origins"]
    assert seen["alias.example.com"]["healthy"] is True


def test_what_is_referenced_stays(account: Sandbox, root: str, zone: str, port: int) -> None:
    monitor = _monitor(account, root)
    pool = _pool(account, root, _origin("one", port), monitor=monitor)
    spare = _pool(account, root, _origin("one", port), name="spare")
    body = {
        "name": "www.example.com",
        "default_pools": [pool["id"]],
        "fallback_pool": pool["id"],
        "rules": [{"name": "eu", "condition": "ssl", "overrides": {"region_pools": {"WEU": [spare["id"]]}}}],
    }
    balancer = account.call("POST", f"{zone}/load_balancers", body)
    assert (balancer["steering_policy"], balancer["ttl"], balancer["zone_name"]) == ("off", 30, "example.com")
    for path in (f"monitors/{monitor}", f"pools/{pool['id']}", f"pools/{spare['id']}"):
        refused = account.call("DELETE", f"{root}/{path}", expect=412)
        assert refused["code"] == 1005
        assert refused["message"] == "This object is referenced by other objects, delete them first."
        assert len(account.call("GET", f"{root}/{path}/references")) == 1
    account.call("PATCH", f"{zone}/load_balancers/{balancer['id']}", {"rules": []})
    account.call("DELETE", f"{root}/pools/{spare['id']}")
    account.call("DELETE", f"{zone}/load_balancers/{balancer['id']}")
    account.call("DELETE", f"{root}/pools/{pool['id']}")
    account.call("DELETE", f"{root}/monitors/{monitor}")
    assert account.call("GET", f"{root}/pools/{pool['id']}", expect=404)["code"] == 1001


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "www.elsewhere.test"}, "not in the zone"),
        ({"default_pools": ["0" * 32]}, "not found"),
        ({"region_pools": {"MARS": []}}, "region MARS is not known"),
        ({"session_affinity": "header", "proxied": True}, "headers is required"),
        ({"session_affinity": "cookie", "proxied": True, "session_affinity_ttl": 5}, "[1800, 604800]"),
        ({"rules": [{"name": "r", "condition": "htp.host eq 1"}]}, "unknown identifier"),
    ],
)
def test_balancers_that_cannot_be(
    account: Sandbox, root: str, zone: str, change: dict[str, Any], said: str
) -> None:
    pool = _pool(account, root, _origin("one", 80))["id"]
    body = {"name": "www.example.com", "default_pools": [pool], "fallback_pool": pool}
    refused = account.call("POST", f"{zone}/load_balancers", {**body, **change}, expect=400)
    assert refused["code"] == 1002
    assert said in refused["message"]
    assert refused["message"].endswith(": validation failed")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "with space"}, "name may have"),
        ({"monitor": "0" * 32}, "not found"),
        ({"latitude": 1.0}, "given together"),
        ({"origins": [_origin("one", 80), _origin("one", 81)]}, "names must be unique"),
        ({"origins": [_origin("one", 80), _origin("two", 80)]}, "addresses must be unique"),
        ({"origins": [_origin("one", 80, weight=2)]}, "weight is not in range"),
        ({"origins": []}, "origins is not in range"),
    ],
)
def test_pools_that_cannot_be(account: Sandbox, root: str, change: dict[str, Any], said: str) -> None:
    body = {"name": "main", "origins": [_origin("one", 80)], **change}
    assert said in account.call("POST", f"{root}/pools", body, expect=400)["message"]


def test_names_are_unique(account: Sandbox, root: str) -> None:
    _pool(account, root, _origin("one", 80))
    refused = account.call(
        "POST", f"{root}/pools", {"name": "main", "origins": [_origin("one", 80)]}, expect=400
    )
    assert refused["code"] == 1003


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"interval": 5}, "interval is not in range [10, 3600]: validation failed"),
        ({"type": "tcp"}, "port is required"),
        ({"type": "tcp", "port": 1, "path": "/x"}, "only valid for HTTP and HTTPS"),
        ({"method": "PUT"}, "method PUT does not fit"),
        ({"expected_codes": "fine"}, "is not a list of codes"),
        ({"path": "x"}, "path must start"),
    ],
)
def test_monitors_that_cannot_be(account: Sandbox, root: str, change: dict[str, Any], said: str) -> None:
    assert said in account.call("POST", f"{root}/monitors", change, expect=400)["message"]


def test_defaults_of_a_monitor(account: Sandbox, root: str) -> None:
    made = account.call("POST", f"{root}/monitors", {"type": "tcp", "port": 22})
    assert (made["method"], made["interval"], made["retries"], made["timeout"]) == (
        "connection_established",
        60,
        2,
        5,
    )
    assert "path" not in made
    changed = account.call("PATCH", f"{root}/monitors/{made['id']}", {"type": "http"})
    assert (changed["method"], changed["path"], changed["expected_codes"]) == ("GET", "/", "200")


def test_a_disabled_pool_says_since_when(account: Sandbox, root: str) -> None:
    pool = _pool(account, root, _origin("one", 80))
    assert "disabled_at" not in pool
    off = account.call("PATCH", f"{root}/pools/{pool['id']}", {"enabled": False})
    account.control("PUT", "clock", {"advance": 5})
    still = account.call("PATCH", f"{root}/pools/{pool['id']}", {"description": "x"})
    assert off["disabled_at"] == still["disabled_at"]


def test_health_checks(account: Sandbox, zone: str, port: int) -> None:
    path = f"{zone}/healthchecks"
    body = {"name": "front", "address": "127.0.0.1", "http_config": {"port": port, "expected_codes": ["2xx"]}}
    made = account.call("POST", path, {**body, "suspended": True})
    assert made["status"] == "suspended"
    one = f"{path}/{made['id']}"
    account.call("PATCH", one, {**body, "suspended": False})
    assert account.call("GET", one)["status"] == "healthy"
    account.call("PATCH", one, {**body, "http_config": {"port": port, "expected_body": "goodbye"}})
    seen = account.call("GET", one)
    assert (seen["status"], seen["failure_reason"]) == ("unhealthy", "Response body mismatch error")
    assert account.call("POST", path, body, expect=400)["code"] == 1003
    preview = account.call("POST", f"{path}/preview", body)
    assert preview["status"] == "healthy"
    assert len(account.call("GET", path)) == 1


def _ask(**asked: Any) -> Outcome:
    return asyncio.run(probe(Target(address="127.0.0.1", **{"kind": "http", "timeout": 20, **asked})))


def test_probes(port: int, nobody: int) -> None:
    assert _ask(port=port, codes=("2xx",), body="HELLO").healthy
    assert _ask(port=port, headers={"Host": "a.test"}, body="hello from a.test").healthy
    assert _ask(port=port, codes=("3xx",)).reason == "Response code mismatch error"
    assert _ask(port=port, body="goodbye").reason == "Response body mismatch error"
    assert _ask(port=port, kind="tcp").healthy
    assert _ask(port=nobody, kind="tcp").reason == "TCP connection failed"
    assert _ask(port=nobody, kind="icmp_ping").healthy  # refused: the host is there
    assert _ask(port=port, kind="https", timeout=1).reason != "No failures"
    assert asyncio.run(probe(Target("http", "no-such-host.invalid"))).reason == "DNS lookup failed"


def test_a_host_that_says_nothing(nobody: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        outcome = _ask(port=port, retries=1, timeout=0.2)
        assert outcome.reason == "HTTP timeout occurred"
        assert _ask(port=port, kind="smtp", timeout=0.2).reason == "TCP Timeout occurred"


def test_numbers_in_a_row() -> None:
    good, bad = Outcome(True, "No failures", 1), Outcome(False, "TCP connection failed", 1)
    state, history = None, []
    for outcome in (good, bad, good, bad, bad, bad, good, good):
        state = judged(state, outcome, 2, 3)
        history.append(state["healthy"])
    assert history == [True, True, True, True, True, False, False, True]
