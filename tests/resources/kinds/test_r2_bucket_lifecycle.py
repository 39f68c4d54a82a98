"""Lifecycle rules: a whole life, Cloudflare's own first rule, what the SDK would send."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.resources.cases.r2_bucket_lifecycle import BARE, BEFORE, FULL
from tests.resources.kinds.lives import ACCOUNT, listed, live, ours, run, theirs
from trailboss.cloud import Cloud
from trailboss.resources.r2_bucket import R2Bucket
from trailboss.resources.r2_bucket_lifecycle import DEFAULT_RULE, KIND
from trailboss.resources.registry import kind


def _bucket(account: Sandbox) -> None:
    run(account, lambda cloud: kind(BEFORE[0][0]).create(cloud, BEFORE[0][1]))


def test_a_life(account: Sandbox) -> None:
    _bucket(account)
    found = live(account, KIND, BARE, FULL)
    assert [rule["id"] for rule in found.rules] == ["old", "temporary"]
    wire = account.call("GET", f"{account.account}/r2/buckets/shop-files/lifecycle")
    assert wire["rules"][1]["storageClassTransitions"] == [
        {"condition": {"type": "Date", "date": "2027-01-31T00:00:00Z"}, "storageClass": "InfrequentAccess"}
    ]


def test_the_rule_of_every_bucket_is_nobodys(account: Sandbox) -> None:
    _bucket(account)
    usual, none = replace(BARE, rules=(DEFAULT_RULE,)), replace(BARE, rules=())

    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, BARE)
        await KIND.delete(cloud, made)
        assert await listed(KIND, cloud, BARE) == []
        assert KIND.differs(usual, (await listed(KIND, cloud, usual))[0]) == ()
        empty = await KIND.create(cloud, none)
        assert await listed(KIND, cloud, none) == [empty]
        assert await listed(KIND, cloud, replace(BARE, bucket="nowhere")) == []
        await KIND.delete(cloud, replace(made, bucket="nowhere"))

    run(account, use)


def test_a_bucket_with_a_jurisdiction(account: Sandbox) -> None:
    spec = replace(BARE, jurisdiction="eu")
    run(account, lambda cloud: kind("r2_bucket").create(cloud, R2Bucket("shop-files", "eu")))
    live(account, KIND, spec, replace(FULL, jurisdiction="eu"))
    assert KIND.scope_of(spec) == ("shop-files", "eu")


def test_spellings_are_equal() -> None:
    found = KIND.from_wire(
        {
            "bucket": "shop-files",
            "jurisdiction": "default",
            "rules": [
                {
                    "id": "a",
                    "enabled": True,
                    "conditions": {"prefix": ""},
                    "deleteObjectsTransition": {
                        "condition": {"type": "Date", "date": "2027-01-31T00:00:00Z"}
                    },
                }
            ],
        }
    )
    for when in ("2027-01-31", "2027-01-31T01:00:00+01:00", date(2027, 1, 31)):
        rule = {"id": "a", "deleteObjectsTransition": {"condition": {"date": when}}}
        assert KIND.differs(replace(BARE, rules=(rule,)), found) == ()
    assert KIND.differs(BARE, found)


def test_requests(connect: Callable[..., Cloud]) -> None:
    rules: Any = [
        {
            "id": "old",
            "enabled": True,
            "conditions": {"prefix": ""},
            "delete_objects_transition": {"condition": {"type": "Age", "max_age": 86_400}},
        }
    ]
    assert ours(connect, lambda cloud: KIND.create(cloud, BARE), {}) == theirs(
        lambda c: c.r2.buckets.lifecycle.update("shop-files", account_id=ACCOUNT, rules=rules)
    )


_DO = {"delete_objects_transition": {"condition": {"max_age": 1}}}


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        (({"id": "a", **_DO}, {"id": "a", **_DO}), "two rules have the id 'a'"),
        ((_DO,), "no id"),
        (({"id": "a"},), "does nothing"),
        (({"id": "a", "prefix": "x", **_DO},), "unknown key 'prefix'"),
        (("a",), "no table"),
        (({"id": "a", "delete_objects_transition": {"condition": {"days": 1}}},), "max_age"),
        (({"id": "a", "storage_class_transitions": [{"condition": {"max_age": 1}}]},), "InfrequentAccess"),
        (tuple({"id": str(n), **_DO} for n in range(1001)), "1000"),
    ],
)
def test_problems(rules: Any, text: str) -> None:
    assert text in " ".join(KIND.problems(replace(BARE, rules=rules)))
    assert list(KIND.problems(FULL)) == []
