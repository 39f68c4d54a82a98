"""Webhooks of notifications: a life, a secret that shows nowhere, what the SDK would send."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cloud.loopback import ok
from tests.conftest import Sandbox
from tests.plan.inprocess import Account as InProcess
from tests.plan.inprocess import DirectCloud
from tests.plan.test_contract import OPTIONS, done, resource, wanting
from tests.resources.cases.alerting_webhook import BARE, FULL, SECRETS
from tests.resources.kinds.lives import ACCOUNT, listed, live, opened, run, theirs, writes
from trailboss.cloud import Cloud
from trailboss.plan.apply import apply
from trailboss.plan.plan import make
from trailboss.plan.shown import shown
from trailboss.plan.wanted import Wanted
from trailboss.resources.alerting_webhook import KIND, AlertingWebhook
from trailboss.values import Secret

ID = "b115d5ec15c641ee8b7692c449b5227b"


def test_a_life(account: Sandbox) -> None:
    found = live(account, KIND, opened(BARE, SECRETS), opened(FULL, SECRETS))
    assert (found.type, KIND.handle(found)) == ("generic", found.id)
    assert "s3cret" not in repr(found)


def test_a_new_secret_is_sent_though_nothing_shows_it(account: Sandbox) -> None:
    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, opened(BARE, SECRETS))
        assert made.type == "slack"
        (later,) = await listed(KIND, cloud, BARE)
        before = cloud.stats.total
        after = await KIND.update(cloud, opened(BARE, SECRETS), later)
        assert after == made and cloud.stats.total > before

    run(account, use)


def test_an_address_that_is_a_secret_is_looked_up_and_shown_nowhere(tmp_path: Path) -> None:
    urls = {
        "${OLD}": "https://hooks.slack.com/services/old",
        "${NEW}": "https://hooks.slack.com/services/new",
    }

    async def reveal(wanted: Mapping[str, str]) -> Mapping[str, Secret]:
        return {name: Secret(urls[text]) for name, text in wanted.items()}

    async def life() -> None:
        cloud, options = DirectCloud(InProcess(tmp_path)), replace(OPTIONS, reveal=reveal)

        def wants(url: str) -> Wanted:
            return wanting(resource("alerting_webhook", "it", AlertingWebhook("chat", url)))

        for url in ("${OLD}", "${NEW}"):
            plan = await make(cloud, wants(url))
            assert url in repr(shown(plan).changes) and "slack" not in repr(shown(plan))
            await apply(cloud, wants(url), options)
            assert done(await make(cloud, wants(url))) == []
            assert [one.url for one in await listed(KIND, cloud, None)] == [urls[url]]

    asyncio.run(life())


def test_requests(connect: Callable[..., Cloud]) -> None:
    secret = SECRETS["${SHOP_HOOK_SECRET}"]

    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, opened(BARE, SECRETS))
        await KIND.update(cloud, opened(FULL, SECRETS), made)
        await KIND.delete(cloud, made)

    def hooks(client: Any) -> Any:
        return client.alerting.destinations.webhooks

    shown = {"id": ID, "name": BARE.name, "url": BARE.url}
    assert writes(connect, use, lambda _: ok(shown)) == theirs(
        lambda c: hooks(c).create(account_id=ACCOUNT, name=BARE.name, url=BARE.url, secret=secret),
        lambda c: hooks(c).update(ID, account_id=ACCOUNT, name=FULL.name, url=FULL.url, secret=secret),
        lambda c: hooks(c).delete(ID, account_id=ACCOUNT),
    )


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("hooks.slack.com/x", "https://"),
        ("https://example.com:8443/x", "8443"),
        ("https://example.com:port/x", "port"),
        ("${HOOK}", ""),
        ("op://Production/chat/url", ""),
        ("http://localhost:9000/x", ""),
        ("https://example.com:443/x", ""),
    ],
)
def test_problems(url: str, wrong: str) -> None:
    found = " ".join(KIND.problems(replace(BARE, url=url)))
    assert wrong in found and bool(found) is bool(wrong)
