"""One suite for every kind: make, list, compare, update, delete, in an account in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.cloud.loopback import Loopback, no
from tests.resources.account import Account
from trailboss.cloud import Cloud
from trailboss.errors import AlreadyExists, PlanError
from trailboss.resources.agent_memory_namespace import AgentMemoryNamespace
from trailboss.resources.ai_search_namespace import AISearchNamespace
from trailboss.resources.d1_database import D1Database
from trailboss.resources.dispatch_namespace import DispatchNamespace
from trailboss.resources.flagship_app import FlagshipApp
from trailboss.resources.kv_namespace import KVNamespace
from trailboss.resources.marks import differences
from trailboss.resources.queue import Queue
from trailboss.resources.r2_bucket import R2Bucket
from trailboss.resources.registry import kind
from trailboss.resources.vectorize_index import VectorizeIndex

Connect = Callable[..., Cloud]

# kind -> (a bare spec, the same with every mutable field set)
CASES: dict[str, tuple[Any, Any]] = {
    "kv_namespace": (KVNamespace("shop-cache"), KVNamespace("shop-cache")),
    "d1_database": (D1Database("shop-db"), D1Database("shop-db", read_replication="auto")),
    "r2_bucket": (
        R2Bucket("shop-files", "eu"),
        R2Bucket("shop-files", "eu", storage_class="InfrequentAccess"),
    ),
    "queue": (Queue("shop-jobs"), Queue("shop-jobs", 5, 86_400, True)),
    "vectorize_index": (VectorizeIndex("docs", 768, "cosine"), VectorizeIndex("docs", 768, "cosine")),
    "dispatch_namespace": (DispatchNamespace("shop-tenants"), DispatchNamespace("shop-tenants")),
    "flagship_app": (FlagshipApp("shop-flags"), FlagshipApp("shop-flags")),
    "ai_search_namespace": (AISearchNamespace("shop-search"), AISearchNamespace("shop-search")),
    "agent_memory_namespace": (AgentMemoryNamespace("shop-memory"), AgentMemoryNamespace("shop-memory")),
}


def run(connect: Connect, use: Callable[[Cloud], Any], account: Account | None = None) -> Any:
    """Run `use` against an account in memory."""
    account = account or Account()

    async def main() -> Any:
        async with Loopback(account.respond) as server, connect(server) as cloud:
            return await use(cloud)

    return asyncio.run(main())


@pytest.mark.parametrize("name", CASES)
def test_a_life(connect: Connect, name: str) -> None:
    found: Any = kind(name)
    bare, full = CASES[name]

    async def life(cloud: Cloud) -> None:
        made = await found.create(cloud, bare)
        assert differences(bare, made) == ()
        assert [thing async for thing in found.list(cloud, bare)] == [made]
        assert found.handle(made)
        with pytest.raises(AlreadyExists):
            await found.create(cloud, bare)
        changed = await found.update(cloud, full, made)
        assert differences(full, changed) == ()
        assert [thing async for thing in found.list(cloud, bare)] == [changed]
        requests = cloud.stats.total
        assert await found.update(cloud, full, changed) == changed
        assert cloud.stats.total == requests
        await found.delete(cloud, made)
        await found.delete(cloud, made)
        assert [thing async for thing in found.list(cloud, bare)] == []
        assert found.needs(bare) == ()

    run(connect, life)


@pytest.mark.parametrize("name", CASES)
def test_create_says_only_what_is_set(name: str) -> None:
    bare, _ = CASES[name]
    found: Any = kind(name)
    body = found.to_wire(bare)
    assert "UNSET" not in repr(body)
    assert None not in body.values()


@pytest.mark.parametrize("name", CASES)
def test_a_long_list_is_read_to_its_end(connect: Connect, name: str) -> None:
    found: Any = kind(name)
    entry = {"dimensions": 3, "metric": "cosine"} if name == "vectorize_index" else {}

    async def many(cloud: Cloud) -> int:
        for number in range(45):
            await found.create(cloud, found.from_binding(f"thing-{number}", entry))
        return len([thing async for thing in found.list(cloud, found.from_binding("x", entry))])

    assert run(connect, many) == 45


def test_an_index_without_a_size() -> None:
    found: Any = kind("vectorize_index")
    assert found.from_binding("i", {}) is None
    assert found.from_binding("i", {"dimensions": 3}) == VectorizeIndex("i", 3, "cosine")
    assert found.to_wire(found.from_binding("i", {"preset": "p"}))["config"] == {"preset": "p"}
    with pytest.raises(PlanError) as caught:
        found.to_wire(VectorizeIndex("i"))
    assert caught.value.code == "TB6101"


def test_other_failures_of_a_delete_are_told(connect: Connect) -> None:
    account = Account()
    account.before = lambda _: no(400, 10008, "not empty")

    async def delete(cloud: Cloud) -> None:
        bucket: Any = kind("r2_bucket")
        await bucket.delete(cloud, bucket.from_wire({"name": "full"}))

    with pytest.raises(Exception, match="not empty"):
        run(connect, delete, account)
