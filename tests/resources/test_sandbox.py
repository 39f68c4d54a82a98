"""Every kind against the real emulated account: what we believe and what it believes must agree."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.resources.test_kinds import CASES
from trailboss.cloud import Cloud, Target
from trailboss.errors import AlreadyExists
from trailboss.plan import provision
from trailboss.resources.marks import differences
from trailboss.resources.registry import kind
from trailboss.values import Secret


def run(account: Sandbox, use: Callable[[Cloud], Any]) -> Any:
    """Run `use` against the sandbox."""
    found = account.connection
    target = Target("sandbox:test", found.api_url, Secret(found.token), found.account_id, is_sandbox=True)

    async def main() -> Any:
        async with Cloud(target) as cloud:
            return await use(cloud)

    return asyncio.run(main())


NOT_EMULATED = ("flagship_app", "ai_search_namespace", "agent_memory_namespace")


@pytest.mark.parametrize("name", [name for name in CASES if name not in NOT_EMULATED])
def test_a_life(account: Sandbox, name: str) -> None:
    found: Any = kind(name)
    bare, full = CASES[name]

    async def life(cloud: Cloud) -> None:
        made = await found.create(cloud, bare)
        assert differences(bare, made) == ()
        assert [thing async for thing in found.list(cloud, bare)] == [made]
        with pytest.raises(AlreadyExists):
            await found.create(cloud, bare)
        changed = await found.update(cloud, full, made)
        assert differences(full, changed) == ()
        assert [thing async for thing in found.list(cloud, bare)] == [changed]
        await found.delete(cloud, made)
        await found.delete(cloud, made)
        assert [thing async for thing in found.list(cloud, bare)] == []

    run(account, life)


SETTINGS: dict[str, Any] = {
    "kv_namespaces": [{"binding": "CACHE"}],
    "d1_databases": [{"binding": "DB"}],
    "r2_buckets": [{"binding": "FILES"}, {"binding": "NAMED", "bucket_name": "named"}],
    "queues": {"producers": [{"binding": "JOBS"}]},
}


@pytest.mark.parametrize("effect", ["drop-before", "drop-after"])
def test_provisioning_heals_lost_answers(account: Sandbox, effect: str) -> None:
    async def use(cloud: Cloud) -> None:
        first = await provision(cloud, "shop", SETTINGS, deployed_bindings=None)
        assert [bound.title for bound in first.created] == [
            "shop-cache",
            "shop-db",
            "shop-files",
            "named",
            "shop-jobs",
        ]
        again = await provision(cloud, "shop", SETTINGS, deployed_bindings=None)
        assert again.created == ()
        assert again.resources == first.resources

    products = ("namespaces", "database", "buckets", "queues")
    faults = [{"effect": effect, "method": "POST", "times": 1, "path": f"*/{name}"} for name in products]
    account.control("PUT", "faults", faults)
    run(account, use)
