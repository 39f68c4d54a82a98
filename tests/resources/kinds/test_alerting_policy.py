"""Policies of notifications: a life, whom they tell in any order, what the SDK would send."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.cloud.loopback import ok
from tests.conftest import Sandbox
from tests.resources.cases.alerting_policy import BARE, FULL
from tests.resources.kinds.lives import ACCOUNT, listed, run, theirs, writes
from trailboss.cloud import Cloud
from trailboss.resources import alerting_webhook
from trailboss.resources.alerting_policy import KIND
from trailboss.resources.alerting_webhook import AlertingWebhook
from trailboss.resources.marks import UNSET

ID = "0da2b59ef118439d8097bdfb215203c9"


def test_a_life(account: Sandbox) -> None:
    async def use(cloud: Cloud) -> None:
        hook = await alerting_webhook.KIND.create(cloud, AlertingWebhook("chat", "https://example.com"))
        full = replace(FULL, webhooks=(hook.id,))
        made = await KIND.create(cloud, BARE)
        assert KIND.differs(BARE, made) == () and await listed(KIND, cloud, BARE) == [made]
        changed = await KIND.update(cloud, full, made)
        assert KIND.differs(full, changed) == () and await listed(KIND, cloud, full) == [changed]
        turned = replace(full, email=tuple(reversed(full.email)))
        requests = cloud.stats.total
        assert await KIND.update(cloud, turned, changed) == changed and cloud.stats.total == requests
        fewer = replace(full, email=(), filters={}, enabled=True)
        less = await KIND.update(cloud, fewer, changed)
        assert (less.email, less.filters, less.webhooks) == ((), {}, (hook.id,))
        await KIND.delete(cloud, less)
        await KIND.delete(cloud, less)
        assert await listed(KIND, cloud, BARE) == []

    run(account, use)


def test_requests(connect: Callable[..., Cloud]) -> None:
    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, replace(FULL, webhooks=("b" * 32,)))
        await KIND.update(cloud, BARE, made)
        await KIND.delete(cloud, made)

    full: dict[str, Any] = {
        "name": FULL.name,
        "alert_type": FULL.alert_type,
        "enabled": False,
        "mechanisms": {
            "email": [{"id": "boss@example.com"}, {"id": "ops@example.com"}],
            "webhooks": [{"id": "b" * 32}],
        },
        "filters": FULL.filters,
        "description": FULL.description,
        "alert_interval": "30m",
    }
    bare: dict[str, Any] = {
        "name": BARE.name,
        "alert_type": BARE.alert_type,
        "enabled": True,
        "mechanisms": {"email": [{"id": "ops@example.com"}]},
    }
    shown = {"id": ID, "name": BARE.name}
    assert writes(connect, use, lambda _: ok(shown)) == theirs(
        lambda c: c.alerting.policies.create(account_id=ACCOUNT, **full),
        lambda c: c.alerting.policies.update(ID, account_id=ACCOUNT, **bare),
        lambda c: c.alerting.policies.delete(ID, account_id=ACCOUNT),
    )


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, ""),
        ({"email": ()}, "nobody"),
        ({"email": ("ops",)}, "e-mail"),
        ({"alert_type": "tunnel_heath_event"}, "tunnel_health_event"),
        ({"alert_type": "brand_new_alert"}, ""),
        ({"alert_type": "billing_usage_alert"}, "product"),
        ({"filters": {"new_status": "DOWN"}}, "list"),
        ({"filters": UNSET}, ""),
    ],
)
def test_problems(change: dict[str, Any], wrong: str) -> None:
    found = " ".join(KIND.problems(replace(BARE, **change)))
    assert wrong in found and bool(found) is bool(wrong)


def test_what_the_file_does_not_say_stays(account: Sandbox) -> None:
    """A write names everything, or it would take away what was set by hand."""

    async def use(cloud: Cloud) -> None:
        given = replace(BARE, description="by hand", alert_interval="30m")
        made = await KIND.create(cloud, given)
        changed = await KIND.update(
            cloud, replace(BARE, email=("ops@example.com", "night@example.com")), made
        )
        assert (changed.description, changed.alert_interval) == ("by hand", "30m")

    run(account, use)
