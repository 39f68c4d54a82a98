"""Routes: a whole life, zones that nobody names, what a deploy writes, what the SDK would send."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.resources.cases.worker_route import BARE, FULL, WORKER
from tests.resources.kinds.lives import ZONE, deployed, listed, live, ours, run, theirs
from trailboss.cloud import Cloud
from trailboss.errors import AlreadyExists, NotFound
from trailboss.release.triggers import deploy_triggers
from trailboss.resources.worker_route import KIND, WorkerRoute


@pytest.fixture
def shop(account: Sandbox) -> Sandbox:
    """The account with the Worker."""
    deployed(account, WORKER)
    return account


@pytest.mark.parametrize("zone", ["example.com", ""])
def test_a_life(shop: Sandbox, zone: str) -> None:
    live(shop, KIND, replace(BARE, zone=zone), replace(FULL, zone=zone))

    async def use(cloud: Cloud) -> None:
        with pytest.raises(AlreadyExists):
            await KIND.create(cloud, replace(FULL, zone=zone))

    run(shop, use)


def test_no_such_zone(account: Sandbox) -> None:
    async def use(cloud: Cloud) -> None:
        with pytest.raises(NotFound) as caught:
            await listed(KIND, cloud, WorkerRoute("", "shop.example.net/*"))
        assert caught.value.code == "TB2305"

    run(account, use)


def test_a_plan_after_a_deploy_is_empty(shop: Sandbox) -> None:
    settings: dict[str, Any] = {
        "name": WORKER,
        "workers_dev": False,
        "routes": [
            "example.com/api*",
            {"pattern": "*.example.com/shop/*", "zone_name": "example.com"},
            {"pattern": "www.example.com", "custom_domain": True},
        ],
    }

    async def use(cloud: Cloud) -> None:
        await deploy_triggers(cloud, WORKER, settings)
        wanted = dict(KIND.from_worker(WORKER, settings))
        assert list(wanted) == ["example.com/api*", "*.example.com/shop/*"]
        assert len({KIND.scope_of(spec) for spec in wanted.values()}) == 2
        for spec in wanted.values():
            found = {one.pattern: one for one in await listed(KIND, cloud, spec)}
            assert len(found) == 2
            assert KIND.differs(spec, found[spec.pattern]) == ()
            assert found[spec.pattern].zone == spec.zone

    run(shop, use)


def test_one_route() -> None:
    raw = {"route": "a.example.com/*"}
    assert list(KIND.from_worker(WORKER, raw)) == [
        ("a.example.com/*", WorkerRoute("", "a.example.com/*", WORKER))
    ]
    by_id = {"routes": [{"pattern": "a.example.com/*", "zone_id": ZONE}]}
    ((_, spec),) = KIND.from_worker(WORKER, by_id)
    assert spec.zone == ZONE
    assert list(KIND.problems(spec)) == []


def test_requests(connect: Callable[..., Cloud]) -> None:
    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, BARE)
        await KIND.delete(cloud, await KIND.update(cloud, FULL, made))

    shown = {"id": "f" * 32, "pattern": "shop.example.com/*"}
    pattern = "shop.example.com/*"
    assert ours(connect, use, shown, {**shown, "script": WORKER}, None) == theirs(
        lambda c: c.workers.routes.create(zone_id=ZONE, pattern=pattern),
        lambda c: c.workers.routes.update("f" * 32, zone_id=ZONE, pattern=pattern, script=WORKER),
        lambda c: c.workers.routes.delete("f" * 32, zone_id=ZONE),
    )


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("/path", "no host name"),
        ("example.com/?a=1", "query"),
        ("a.*.example.com/", "a * stands only"),
        ("example.com/*/a", "a * stands only"),
        ("example.net/*", "not in the zone"),
    ],
)
def test_problems(pattern: str, text: str) -> None:
    assert text in " ".join(KIND.problems(replace(BARE, pattern=pattern)))
    for fine in ("example.com", "*example.com/*", "https://*.example.com/a*"):
        assert list(KIND.problems(replace(BARE, pattern=fine))) == []
