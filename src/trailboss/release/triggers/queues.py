"""Queue consumers: the Worker is called with the messages of a queue, or others pull them over HTTP.

A queue has one consumer. One of another Worker is never touched: the write then fails, and says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import TYPE_CHECKING, Any

from trailboss.cloud import segment
from trailboss.errors import ReleaseError
from trailboss.release.triggers.change import Change, Site

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

KIND = "queue consumer"
PULL = "http_pull"
_SETTINGS = {
    "batch_size": "max_batch_size",
    "max_retries": "max_retries",
    "retry_delay": "retry_delay",
}
"""Cloudflare's setting to wrangler's key; both kinds of consumer have these."""


async def plan(site: Site) -> list[Change]:
    """All queues in one read. A queue that does not exist is refused here, before the code goes up; but
    one that the Worker also sends to is made on the way, as any resource a binding needs.

    Raises ReleaseError TB4073.
    """
    queues = site.settings.get("queues") or {}
    wanted = [
        item for item in queues.get("consumers") or () if item.get("type", "worker") in ("worker", PULL)
    ]
    if not wanted:
        return []
    made = {str(item.get("queue")) for item in queues.get("producers") or ()}
    found = await read_queues(site, [str(item["queue"]) for item in wanted], made)
    return [_plan(site, item, found.get(str(item["queue"]))) for item in wanted]


async def read_queues(
    site: Site, names: Iterable[str], made: Set[str] = frozenset()
) -> dict[str, Mapping[str, Any]]:
    """The queues called `names`, by name. Raises ReleaseError TB4073 for those that do not exist, except
    those in `made`."""
    wanted = list(dict.fromkeys(names))
    path = f"{site.cloud.account}/queues"
    pages = site.cloud.pages(path, params={"name": wanted})
    found = {str(item.get("queue_name")): item async for item in pages}
    missing = [name for name in wanted if name not in found and name not in made]
    if missing:
        listed = ", ".join(missing)
        raise ReleaseError(
            "TB4073",
            f"The Worker consumes a queue that does not exist: {listed}.",
            hint=f"Create it first: trailboss queues create {missing[0]}",
        )
    return found


def _plan(site: Site, item: Mapping[str, Any], seen: Mapping[str, Any] | None) -> Change:
    name = str(item["queue"])
    body = _body(site.name, item)
    there = of_worker(seen or {}, site.name, body["type"])
    if there is not None and _same(there, body):
        return Change(KIND, (name,))

    async def write() -> None:
        await put_consumer(site.cloud, seen or (await read_queues(site, [name]))[name], site.name, body)

    return Change(KIND, (name,), write)


def of_worker(queue: Mapping[str, Any], worker: str, kind: str = "worker") -> Mapping[str, Any] | None:
    """The queue's consumer that is the Worker `worker`, or (`kind` "http_pull") the one over HTTP."""
    listed = [one for one in queue.get("consumers") or () if one.get("type", "worker") == kind]
    return next((one for one in listed if kind == PULL or script_of(one) == worker), None)


def script_of(consumer: Mapping[str, Any]) -> str:
    """The Worker a consumer is; empty for one over HTTP."""
    return str(consumer.get("script") or consumer.get("script_name") or consumer.get("service") or "")


async def put_consumer(
    cloud: Cloud, queue: Mapping[str, Any], worker: str, body: Mapping[str, Any] | None
) -> None:
    """Make `body` the queue's consumer, or (None) the Worker no consumer of it.

    A PUT need not clear what it does not name, so where the dead letter queue is still there afterwards, or
    the kind is another, the consumer is made anew; messages stay in the queue meanwhile."""
    path = f"{cloud.account}/queues/{segment(str(queue['queue_id']))}/consumers"
    kind = str((body or {}).get("type", "worker"))
    same, mine = of_worker(queue, worker, kind), of_worker(queue, worker)
    if body is not None and same is not None:
        done = await cloud.put(f"{path}/{segment(str(same['consumer_id']))}", json=body)
        left = (done or {}).get("dead_letter_queue")
        if not left or body.get("dead_letter_queue"):
            return
        mine = same
    if mine is not None:
        await cloud.delete(f"{path}/{segment(str(mine['consumer_id']))}")
    if body is not None:
        await cloud.post(path, json=body)


def _body(script: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """What wrangler sends; keys that are not configured are left out, which means Cloudflare's default."""
    settings = {ours: item.get(key) for ours, key in _SETTINGS.items()}
    pulls = item.get("type") == PULL
    if pulls:
        settings["visibility_timeout_ms"] = item.get("visibility_timeout_ms")
    else:
        timeout = item.get("max_batch_timeout")
        settings["max_wait_time_ms"] = None if timeout is None else 1000 * timeout
        settings["max_concurrency"] = item.get("max_concurrency")
    body: dict[str, Any] = {"type": PULL} if pulls else {"type": "worker", "script_name": script}
    body["settings"] = {key: value for key, value in settings.items() if value is not None}
    if item.get("dead_letter_queue"):
        body["dead_letter_queue"] = item["dead_letter_queue"]
    return body


def _same(there: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Every configured setting is as wanted, and no dead letter queue is left over from before."""
    has = there.get("settings") or {}
    settled = all(has.get(key) == value for key, value in body["settings"].items())
    return settled and (there.get("dead_letter_queue") or None) == body.get("dead_letter_queue")
