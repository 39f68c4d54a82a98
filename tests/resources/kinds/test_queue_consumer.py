"""Consumers: a whole life, pulling, what a deploy writes, what the SDK would send."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.cloud.loopback import Answer, Request, ok
from tests.conftest import Sandbox
from tests.resources.cases.queue_consumer import BARE, BEFORE, FULL, WORKER
from tests.resources.kinds.lives import ACCOUNT, deployed, listed, live, run, theirs, writes
from trailboss.cloud import Cloud
from trailboss.errors import AlreadyExists, NotFound
from trailboss.release.triggers import deploy_triggers
from trailboss.resources.protocol import Need
from trailboss.resources.queue_consumer import KIND, QueueConsumer
from trailboss.resources.registry import kind

QUEUE_ID = "e" * 32
PULLED = QueueConsumer("shop-jobs", "http_pull", visibility_timeout_ms=9000, batch_size=5)


@pytest.fixture
def shop(account: Sandbox) -> Sandbox:
    """The account with the Worker and the queues."""

    async def before(cloud: Cloud) -> None:
        for name, spec in BEFORE:
            await kind(name).create(cloud, spec)

    deployed(account, WORKER)
    run(account, before)
    return account


def test_a_life(shop: Sandbox) -> None:
    live(shop, KIND, BARE, FULL)


def test_pulling(shop: Sandbox) -> None:
    found = live(shop, KIND, replace(PULLED, batch_size=1), PULLED)
    assert found.script == ""
    (change,) = KIND.differs(QueueConsumer("shop-jobs", "http_pull", max_retries=7), found)
    assert change.field == "max_retries"

    async def use(cloud: Cloud) -> None:
        with pytest.raises(AlreadyExists):
            await KIND.create(cloud, BARE)
        with pytest.raises(NotFound):
            await KIND.create(cloud, replace(BARE, queue="nowhere"))

    run(shop, use)


def test_a_dead_letter_queue_can_go(shop: Sandbox) -> None:
    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, FULL)
        none = replace(FULL, dead_letter_queue="")
        assert KIND.differs(none, await KIND.update(cloud, none, made)) == ()
        assert KIND.differs(none, (await listed(KIND, cloud, none))[0]) == ()

    run(shop, use)


SETTINGS: dict[str, Any] = {
    "name": WORKER,
    "workers_dev": True,
    "queues": {
        "consumers": [
            {
                "queue": "shop-jobs",
                "max_batch_size": 7,
                "max_batch_timeout": 2,
                "dead_letter_queue": "shop-dead",
                "max_concurrency": None,
            },
            {"queue": "shop-dead"},
        ]
    },
}


def test_a_plan_after_a_deploy_is_empty(shop: Sandbox) -> None:
    async def use(cloud: Cloud) -> None:
        await deploy_triggers(cloud, WORKER, SETTINGS)
        found = {one.queue: one for one in await listed(KIND, cloud, BARE)}
        wanted = dict(KIND.from_worker(WORKER, SETTINGS))
        assert set(found) == set(wanted)
        for name, spec in wanted.items():
            assert KIND.differs(spec, found[name]) == ()
            assert list(KIND.problems(spec)) == []

    run(shop, use)


def test_from_worker() -> None:
    pulled = {"queue": "q", "type": "http_pull", "visibility_timeout_ms": 9, "max_batch_timeout": 1}
    ((key, spec),) = KIND.from_worker(WORKER, {"queues": {"consumers": [pulled]}})
    assert (key, spec) == ("q", QueueConsumer("q", "http_pull", visibility_timeout_ms=9))
    assert list(KIND.from_worker(WORKER, {})) == []
    assert KIND.needs(FULL) == (Need("queue", ("shop-jobs",)), Need("queue", ("shop-dead",)))


def test_requests(connect: Callable[..., Cloud]) -> None:
    def respond(request: Request) -> Answer:
        if request.method == "GET":
            return ok([{"queue_name": "shop-jobs", "queue_id": QUEUE_ID}], {"total_count": 1})
        return ok({"consumer_id": "c1", "type": "worker"})

    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, BARE)
        await KIND.delete(cloud, await KIND.update(cloud, FULL, made))

    settings: Any = {
        "batch_size": 25,
        "max_retries": 3,
        "max_wait_time_ms": 5000,
        "max_concurrency": 10,
        "retry_delay": 60,
    }
    place: Any = {"account_id": ACCOUNT, "queue_id": QUEUE_ID}
    assert writes(connect, use, respond) == theirs(
        lambda c: c.queues.consumers.create(type="worker", script_name=WORKER, **place),
        lambda c: c.queues.consumers.update(
            "c1",
            type="worker",
            script_name=WORKER,
            dead_letter_queue="shop-dead",
            settings=settings,
            **place,
        ),
        lambda c: c.queues.consumers.delete("c1", **place),
    )


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (replace(BARE, type="push"), "http_pull"),
        (replace(BARE, script=""), "has a `script`"),
        (replace(PULLED, script="shop"), "has none"),
        (replace(BARE, batch_size=101), "1 to 100"),
        (replace(BARE, visibility_timeout_ms=5), "no visibility_timeout_ms"),
        (replace(PULLED, max_concurrency=5), "no max_concurrency"),
    ],
)
def test_problems(spec: QueueConsumer, text: str) -> None:
    assert text in " ".join(KIND.problems(spec))
    assert list(KIND.problems(FULL)) == list(KIND.problems(PULLED)) == []
