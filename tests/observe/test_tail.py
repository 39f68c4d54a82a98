"""The tail against the sandbox's real sockets, and against a server that misbehaves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from tests.conftest import Sandbox
from trailboss.cloud import Cloud, Target
from trailboss.errors import CloudError, Unavailable
from trailboss.observe import session as session_module
from trailboss.observe.items import Connected, Gap, Item, Overload, Received, Unreadable
from trailboss.observe.matching import read_matcher
from trailboss.observe.server_filters import ServerFilters
from trailboss.observe.session import Session
from trailboss.observe.tail import tail
from trailboss.values import Secret

EVENT = {"outcome": "ok", "logs": [], "exceptions": [], "event": {"cron": "* * * * *"}, "eventTimestamp": 0}
CODE = """export default { async fetch(request) {
  console.log("asked", new URL(request.url).pathname);
  if (request.url.endsWith("/bad")) throw new Error("broken");
  return new Response("ok"); } };"""


def target(sandbox: Sandbox) -> Target:
    found = sandbox.connection
    return Target("sandbox:test", found.api_url, Secret(found.token), found.account_id, found.edge_url, True)


def upload(sandbox: Sandbox, name: str) -> None:
    metadata = {"main_module": "index.js", "compatibility_date": "2026-08-04"}
    parts = {
        "metadata": (None, json.dumps(metadata)),
        "index.js": ("index.js", CODE, "application/javascript+module"),
    }
    sandbox.call("PUT", f"{sandbox.account}/workers/scripts/{name}", files=parts)
    sandbox.call("POST", f"{sandbox.account}/workers/scripts/{name}/subdomain", {"enabled": True})


def tails(sandbox: Sandbox, name: str) -> list[Any]:
    return list(sandbox.call("GET", f"{sandbox.account}/workers/scripts/{name}/tails") or ())


async def watch(
    sandbox: Sandbox,
    names: list[str],
    act: Callable[[], None],
    enough: Callable[[list[Item]], bool],
    **more: Any,
) -> list[Item]:
    """Tail `names`, do `act` once all are connected, stop as soon as `enough` of the items say so."""
    seen: list[Item] = []
    ready, done = asyncio.Event(), asyncio.Event()

    def take(item: Item) -> None:
        seen.append(item)
        if sum(isinstance(entry, Connected) for entry in seen) == len(names):
            ready.set()
        if enough(seen):
            done.set()

    async with Cloud(target(sandbox)) as cloud:
        following = asyncio.create_task(tail(cloud, names, take, **more))
        await asyncio.wait_for(ready.wait(), 20)
        await asyncio.to_thread(act)
        await asyncio.wait_for(done.wait(), 20)
        following.cancel()
        with pytest.raises(asyncio.CancelledError):
            await following
    return seen


def received(items: list[Item]) -> list[Received]:
    return [item for item in items if isinstance(item, Received)]


def test_two_workers_live(account: Sandbox) -> None:
    for name in ("one", "two"):
        upload(account, name)

    def act() -> None:
        account.worker("one", "/a")
        account.worker("two", "/bad")

    items = asyncio.run(watch(account, ["one", "two"], act, lambda seen: len(received(seen)) == 2))
    found = {item.worker: item.event for item in received(items)}
    assert found["one"].outcome == "ok" and found["one"].logs[0].message == ["asked", "/a"]
    assert found["two"].outcome == "exception" and found["two"].exceptions[0].message == "broken"
    assert tails(account, "one") == [] and tails(account, "two") == []


def test_filters_on_both_sides(account: Sandbox) -> None:
    upload(account, "one")

    def act() -> None:
        for path in ("/a", "/b", "/bad"):
            account.worker("one", path)

    matching = read_matcher(["path:/b"])
    items = asyncio.run(
        watch(
            account,
            ["one"],
            act,
            lambda seen: len(received(seen)) == 1,
            filters=ServerFilters(status=("error",)),
            match=matching,
        )
    )
    assert [item.event.outcome for item in received(items)] == ["exception"]


def test_it_ends_after_the_time_given(account: Sandbox) -> None:
    upload(account, "one")

    async def main() -> Any:
        async with Cloud(target(account)) as cloud:
            return await tail(cloud, ["one"], lambda _: None, seconds=0.5)

    summary = asyncio.run(main())
    assert (summary.received, summary.gaps, summary.workers) == (0, 0, ("one",))
    assert tails(account, "one") == []


def test_no_such_worker(account: Sandbox) -> None:
    async def main() -> None:
        async with Cloud(target(account)) as cloud:
            await tail(cloud, ["nobody"], lambda _: None)

    with pytest.raises(CloudError) as caught:
        asyncio.run(main())
    assert caught.value.has_code(10007)


class FakeCloud:
    """Creates tails whose sockets a test answers, and counts creations and deletions.

    A stand-in at the network edge for what the sandbox does not do: break, expire, overload.
    """

    account = "/accounts/a"

    def __init__(self, port: int, lifetime: float = 3600, failures: int = 0) -> None:
        self.port, self.lifetime, self.failures = port, lifetime, failures
        self.created = self.deleted = 0

    async def post(self, path: str, *, json: Any) -> dict[str, str]:
        assert path == "/accounts/a/workers/scripts/w/tails" and json == {"filters": []}
        if self.created and self.failures:
            self.failures -= 1
            raise Unavailable("TB2501", "down")
        self.created += 1
        expires = datetime.now(UTC) + timedelta(seconds=self.lifetime)
        return {
            "id": str(self.created),
            "url": f"ws://127.0.0.1:{self.port}/{self.created}",
            "expires_at": expires.isoformat(),
        }

    async def delete(self, path: str) -> None:
        self.deleted += 1


@asynccontextmanager
async def serving(handle: Callable[[ServerConnection, int], Any]) -> AsyncIterator[int]:
    async def accept(connection: ServerConnection) -> None:
        assert connection.subprotocol == "trace-v1" and connection.request is not None
        assert await connection.recv() == '{"debug":false}'
        await handle(connection, int(connection.request.path.strip("/")))

    async with serve(accept, "127.0.0.1", 0, subprotocols=["trace-v1"]) as server:  # type: ignore[list-item]
        yield next(iter(server.sockets)).getsockname()[1]


async def follow(
    handle: Callable[[ServerConnection, int], Any], **options: Any
) -> tuple[list[Item], FakeCloud]:
    seen: list[Item] = []
    async with serving(handle) as port:
        cloud = FakeCloud(port, **options)
        session = Session(cloud, "w", ServerFilters(), seen.append, first_wait=0.01)  # type: ignore[arg-type]
        await asyncio.wait_for(session.follow(), 20)
    return seen, cloud


def test_a_broken_connection_is_made_again_and_the_gap_is_said() -> None:
    async def handle(connection: ServerConnection, number: int) -> None:
        await connection.send(json.dumps(EVENT))
        if number < 3:
            connection.transport.abort()
        else:
            await connection.close(1000)

    seen, cloud = asyncio.run(follow(handle, failures=2))
    gaps = [item for item in seen if isinstance(item, Gap)]
    assert len(gaps) == 2 and all(gap.until >= gap.since and gap.reason for gap in gaps)
    assert [item.again for item in seen if isinstance(item, Connected)] == [False, True, True]
    assert (cloud.created, cloud.deleted) == (3, 3)


def test_an_expiring_tail_is_followed_without_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "RENEW_BEFORE", 0.5)

    async def handle(connection: ServerConnection, number: int) -> None:
        await connection.send(json.dumps(EVENT))
        if number == 2:
            await connection.close(1000)
        else:
            await connection.wait_closed()

    seen, cloud = asyncio.run(follow(handle, lifetime=1.5))
    assert len(received(seen)) == 2 and not any(isinstance(item, Gap) for item in seen)
    assert (cloud.created, cloud.deleted) == (2, 2)


def test_overload_and_junk_are_shown() -> None:
    async def handle(connection: ServerConnection, number: int) -> None:
        for kind in ("overload", "overload-stop"):
            await connection.send(json.dumps({**EVENT, "event": {"type": kind, "message": "sampling"}}))
        await connection.send("not json")
        await connection.send(json.dumps(EVENT).encode())
        await connection.close(1000)

    seen, _ = asyncio.run(follow(handle))
    assert [item.sampling for item in seen if isinstance(item, Overload)] == [True, False]
    assert [item.frame for item in seen if isinstance(item, Unreadable)] == ["not json"]
    assert len(received(seen)) == 1


def test_an_address_nobody_listens_on() -> None:
    async def main() -> FakeCloud:
        cloud = FakeCloud(1)
        session = Session(cloud, "w", ServerFilters(), lambda _: None)  # type: ignore[arg-type]
        with pytest.raises(Unavailable) as caught:
            await session.follow()
        assert caught.value.code == "TB2511"
        return cloud

    assert asyncio.run(main()).deleted == 1
