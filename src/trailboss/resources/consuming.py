"""Workers that are consumers of queues: Cloudflare does not delete such a one (10064), also not by force."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailboss.cloud import segment
from trailboss.errors import NotFound, PermissionDenied

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


@dataclass(frozen=True, slots=True)
class Consuming:
    """That the Worker `script` takes the messages of `queue`."""

    script: str
    queue: str
    queue_id: str
    consumer_id: str


async def consuming(cloud: Cloud, scripts: Collection[str]) -> list[Consuming]:
    """Which queues these Workers take messages from. One call for each page of the account's queues.

    None where the token may not list queues: then Cloudflare's own refusal stands."""
    try:
        queues = [queue async for queue in cloud.pages(f"{cloud.account}/queues")]
    except PermissionDenied:
        return []
    return [
        Consuming(script, str(queue["queue_name"]), str(queue["queue_id"]), str(one["consumer_id"]))
        for queue in queues
        for one in queue.get("consumers") or ()
        if (script := str(one.get("script") or one.get("script_name") or "")) in scripts
    ]


async def detach(cloud: Cloud, found: Collection[Consuming]) -> None:
    """Let them take no more messages; those wait in their queues. Gone is done."""
    for one in found:
        path = f"{cloud.account}/queues/{segment(one.queue_id)}/consumers/{segment(one.consumer_id)}"
        try:
            await cloud.delete(path)
        except NotFound:
            continue
