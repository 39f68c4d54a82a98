"""Custom domains: a whole life, DNS records in the way, what a deploy writes, what the SDK would send."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.resources.cases.custom_domain import BARE, FULL, WORKER
from tests.resources.kinds.lives import ACCOUNT, deployed, listed, live, ours, run, theirs
from trailboss.cloud import Cloud
from trailboss.errors import RefusedError
from trailboss.release.triggers import deploy_triggers
from trailboss.resources.custom_domain import KIND, CustomDomain
from trailboss.resources.dns_record import DNSRecord
from trailboss.resources.registry import kind


@pytest.fixture
def shop(account: Sandbox) -> Sandbox:
    """The account with the Worker."""
    deployed(account, WORKER)
    return account


def test_a_life(shop: Sandbox) -> None:
    found = live(shop, KIND, BARE, FULL)
    assert (found.enabled, found.previews_enabled, found.zone_name) == (False, True, "example.com")


def test_others_stay_and_a_domain_can_move(shop: Sandbox) -> None:
    deployed(shop, "other")

    async def use(cloud: Cloud) -> None:
        beside = await KIND.create(cloud, CustomDomain("www.example.com", WORKER))
        made = await KIND.create(cloud, FULL)
        assert KIND.differs(FULL, made) == ()
        moved = await KIND.update(cloud, replace(BARE, script="other"), made)
        assert (moved.id, moved.script) == (made.id, "other")
        assert beside in await listed(KIND, cloud, BARE)

    run(shop, use)


def test_a_record_that_is_in_the_way_stays(shop: Sandbox) -> None:
    record = DNSRecord("example.com", "shop.example.com", "A", "192.0.2.1")

    async def use(cloud: Cloud) -> None:
        made = await kind("dns_record").create(cloud, record)
        with pytest.raises(RefusedError) as caught:
            await KIND.create(cloud, BARE)
        assert caught.value.code == "TB6113"
        assert made in await listed(kind("dns_record"), cloud, record)

    run(shop, use)


def test_a_plan_after_a_deploy_is_empty(shop: Sandbox) -> None:
    settings: dict[str, Any] = {
        "name": WORKER,
        "workers_dev": False,
        "routes": [
            {"pattern": "Shop.example.com", "custom_domain": True},
            {"pattern": "www.example.com", "custom_domain": True, "zone_name": "example.com"},
            {"pattern": "api.example.com", "custom_domain": True, "previews_enabled": True},
            "example.com/*",
        ],
    }

    async def use(cloud: Cloud) -> None:
        await deploy_triggers(cloud, WORKER, settings)
        found = {one.hostname: one for one in await listed(KIND, cloud, BARE)}
        wanted = dict(KIND.from_worker(WORKER, settings))
        assert set(found) == set(wanted)
        assert all(KIND.differs(spec, found[name]) == () for name, spec in wanted.items())

    run(shop, use)


def test_one_route(shop: Sandbox) -> None:
    raw = {"route": {"pattern": "a.example.com", "custom_domain": True, "zone_id": None}}
    assert list(KIND.from_worker(WORKER, raw)) == [("a.example.com", CustomDomain("a.example.com", WORKER))]
    assert list(KIND.from_worker(WORKER, {"routes": []})) == []


def test_requests(connect: Callable[..., Cloud]) -> None:
    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, replace(BARE, zone_name="example.com"))
        await KIND.delete(cloud, made)

    shown = {"id": "f" * 32, "hostname": "shop.example.com", "service": WORKER}
    assert ours(connect, use, shown, None) == theirs(
        lambda c: c.workers.domains.update(
            account_id=ACCOUNT, hostname="shop.example.com", service=WORKER, zone_name="example.com"
        ),
        lambda c: c.workers.domains.delete("f" * 32, account_id=ACCOUNT),
    )


def test_what_is_not_shown_is_not_compared() -> None:
    shown = {"id": "i", "hostname": "shop.example.com", "service": WORKER}
    assert KIND.differs(FULL, KIND.from_wire(shown)) == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("*.example.com", "wildcard"),
        ("example.com/a", "no host name"),
        ("localhost", "no host name"),
        ("Example.com", "example.com"),
        (f"{'a' * 250}.com", "253"),
    ],
)
def test_problems(name: str, text: str) -> None:
    assert text in " ".join(KIND.problems(replace(BARE, hostname=name)))
    assert list(KIND.problems(FULL)) == []
    strange = replace(BARE, hostname="ai.example.org", zone_name="example.com")
    assert list(KIND.problems(strange)) == ["'ai.example.org' is not in the zone example.com"]
