"""Access service tokens: a whole life, and a secret that is nowhere but where it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.conftest import Sandbox
from tests.resources.cases.access_service_token import BARE, FULL
from tests.resources.kinds.lives import ACCOUNT, live, ours, run, theirs
from trailboss.cloud import Cloud
from trailboss.resources.access_service_token import KIND, new_secret

ID = "0b1e6a44-7b1e-4a53-9d0a-b8a2a64b8a11"


def test_a_life(account: Sandbox) -> None:
    found = live(account, KIND, BARE, FULL)
    assert found.client_id.endswith(".access") and KIND.handle(found) == found.id


def test_a_secret_is_made_when_it_is_asked_for(account: Sandbox) -> None:
    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, BARE)
        first, second = await new_secret(cloud, made), await new_secret(cloud, made)
        assert first.reveal() != second.reveal() and len(first.reveal()) == 64
        assert first.reveal() not in f"{made!r} {first!r}"

    run(account, use)


def test_requests(connect: Callable[..., Cloud]) -> None:
    shown: Any = {
        "id": ID,
        "name": "ci",
        "client_id": "x.access",
        "duration": "8760h",
        "client_secret": "s3cret",
    }

    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, BARE)
        assert "s3cret" not in repr(made)
        await KIND.update(cloud, FULL, made)
        await KIND.delete(cloud, made)

    assert ours(connect, use, shown, shown, None) == theirs(
        lambda c: c.zero_trust.access.service_tokens.create(account_id=ACCOUNT, name="ci"),
        lambda c: c.zero_trust.access.service_tokens.update(
            ID, account_id=ACCOUNT, name="ci", duration="forever"
        ),
        lambda c: c.zero_trust.access.service_tokens.delete(ID, account_id=ACCOUNT),
    )


def test_problems() -> None:
    assert "forever" in " ".join(KIND.problems(replace(BARE, duration="a year")))
    assert list(KIND.problems(BARE)) == list(KIND.problems(FULL)) == []
