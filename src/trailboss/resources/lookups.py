"""What kinds look up of other kinds: the id of a name, and what refers to a thing."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound, PermissionDenied
from trailboss.resources.protocol import Use

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


async def queue_id(cloud: Cloud, name: str) -> str:
    """The id of the queue called `name`.

    Raises:
        NotFound: TB2304 there is none.
    """
    async for queue in cloud.pages(f"{cloud.account}/queues", params={"name": [name]}):
        if queue.get("queue_name") == name:
            return str(queue["queue_id"])
    raise NotFound("TB2304", f"there is no queue '{name}'", hint=f"Create it: trailboss queues create {name}")


async def references(cloud: Cloud, path: str) -> tuple[Use, ...]:
    """What refers to the part of a load balancer at `path`, which keeps it from being deleted."""
    found: Any = ()
    with contextlib.suppress(NotFound, PermissionDenied):
        found = await cloud.get(f"{path}/references") or ()
    return tuple(
        Use(
            f"{row.get('resource_type')} {row.get('resource_name') or row.get('resource_id')} uses it",
            str(row.get("resource_id") or ""),
        )
        for row in found
    )
