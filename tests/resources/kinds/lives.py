"""The life of one resource in the real sandbox, and our requests beside those of the official SDK."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

import httpx

from tests.cloud.conftest import ACCOUNT
from tests.cloud.loopback import Answer, Loopback, Request, ok
from tests.conftest import Sandbox
from tests.resources.test_sandbox import run
from tests.sandbox.upload import deploy
from trailboss.cloud import Cloud
from trailboss.resources.marks import is_secret
from trailboss.values import Secret

Sent = tuple[str, str, Any]
ZONE = "0123456789abcdef0123456789abcdee"


def opened(spec: Any, secrets: Mapping[str, str]) -> Any:
    """The spec as a kind gets it: references to secrets replaced by the secrets."""
    places = [place.name for place in fields(spec) if is_secret(place) and getattr(spec, place.name)]
    return replace(spec, **{name: Secret(secrets[getattr(spec, name)]) for name in places})


CODE = """
import { WorkflowEntrypoint } from "cloudflare:workers";
export class Orders extends WorkflowEntrypoint { async run() {} }
export class Returns extends WorkflowEntrypoint { async run() {} }
export default { async fetch() { return new Response("ok"); }, async queue() {}, async scheduled() {} };
"""


def deployed(account: Sandbox, name: str) -> None:
    """A Worker that can be called for everything."""
    deploy(account, name, code=CODE)


async def listed(kind: Any, cloud: Cloud, like: Any) -> list[Any]:
    """What the account has of the kind."""
    return [thing async for thing in kind.list(cloud, like)]


def live(account: Sandbox, kind: Any, bare: Any, full: Any) -> Any:
    """Make, list, change, change again, delete twice; the thing as it was when every field was set."""

    async def life(cloud: Cloud) -> Any:
        assert await listed(kind, cloud, bare) == []
        made = await kind.create(cloud, bare)
        assert kind.differs(bare, made) == ()
        assert await listed(kind, cloud, bare) == [made]
        changed = await kind.update(cloud, full, made)
        assert kind.differs(full, changed) == ()
        assert await listed(kind, cloud, full) == [changed]
        requests = cloud.stats.total
        assert await kind.update(cloud, full, changed) == changed
        assert cloud.stats.total == requests
        await kind.delete(cloud, changed)
        await kind.delete(cloud, changed)
        assert await listed(kind, cloud, bare) == []
        again = await kind.update(cloud, full, await kind.create(cloud, bare))
        assert kind.differs(full, again) == ()
        return again

    return run(account, life)


def ours(connect: Callable[..., Cloud], use: Callable[[Cloud], Any], *answers: Any) -> list[Sent]:
    """The writes that `use` sends; `answers` are the results they get, in order."""
    results = list(answers)

    def respond(request: Request) -> Answer:
        if request.method != "GET":
            return ok(results.pop(0))
        return ok([{"id": ZONE, "name": "example.com"}] if request.path.endswith("/zones") else [], {})

    return writes(connect, use, respond)


def writes(
    connect: Callable[..., Cloud], use: Callable[[Cloud], Any], respond: Callable[[Request], Answer]
) -> list[Sent]:
    """The writes that `use` sends to an account that answers with `respond`."""

    async def main() -> list[Sent]:
        async with Loopback(respond) as server, connect(server) as cloud:
            await use(cloud)
            return [_sent(r.method, r.path, r.body) for r in server.requests if r.method != "GET"]

    return asyncio.run(main())


def theirs(*calls: Callable[[Any], Any]) -> list[Sent]:
    """What the official SDK sends for `calls`."""
    from cloudflare import Cloudflare

    sent: list[Sent] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(_sent(request.method, request.url.path, request.content))
        return httpx.Response(200, json={"success": True, "errors": [], "messages": [], "result": {}})

    with httpx.Client(transport=httpx.MockTransport(handle)) as http:
        client = Cloudflare(api_token="t" * 40, http_client=http)
        for call in calls:
            call(client)
    return sent


def _sent(method: str, path: str, body: bytes) -> Sent:
    return method, path, json.loads(body) if body else None


__all__ = [
    "ACCOUNT",
    "ZONE",
    "Sent",
    "deployed",
    "listed",
    "live",
    "opened",
    "ours",
    "run",
    "theirs",
    "writes",
]
