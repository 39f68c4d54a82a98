"""What the account already has under a Worker's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailboss.errors import CloudError

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

NO_WORKER = (10007, 10090)


@dataclass(frozen=True, slots=True)
class Existing:
    """The facts an upload depends on."""

    exists: bool
    tags: tuple[str, ...] = ()
    migration_tag: str | None = None
    last_deployed_from: str | None = None


async def look_up(cloud: Cloud, name: str) -> Existing:
    """Ask for the Worker `name`: one call.

    Raises:
        CloudError: anything but "there is no such Worker".
    """
    from trailboss.cloud import segment

    try:
        service = await cloud.get(f"{cloud.account}/workers/services/{segment(name)}")
    except CloudError as error:
        if error.has_code(*NO_WORKER):
            return Existing(exists=False)
        raise
    script = ((service or {}).get("default_environment") or {}).get("script") or {}
    return Existing(
        exists=True,
        tags=tuple(script.get("tags") or ()),
        migration_tag=script.get("migration_tag"),
        last_deployed_from=script.get("last_deployed_from"),
    )
