"""CORS rules: a whole life, what the SDK would send, what cannot be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.resources.cases.r2_bucket_cors import BARE, BEFORE, FULL
from tests.resources.kinds.lives import ACCOUNT, listed, live, ours, run, theirs
from trailboss.cloud import Cloud
from trailboss.resources.r2_bucket_cors import KIND
from trailboss.resources.registry import kind


def test_a_life(account: Sandbox) -> None:
    run(account, lambda cloud: kind(BEFORE[0][0]).create(cloud, BEFORE[0][1]))
    found = live(account, KIND, BARE, FULL)
    assert found.rules[1]["allowed"]["methods"] == ["GET", "HEAD"]
    wire = account.call("GET", f"{account.account}/r2/buckets/shop-files/cors")
    assert wire["rules"][0]["maxAgeSeconds"] == 600

    async def use(cloud: Cloud) -> None:
        assert await listed(KIND, cloud, replace(BARE, bucket="nowhere")) == []
        await KIND.delete(cloud, replace(found, bucket="nowhere"))

    run(account, use)


def test_order_counts_and_filled_in_keys_do_not() -> None:
    shown = {"bucket": "shop-files", "jurisdiction": "default"}
    rules = KIND.to_wire(FULL)["rules"]
    assert KIND.differs(FULL, KIND.from_wire({**shown, "rules": rules[::-1]}))
    filled = [{**rule, "id": f"made-{number}", "exposeHeaders": []} for number, rule in enumerate(rules)]
    assert KIND.differs(BARE, KIND.from_wire({**shown, "rules": filled[1:]})) == ()


def test_requests(connect: Callable[..., Cloud]) -> None:
    async def use(cloud: Cloud) -> None:
        await KIND.delete(cloud, await KIND.create(cloud, FULL))

    rules: Any = [
        {
            "id": "upload",
            "allowed": {
                "origins": ["https://admin.example.com"],
                "methods": ["PUT"],
                "headers": ["content-type"],
            },
            "expose_headers": ["etag"],
            "max_age_seconds": 600,
        },
        {"allowed": {"origins": ["https://shop.example.com"], "methods": ["GET", "HEAD"]}},
    ]
    assert ours(connect, use, {}, {}) == theirs(
        lambda c: c.r2.buckets.cors.update("shop-files", account_id=ACCOUNT, rules=rules),
        lambda c: c.r2.buckets.cors.delete("shop-files", account_id=ACCOUNT),
    )


def _rule(**more: Any) -> dict[str, Any]:
    return {"allowed": {"origins": ["*"], "methods": ["GET"]}, **more}


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({}, "no table `allowed`"),
        ("x", "no table"),
        (_rule(allowed={"origins": ["*"]}), "no methods"),
        (_rule(allowed={"methods": ["GET"]}), "no origins"),
        (_rule(allowed={"origins": ["*"], "methods": ["OPTIONS"]}), "OPTIONS"),
        (_rule(allowed={"origins": ["https://a.example/"], "methods": ["GET"]}), "without a path"),
        (_rule(allowed={"origins": ["*"], "methods": ["GET"], "hosts": []}), "unknown key 'hosts'"),
        (_rule(max_age=5), "unknown key 'max_age'"),
        (_rule(maxAgeSeconds=90_000), "86400"),
    ],
)
def test_problems(rule: Any, text: str) -> None:
    assert text in " ".join(KIND.problems(replace(BARE, rules=(rule,))))
    assert list(KIND.problems(FULL)) == []
    assert "no rules" in " ".join(KIND.problems(replace(BARE, rules=())))
