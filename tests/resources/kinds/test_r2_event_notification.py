"""Event notifications: a whole life, other queues' rules, what the SDK would send."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.cloud.loopback import Answer, Request, ok
from tests.conftest import Sandbox
from tests.resources.cases.r2_event_notification import BARE, BEFORE, FULL
from tests.resources.kinds.lives import ACCOUNT, listed, live, run, theirs, writes
from trailboss.cloud import Cloud
from trailboss.errors import NotFound
from trailboss.resources.queue import Queue
from trailboss.resources.r2_event_notification import KIND
from trailboss.resources.registry import kind

QUEUE_ID = "e" * 32


async def _before(cloud: Cloud) -> None:
    for name, spec in BEFORE:
        await kind(name).create(cloud, spec)


def test_a_life(account: Sandbox) -> None:
    run(account, _before)
    live(account, KIND, BARE, FULL)


def test_what_stays_and_what_goes(account: Sandbox) -> None:
    async def use(cloud: Cloud) -> None:
        await _before(cloud)
        await kind("queue").create(cloud, Queue("others"))
        theirs = await KIND.create(cloud, replace(BARE, queue="others"))
        made = await KIND.create(cloud, BARE)
        after = await KIND.update(cloud, replace(BARE, rules=(*BARE.rules, FULL.rules[0])), made)
        assert set(made.rule_ids) < set(after.rule_ids)  # an unchanged rule is not made anew
        twice = await KIND.create(cloud, BARE)  # a lost answer, sent again
        assert len(twice.rules) == 3
        healed = await KIND.update(cloud, BARE, twice)
        assert KIND.differs(BARE, healed) == ()
        assert theirs in await listed(KIND, cloud, BARE)
        await KIND.delete(cloud, healed)
        assert await listed(KIND, cloud, BARE) == [theirs]
        with pytest.raises(NotFound) as caught:
            await KIND.create(cloud, replace(BARE, queue="nowhere"))
        assert caught.value.code == "TB2304"

    run(account, use)


def test_requests(connect: Callable[..., Cloud]) -> None:
    def respond(request: Request) -> Answer:
        if request.path.endswith("/queues"):
            return ok([{"queue_name": "shop-jobs", "queue_id": QUEUE_ID}], {"total_count": 1})
        return ok({"queueId": QUEUE_ID, "rules": []})

    async def use(cloud: Cloud) -> None:
        await KIND.delete(cloud, await KIND.create(cloud, BARE))

    place = {"account_id": ACCOUNT, "bucket_name": "shop-files"}
    rules: Any = [{"actions": ["PutObject", "CopyObject", "CompleteMultipartUpload"], "prefix": "in/"}]
    assert writes(connect, use, respond) == theirs(
        lambda c: c.r2.buckets.event_notifications.update(QUEUE_ID, **place, rules=rules),
        lambda c: c.r2.buckets.event_notifications.delete(QUEUE_ID, **place),
    )


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ((), "told nothing"),
        (({"prefix": "a"},), "no actions"),
        (("a",), "no table"),
        (({"actions": ["Put"]},), "PutObject"),
        (({"actions": ["PutObject"], "event": "x"},), "unknown key 'event'"),
        (({"actions": ["PutObject"]}, {"actions": ["object-create"], "prefix": "a"}), "1 and 2 overlap"),
        (tuple({"actions": ["PutObject"], "prefix": f"{n:03}"} for n in range(101)), "100"),
    ],
)
def test_problems(rules: Any, text: str) -> None:
    assert text in " ".join(KIND.problems(replace(BARE, rules=rules)))
    assert list(KIND.problems(FULL)) == []
