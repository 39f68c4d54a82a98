"""Access groups: a whole life, short rules, references, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.resources.cases.access_group import BARE, BEFORE, FULL
from tests.resources.kinds.lives import ACCOUNT, live, ours, run, theirs
from trailboss.cloud import Cloud
from trailboss.resources.access_group import KIND, AccessGroup
from trailboss.resources.marks import Ref, resolved
from trailboss.resources.reading import read_spec
from trailboss.resources.registry import kind
from trailboss.values import Location

ID = "0b1e6a44-7b1e-4a53-9d0a-b8a2a64b8a11"


def test_a_life(account: Sandbox) -> None:
    token = run(account, lambda cloud: kind(BEFORE[0][0]).create(cloud, BEFORE[0][1]))
    full = resolved(FULL, {Ref("access_service_token", "before-0"): token.id})
    found = live(account, KIND, BARE, full)
    assert {"service_token": {"token_id": token.id}} in found.include


def test_rules_may_be_short() -> None:
    table = {
        "include": [
            {"email": "ann@example.com"},
            {"email_domain": "example.com"},
            {"everyone": True},
            {"service_token": "ci"},
            {"group": "admins"},
            {"gsuite": {"email": "a@example.com", "identity_provider_id": "x"}},
        ],
        "exclude": [{"geo": "AQ"}, {"ip": "10.0.0.0/8"}],
    }
    spec = read_spec(KIND, table, name="staff", zone=str, locate=lambda *_: Location("f", 1))
    assert spec.name == "staff" and spec.require == ()
    assert spec.include == (
        {"email": {"email": "ann@example.com"}},
        {"email_domain": {"domain": "example.com"}},
        {"everyone": {}},
        {"service_token": {"token_id": Ref("access_service_token", "ci")}},
        {"group": {"id": Ref("access_group", "admins")}},
        {"gsuite": {"email": "a@example.com", "identity_provider_id": "x"}},
    )
    assert spec.exclude == ({"geo": {"country_code": "AQ"}}, {"ip": {"ip": "10.0.0.0/8"}})


def test_what_cloudflare_adds_to_a_rule_is_no_difference() -> None:
    shown = {"id": ID, "name": "staff", "include": [{"email_domain": {"domain": "example.com", "more": 1}}]}
    assert KIND.differs(BARE, KIND.from_wire(shown)) == ()
    assert [
        change.field for change in KIND.differs(replace(BARE, require=BARE.include), KIND.from_wire(shown))
    ] == ["require"]


def test_requests(connect: Callable[..., Cloud]) -> None:
    shown: Any = {"id": ID, "name": "staff"}
    include: Any = [{"email_domain": {"domain": "example.com"}}]

    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, BARE)
        await KIND.update(cloud, BARE, made)
        await KIND.delete(cloud, made)

    body: Any = {"name": "staff", "include": include, "exclude": [], "require": []}
    assert ours(connect, use, shown, shown, None) == theirs(
        lambda c: c.zero_trust.access.groups.create(account_id=ACCOUNT, **body),
        lambda c: c.zero_trust.access.groups.update(ID, account_id=ACCOUNT, **body),
        lambda c: c.zero_trust.access.groups.delete(ID, account_id=ACCOUNT),
    )


@pytest.mark.parametrize(
    ("include", "text"),
    [
        ((), "lacks include"),
        (({"everyone": {}, "geo": {"country_code": "US"}},), "has 2 keys"),
        (({"mail": {"email": "a@b.c"}},), "does not know 'mail'"),
    ],
)
def test_problems(include: Any, text: str) -> None:
    assert text in " ".join(KIND.problems(AccessGroup("a", include)))
    assert list(KIND.problems(BARE)) == list(KIND.problems(FULL)) == []
