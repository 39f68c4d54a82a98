"""From a name to the id that a call takes, where one kind's call takes another kind's id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailboss.errors import NotFound

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
