"""Access applications: a whole life, policies in their order, what stays, what stands in the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.cloud.loopback import Answer, Request, ok
from tests.conftest import Sandbox
from tests.resources.cases.access_application import BARE, BEFORE, FULL
from tests.resources.kinds.lives import ACCOUNT, live, run, theirs, writes
from trailboss.cloud import Cloud
from trailboss.errors import AlreadyExists
from trailboss.resources.access_application import KIND, AccessApplication
from trailboss.resources.registry import kind

ID = "0b1e6a44-7b1e-4a53-9d0a-b8a2a64b8a11"


def policies(account: Sandbox) -> list[str]:
    """The ids of the policies of BEFORE."""

    async def use(cloud: Cloud) -> list[str]:
        return [(await kind(name).create(cloud, spec)).id for name, spec in BEFORE]

    return list(run(account, use))


def test_a_life(account: Sandbox) -> None:
    account.call("POST", f"{account.account}/access/tags", {"name": "ours"}, expect=201)
    first, second = policies(account)
    found = live(account, KIND, BARE, replace(FULL, policies=(second, first), tags=("ours",)))
    assert found.policies == (second, first) and len(found.aud) == 64
    assert found.domain == "next.example.com/admin" and len(found.destinations) == 2


def test_what_the_file_does_not_name_stays(account: Sandbox) -> None:
    first, second = policies(account)

    async def use(cloud: Cloud) -> None:
        beside = ({"type": "public", "uri": "dev.example.com"}, {"type": "public", "uri": "b.example.com"})
        whole = replace(
            BARE, destinations=beside, policies=(second, first), logo_url="https://x.example/l.png"
        )
        made = await KIND.create(cloud, whole)
        moved = await KIND.update(cloud, replace(BARE, domain="new.example.com"), made)
        assert [one["uri"] for one in moved.destinations] == ["new.example.com", "b.example.com"]
        assert moved.policies == (second, first) and moved.logo_url == "https://x.example/l.png"
        alone = await KIND.update(cloud, replace(BARE, policies=()), moved)
        assert alone.policies == () and alone.domain == "dev.example.com"

    run(account, use)


def test_one_place_has_one_application(account: Sandbox) -> None:
    async def use(cloud: Cloud) -> None:
        await KIND.create(cloud, BARE)
        with pytest.raises(AlreadyExists):
            await KIND.create(cloud, replace(BARE, name="other"))

    run(account, use)


def test_requests(connect: Callable[..., Cloud]) -> None:
    shown: Any = {
        "id": ID,
        "aud": "f" * 64,
        "name": "dev",
        "type": "self_hosted",
        "domain": "dev.example.com",
        "self_hosted_domains": ["dev.example.com"],
        "destinations": [{"type": "public", "uri": "dev.example.com"}],
        "policies": [{"id": "p", "precedence": 1, "name": "x", "decision": "allow"}],
        "custom_pages": ["page"],
        "created_at": "2026-01-01T00:00:00Z",
    }

    def respond(request: Request) -> Answer:
        return ok(shown)

    changed = replace(BARE, domain="new.example.com", session_duration="1h", policies=("q", "p"))

    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, BARE)
        await KIND.update(cloud, changed, made)
        await KIND.delete(cloud, made)

    links = [{"id": "q", "precedence": 1}, {"id": "p", "precedence": 2}]
    assert writes(connect, use, respond) == theirs(
        lambda c: c.zero_trust.access.applications.create(
            account_id=ACCOUNT, name="dev", type="self_hosted", domain="dev.example.com"
        ),
        lambda c: c.zero_trust.access.applications.update(
            ID,
            account_id=ACCOUNT,
            name="dev",
            type="self_hosted",
            domain="new.example.com",
            session_duration="1h",
            policies=links,
            custom_pages=["page"],
        ),
        lambda c: c.zero_trust.access.applications.delete(ID, account_id=ACCOUNT),
    )


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (AccessApplication("a"), "lacks domain"),
        (replace(BARE, type="saas"), "self_hosted"),
        (replace(BARE, domain="https://a.example.com"), "without https://"),
        (replace(BARE, destinations=tuple({"uri": f"{n}.example.com"} for n in range(6))), "6 public"),
        (replace(BARE, session_duration="1 hour"), "24h"),
    ],
)
def test_problems(spec: AccessApplication, text: str) -> None:
    assert text in " ".join(KIND.problems(spec))
    assert list(KIND.problems(BARE)) == list(KIND.problems(FULL)) == []
