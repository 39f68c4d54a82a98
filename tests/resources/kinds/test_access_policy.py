"""Access policies: a whole life, what others set stays, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.cloud.loopback import Answer, Request, ok
from tests.conftest import Sandbox
from tests.resources.cases.access_policy import BARE, BEFORE, EVERYONE, FULL
from tests.resources.kinds.lives import ACCOUNT, live, run, theirs, writes
from trailboss.cloud import Cloud
from trailboss.resources.access_policy import KIND, AccessPolicy
from trailboss.resources.marks import Ref, resolved
from trailboss.resources.registry import kind

ID = "0b1e6a44-7b1e-4a53-9d0a-b8a2a64b8a11"


def test_a_life(account: Sandbox) -> None:
    group = run(account, lambda cloud: kind(BEFORE[0][0]).create(cloud, BEFORE[0][1]))
    full = resolved(FULL, {Ref("access_group", "before-0"): group.id})
    found = live(account, KIND, BARE, full)
    assert found.include == ({"group": {"id": group.id}},)

    async def use(cloud: Cloud) -> None:
        changed = await KIND.update(cloud, BARE, found)
        assert changed.decision == "allow" and changed.exclude == ()
        assert changed.session_duration == "1h30m", "what the file does not name stays"

    run(account, use)


def test_requests(connect: Callable[..., Cloud]) -> None:
    shown = {
        "id": ID,
        "name": "staff",
        "decision": "deny",
        "include": list(EVERYONE),
        "mfa_config": {"mfa_disabled": True},
        "reusable": True,
        "app_count": 2,
    }

    def respond(request: Request) -> Answer:
        return ok(shown)

    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, BARE)
        await KIND.update(cloud, BARE, made)
        await KIND.delete(cloud, made)

    body: Any = {
        "name": "staff",
        "decision": "allow",
        "include": list(EVERYONE),
        "exclude": [],
        "require": [],
    }
    assert writes(connect, use, respond) == theirs(
        lambda c: c.zero_trust.access.policies.create(account_id=ACCOUNT, **body),
        lambda c: c.zero_trust.access.policies.update(
            ID, account_id=ACCOUNT, mfa_config={"mfa_disabled": True}, **body
        ),
        lambda c: c.zero_trust.access.policies.delete(ID, account_id=ACCOUNT),
    )


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (replace(BARE, decision="service_auth"), "non_identity"),
        (replace(BARE, include=()), "lacks include"),
        (AccessPolicy("a", "allow", ({"any_valid_service_token": {}},)), "asks for a login"),
        (replace(BARE, session_duration="a day"), "24h"),
    ],
)
def test_problems(spec: AccessPolicy, text: str) -> None:
    assert text in " ".join(KIND.problems(spec))
    assert list(KIND.problems(BARE)) == list(KIND.problems(FULL)) == []
