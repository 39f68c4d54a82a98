"""Applies of a zone's kinds, stopped at every call and run again: nothing double, nothing left behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.plan.crashing import Fixture, Runner, prepared, resource, wanting
from tests.plan.inprocess import ACCOUNT, Account
from tests.resources.cases import argo_smart_routing as argos
from tests.resources.cases import certificate_pack as packs
from tests.resources.cases import load_balancer as balancers
from tests.resources.cases import load_balancer_monitor as monitors
from tests.resources.cases import load_balancer_pool as pools
from tests.resources.cases import tiered_cache as caches
from tests.resources.cases import zone_setting as settings
from trailboss.resources.marks import Ref

MONITOR = resource("load_balancer_monitor", "front", monitors.BARE)
TO_MONITOR, TO_POOL = Ref("load_balancer_monitor", "front"), Ref("load_balancer_pool", "main")
POOL = resource("load_balancer_pool", "main", replace(pools.FULL, monitor=TO_MONITOR))
BALANCER = resource(
    "load_balancer",
    "shop",
    replace(balancers.BARE, default_pools=(TO_POOL,), fallback_pool=TO_POOL, region_pools={"WEU": [TO_POOL]}),
)
PACK = resource("certificate_pack", "all", packs.BARE)
OTHER_PACK = resource("certificate_pack", "all", replace(packs.BARE, certificate_authority="ssl_com"))
SETTINGS = (
    resource("zone_setting", "security_header", settings.FULL),
    resource("tiered_cache", "cache", caches.FULL),
    resource("argo_smart_routing", "routing", argos.FULL),
)
NAMESAKE = (
    "POST",
    f"/accounts/{ACCOUNT}/load_balancers/monitors",
    {"type": "http", "description": monitors.BARE.description},
)

FIXTURES: dict[str, Callable[[Account], Fixture]] = {
    "balancing": lambda a: prepared(a, "balancing", None, wanting(MONITOR, POOL, BALANCER), NAMESAKE),
    "replace": lambda a: prepared(a, "replace", wanting(PACK), wanting(OTHER_PACK)),
    "settings": lambda a: prepared(a, "settings", None, wanting(*SETTINGS)),
}


@pytest.mark.parametrize("name", FIXTURES)
def test_every_call(tmp_path: Path, name: str) -> None:
    account = Account(tmp_path)
    assert Runner(account, FIXTURES[name](account)).singles() >= 18
