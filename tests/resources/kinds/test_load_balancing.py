"""Monitors, pools and load balancers: whole lives, what the SDK would send, what cannot be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.resources.cases import load_balancer as balancers
from tests.resources.cases import load_balancer_monitor as monitors
from tests.resources.cases import load_balancer_pool as pools
from tests.resources.kinds.lives import ACCOUNT, ZONE, live, ours, run, theirs
from trailboss.cloud import Cloud
from trailboss.errors import AlreadyExists
from trailboss.resources.load_balancer import KIND as BALANCER
from trailboss.resources.load_balancer_monitor import KIND as MONITOR
from trailboss.resources.load_balancer_pool import KIND as POOL
from trailboss.resources.marks import Ref, refs_in
from trailboss.resources.reading import read_spec
from trailboss.values import Location

HERE = Location("trailboss.toml", 1)


def read(kind: Any, table: dict[str, Any], name: str = "it") -> Any:
    """The spec that a table of the file is read as."""
    return read_spec(kind, table, name=name, zone=lambda text: text or "example.com", locate=lambda *_: HERE)


def test_a_monitors_life(account: Sandbox) -> None:
    found = live(account, MONITOR, monitors.BARE, monitors.FULL)
    wire = account.call("GET", f"{account.account}/load_balancers/monitors/{found.id}")
    assert (wire["timeout"], wire["expected_codes"], wire["header"]) == (
        3,
        "2xx,302",
        {"Host": ["shop.example.com"]},
    )


def test_a_monitor_changes_its_type(account: Sandbox) -> None:
    tcp = replace(monitors.BARE, type="tcp", port=22)

    async def use(cloud: Cloud) -> None:
        made = await MONITOR.create(cloud, monitors.FULL)
        changed = await MONITOR.update(cloud, tcp, made)
        assert (changed.type, changed.method, changed.path) == ("tcp", "connection_established", None)
        assert MONITOR.differs(tcp, changed) == ()

    run(account, use)


def test_a_pools_life(account: Sandbox) -> None:
    monitor = run(account, lambda cloud: MONITOR.create(cloud, monitors.BARE)).id
    full = replace(pools.FULL, monitor=monitor)
    found = live(account, POOL, pools.BARE, full)
    assert [one["name"] for one in found.origins] == ["one", "two"]
    assert "disabled_at" not in found.origins[1]
    with pytest.raises(AlreadyExists) as caught:
        run(account, lambda cloud: POOL.create(cloud, full))
    assert caught.value.code == "TB2302"


def test_origins_are_compared_by_name_and_whole() -> None:
    def pool(*origins: dict[str, Any]) -> Any:
        return POOL.from_wire({"name": "shop-pool", "id": "x", "origins": list(origins)})

    one, two = ({"name": name, "address": f"{name}.example.com"} for name in ("one", "two"))
    wanted = replace(pools.BARE, origins=(two, one))
    filled = {**one, "enabled": True, "weight": 1, "port": 0, "header": None, "disabled_at": None}
    assert POOL.differs(wanted, pool(filled, two)) == ()
    assert [change.field for change in POOL.differs(wanted, pool({**one, "port": 8080}, two))] == ["origins"]
    assert POOL.differs(wanted, pool(one))


def test_a_load_balancers_life(account: Sandbox) -> None:
    pool = run(account, lambda cloud: POOL.create(cloud, pools.BARE)).id
    bare, full = (
        replace(spec, default_pools=(pool,), fallback_pool=pool) for spec in (balancers.BARE, balancers.FULL)
    )
    found = live(account, BALANCER, bare, full)
    assert found.rules is not None and found.rules[0]["overrides"] == {"ttl": 60}
    with pytest.raises(AlreadyExists):
        run(account, lambda cloud: BALANCER.create(cloud, bare))


def test_pools_are_named_by_their_keys() -> None:
    table = {
        "default_pools": ["main", "spare"],
        "region_pools": {"WEU": ["europe"]},
        "rules": [{"name": "eu", "condition": "ssl", "overrides": {"default_pools": ["europe"]}}],
    }
    spec = read(BALANCER, table, "www.example.com")
    main, spare, europe = (Ref("load_balancer_pool", name) for name in ("main", "spare", "europe"))
    assert (spec.default_pools, spec.fallback_pool, spec.name) == ((main, spare), main, "www.example.com")
    assert spec.region_pools == {"WEU": [europe]}
    assert spec.rules[0]["overrides"] == {"default_pools": [europe]}
    assert set(refs_in(spec)) == {main, spare, europe}


def test_a_region_that_is_gone_from_the_file_is_a_difference() -> None:
    shown = {"zone": "example.com", "name": "shop.example.com", "id": "x", "default_pools": ["p"]}
    wanted = replace(balancers.BARE, default_pools=("p",), fallback_pool="p", region_pools={"WEU": ["p"]})
    regions = {"WEU": ["p"], "OC": ["p"]}
    data = {**shown, "fallback_pool": "p", "proxied": True, "region_pools": regions}
    (change,) = BALANCER.differs(wanted, BALANCER.from_wire(data))
    assert change.field == "region_pools"


def test_requests(connect: Callable[..., Cloud]) -> None:
    async def use(cloud: Cloud) -> None:
        await MONITOR.delete(cloud, await MONITOR.create(cloud, monitors.FULL))
        await POOL.delete(cloud, await POOL.create(cloud, replace(pools.FULL, monitor="m")))
        await BALANCER.delete(cloud, await BALANCER.create(cloud, balancers.BARE))

    shown = [
        {"id": "m"},
        {"id": "m"},
        {"id": "p", "name": "shop-pool"},
        {"id": "p"},
        {"id": "b", "name": "shop.example.com"},
        {"id": "b"},
    ]
    monitor = {**MONITOR.to_wire(monitors.FULL)}
    pool = {**POOL.to_wire(replace(pools.FULL, monitor="m"))}
    pool.pop("check_regions")
    timeout = monitor.pop("timeout")
    assert ours(connect, use, *shown) == theirs(
        lambda c: c.load_balancers.monitors.create(
            account_id=ACCOUNT, load_balancer_monitor_timeout=timeout, **monitor
        ),
        lambda c: c.load_balancers.monitors.delete("m", account_id=ACCOUNT),
        lambda c: c.load_balancers.pools.create(account_id=ACCOUNT, **pool),
        lambda c: c.load_balancers.pools.delete("p", account_id=ACCOUNT),
        lambda c: c.load_balancers.create(
            zone_id=ZONE,
            name="shop.example.com",
            default_pools=["shop-pool"],
            fallback_pool="shop-pool",
            proxied=True,
        ),
        lambda c: c.load_balancers.delete("b", zone_id=ZONE),
    )


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"type": "ping"}, "it may be http"),
        ({"type": "tcp"}, "needs a port"),
        ({"type": "tcp", "port": 1, "path": "/x"}, "path is for http"),
        ({"expected_codes": "fine"}, "it may be like 200"),
        ({"path": "x"}, "starts with a slash"),
        ({"interval": 5}, "allows 10 to 3600"),
        ({"timeout": 60}, "allows 1 to 10"),
    ],
)
def test_problems_of_monitors(change: dict[str, Any], text: str) -> None:
    assert text in " ".join(MONITOR.problems(replace(monitors.BARE, **change)))
    assert list(MONITOR.problems(monitors.FULL)) == []


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"name": "with space"}, "letters, digits"),
        ({"origins": ()}, "no origins"),
        ({"origins": ({"name": "a", "address": "https://a.example"},)}, "without https://"),
        ({"origins": ({"name": "a"},)}, "lacks address"),
        ({"origins": ({"name": "a", "address": "a.example", "wait": 1},)}, "unknown key 'wait'"),
        ({"origins": ({"name": "a", "address": "a.example", "weight": 2},)}, "between 0 and 1"),
        ({"origins": ({"name": "a", "address": "a"}, {"name": "a", "address": "b"})}, "2 origins are called"),
        ({"latitude": 1.0}, "together"),
        ({"check_regions": ("MARS",)}, "MARS"),
    ],
)
def test_problems_of_pools(change: dict[str, Any], text: str) -> None:
    assert text in " ".join(POOL.problems(replace(pools.BARE, **change)))
    assert list(POOL.problems(pools.FULL)) == []


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"name": "www.elsewhere.test"}, "no host name of the zone"),
        ({"default_pools": ()}, "no default_pools"),
        ({"steering_policy": "best"}, "it may be off"),
        ({"ttl": 60}, "not proxied"),
        ({"session_affinity": "cookie", "proxied": False}, "needs a proxied"),
        ({"session_affinity": "sticky"}, "it may be none"),
        ({"session_affinity": "cookie", "session_affinity_ttl": 5}, "1800 to 604800"),
        ({"session_affinity": "header"}, "session_affinity_attributes.headers"),
        ({"rules": ({"condition": "ssl"},)}, "has no name"),
        ({"rules": ({"name": "r", "condition": "http.host eq shop"},)}, "column 14"),
    ],
)
def test_problems_of_balancers(change: dict[str, Any], text: str) -> None:
    assert text in " ".join(BALANCER.problems(replace(balancers.BARE, **change)))
    assert list(BALANCER.problems(balancers.FULL)) == []


def test_groups_of_monitors_and_private_networks(account: Sandbox) -> None:
    """A pool watched by a group, a load balancer in a network of the account."""

    async def use(cloud: Cloud) -> None:
        monitor = await MONITOR.create(cloud, monitors.BARE)
        flags = {"enabled": True, "monitoring_only": False, "must_be_healthy": True}
        members = [{"monitor_id": monitor.id, **flags}]
        path = f"{cloud.account}/load_balancers/monitor_groups"
        group = await cloud.post(path, json={"description": "both", "members": members})
        wanted = replace(pools.BARE, monitor_group=str(group["id"]))
        made = await POOL.create(cloud, wanted)
        assert POOL.differs(wanted, made) == ()
        assert await POOL.update(cloud, wanted, made) == made
        [problem] = POOL.problems(replace(wanted, monitor="shop-front"))
        assert "one of them" in problem
        networks = replace(
            balancers.BARE, default_pools=(made.id,), fallback_pool=made.id, networks=("cloudflare",)
        )
        there = await BALANCER.create(cloud, networks)
        assert BALANCER.differs(networks, there) == ()
        [change] = BALANCER.differs(replace(networks, networks=()), there)
        assert change.field == "networks"

    run(account, use)


def test_what_was_never_set_is_as_good_as_empty() -> None:
    wire = {"zone": "example.com", "name": "shop.example.com", "id": "1", "default_pools": ["shop-pool"]}
    there = BALANCER.from_wire({**wire, "fallback_pool": "shop-pool", "proxied": True})
    assert BALANCER.differs(replace(balancers.BARE, region_pools={}, rules=(), networks=()), there) == ()
    [change] = BALANCER.differs(replace(balancers.BARE, region_pools={"WEU": ["shop-pool"]}), there)
    assert change.field == "region_pools"
    pool = POOL.from_wire({"name": "shop-pool", "id": "1", "origins": [dict(pools.BARE.origins[0])]})
    assert POOL.differs(replace(pools.BARE, load_shedding={}, check_regions=()), pool) == ()
