"""Stores of the Secrets Store: a whole life, and what the SDK would send."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Sandbox
from tests.resources.cases.secrets_store import BARE, FULL
from tests.resources.kinds.lives import ACCOUNT, live, ours, run, theirs
from trailboss.cloud import Cloud
from trailboss.errors import AlreadyExists
from trailboss.resources.secrets_store import KIND, SecretsStore


def test_a_life(account: Sandbox) -> None:
    found = live(account, KIND, BARE, FULL)
    assert KIND.handle(found) == found.id

    async def use(cloud: Cloud) -> None:
        with pytest.raises(AlreadyExists):
            await KIND.create(cloud, BARE)

    run(account, use)


def test_requests(connect: Callable[..., Cloud]) -> None:
    async def use(cloud: Cloud) -> None:
        await KIND.delete(cloud, await KIND.create(cloud, BARE))

    assert ours(connect, use, {"id": "f" * 32, "name": "shop-secrets"}, None) == theirs(
        lambda c: c.secrets_store.stores.create(account_id=ACCOUNT, name="shop-secrets"),
        lambda c: c.secrets_store.stores.delete("f" * 32, account_id=ACCOUNT),
    )


def test_problems() -> None:
    assert list(KIND.problems(SecretsStore("")))
    assert list(KIND.problems(BARE)) == []
