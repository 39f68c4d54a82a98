"""Queue consumers: the Worker is called with the messages of a queue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

from trailboss.errors import ReleaseError
from trailboss.release.triggers.change import Change, Site

KIND = "queue consumer"


async def plan(site: Site) -> list[Change]:
    """All queues in one read. A queue that does not exist is refused here, before the code goes up; but
    one that the Worker also sends to is made on the way, as any resource a binding needs.

    Raises ReleaseError TB4073.
    """
    queues = site.settings.get("queues") or {}
    wanted = [item for item in queues.get("consumers") or () if item.get("type", "worker") == "worker"]
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
    there = next(
        (consumer for consumer in (seen or {}).get("consumers") or () if _is_ours(consumer, site.name)), None
    )
    if there is not None and _same(there, body):
        return Change(KIND, (name,))

    async def write() -> None:
        queue = seen or (await read_queues(site, [name]))[name]
        path = f"{site.cloud.account}/queues/{queue['queue_id']}/consumers"
        if there is None:
            await site.cloud.post(path, json=body)
        else:
            await site.cloud.put(f"{path}/{there['consumer_id']}", json=body)

    return Change(KIND, (name,), write)


def _is_ours(consumer: Mapping[str, Any], script: str) -> bool:
    found = (consumer.get("script"), consumer.get("script_name"), consumer.get("service"))
    return consumer.get("type", "worker") == "worker" and script in found


def _body(script: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """What wrangler sends; keys that are not configured are left out, which means Cloudflare's default."""
    timeout = item.get("max_batch_timeout")
    settings = {
        "batch_size": item.get("max_batch_size"),
        "max_retries": item.get("max_retries"),
        "max_wait_time_ms": None if timeout is None else 1000 * timeout,
        "max_concurrency": item.get("max_concurrency"),
        "retry_delay": item.get("retry_delay"),
    }
    body: dict[str, Any] = {
        "type": "worker",
        "script_name": script,
        "settings": {key: value for key, value in settings.items() if value is not None},
    }
    if item.get("dead_letter_queue"):
        body["dead_letter_queue"] = item["dead_letter_queue"]
    return body


def _same(there: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Every configured setting is as wanted, and no dead letter queue is left over from before."""
    has = there.get("settings") or {}
    settled = all(has.get(key) == value for key, value in body["settings"].items())
    return settled and (there.get("dead_letter_queue") or None) == body.get("dead_letter_queue")
