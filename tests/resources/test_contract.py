"""The official SDK is the contract: what it would send for the same thing is what our kinds send."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.cloud.conftest import ACCOUNT
from tests.cloud.loopback import Loopback
from tests.resources.account import Account
from tests.resources.test_kinds import CASES
from trailboss.cloud import Cloud
from trailboss.resources.registry import kind

CHOOSING = ("cf-r2-jurisdiction", "cf-r2-storage-class")
Sent = tuple[str, str, Any, dict[str, str]]


@pytest.fixture(scope="module")
def sdk() -> tuple[Any, list[Sent]]:
    """The SDK on a transport that records, and what it sent."""
    from cloudflare import Cloudflare

    sent: list[Sent] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(_sent(request.method, request.url.path, request.content, dict(request.headers)))
        return httpx.Response(200, json={"success": True, "errors": [], "messages": [], "result": {}})

    client = httpx.Client(transport=httpx.MockTransport(handle))
    return Cloudflare(api_token="t" * 40, http_client=client), sent


def _sent(method: str, path: str, body: bytes, headers: dict[str, str]) -> Sent:
    chosen = {name: headers[name] for name in CHOOSING if headers.get(name)}
    return method, path, json.loads(body) if body else None, chosen


CREATE: dict[str, Callable[[Any], Any]] = {
    "kv_namespace": lambda c: c.kv.namespaces.create(account_id=ACCOUNT, title="shop-cache"),
    "d1_database": lambda c: c.d1.database.create(account_id=ACCOUNT, name="shop-db"),
    "r2_bucket": lambda c: c.r2.buckets.create(
        account_id=ACCOUNT, name="shop-files", cf_r2_jurisdiction="eu"
    ),
    "queue": lambda c: c.queues.create(account_id=ACCOUNT, queue_name="shop-jobs"),
    "vectorize_index": lambda c: c.vectorize.indexes.create(
        account_id=ACCOUNT, name="docs", config={"dimensions": 768, "metric": "cosine"}
    ),
    "dispatch_namespace": lambda c: c.workers_for_platforms.dispatch.namespaces.create(
        account_id=ACCOUNT, name="shop-tenants"
    ),
    "flagship_app": lambda c: c.flagship.apps.create(account_id=ACCOUNT, name="shop-flags"),
    "ai_search_namespace": lambda c: c.aisearch.namespaces.create(account_id=ACCOUNT, name="shop-search"),
}
UPDATE: dict[str, Callable[[Any, str], Any]] = {
    "d1_database": lambda c, id_: c.d1.database.edit(
        id_, account_id=ACCOUNT, read_replication={"mode": "auto"}
    ),
    "r2_bucket": lambda c, id_: c.r2.buckets.edit(
        id_, account_id=ACCOUNT, storage_class="InfrequentAccess", cf_r2_jurisdiction="eu"
    ),
    "queue": lambda c, id_: c.queues.edit(
        id_,
        account_id=ACCOUNT,
        queue_name="shop-jobs",
        settings={"delivery_delay": 5, "message_retention_period": 86_400, "delivery_paused": True},
    ),
}
DELETE: dict[str, Callable[[Any, str], Any]] = {
    "kv_namespace": lambda c, id_: c.kv.namespaces.delete(id_, account_id=ACCOUNT),
    "d1_database": lambda c, id_: c.d1.database.delete(id_, account_id=ACCOUNT),
    "r2_bucket": lambda c, id_: c.r2.buckets.delete(id_, account_id=ACCOUNT, cf_r2_jurisdiction="eu"),
    "queue": lambda c, id_: c.queues.delete(id_, account_id=ACCOUNT),
    "vectorize_index": lambda c, id_: c.vectorize.indexes.delete(id_, account_id=ACCOUNT),
    "dispatch_namespace": lambda c, _: c.workers_for_platforms.dispatch.namespaces.delete(
        "shop-tenants", account_id=ACCOUNT
    ),
    "flagship_app": lambda c, id_: c.flagship.apps.delete(id_, account_id=ACCOUNT),
    "ai_search_namespace": lambda c, id_: c.aisearch.namespaces.delete(id_, account_id=ACCOUNT),
}


@pytest.mark.parametrize("name", CREATE)
def test_requests(connect: Callable[..., Cloud], sdk: tuple[Any, list[Sent]], name: str) -> None:
    client, theirs = sdk
    found: Any = kind(name)
    bare, full = CASES[name]

    async def main() -> tuple[list[Sent], str]:
        async with Loopback(Account().respond) as server, connect(server) as cloud:
            made = await found.create(cloud, bare)
            await found.update(cloud, full, made)
            await found.delete(cloud, made)
            handle = getattr(made, "uuid", None) or getattr(made, "id", None) or made.name
            return [_sent(r.method, r.path, r.body, r.headers) for r in server.requests], handle

    ours, handle = asyncio.run(main())
    theirs.clear()
    CREATE[name](client)
    if name in UPDATE:
        UPDATE[name](client, handle)
    DELETE[name](client, handle)
    assert ours == theirs
