"""What the account already has under a Worker's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailboss.errors import CloudError

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

NO_WORKER = (10007, 10090)


@dataclass(frozen=True, slots=True)
class Existing:
    """The facts an upload depends on. `bindings` are those of the newest version, None when not looked at."""

    exists: bool
    tags: tuple[str, ...] = ()
    migration_tag: str | None = None
    last_deployed_from: str | None = None
    bindings: tuple[Mapping[str, Any], ...] | None = None


async def look_up(cloud: Cloud, name: str, *, with_bindings: bool = False) -> Existing:
    """Ask for the Worker `name`: one call, or two `with_bindings`.

    Raises:
        CloudError: anything but "there is no such Worker".
    """
    from trailboss.cloud import segment

    try:
        service = await cloud.get(f"{cloud.account}/workers/services/{segment(name)}")
    except CloudError as error:
        if error.has_code(*NO_WORKER):
            return Existing(exists=False, bindings=())
        raise
    script = ((service or {}).get("default_environment") or {}).get("script") or {}
    return Existing(
        exists=True,
        tags=tuple(script.get("tags") or ()),
        migration_tag=script.get("migration_tag"),
        last_deployed_from=script.get("last_deployed_from"),
        bindings=await deployed_bindings(cloud, name) if with_bindings else None,
    )


async def deployed_bindings(cloud: Cloud, name: str) -> tuple[Mapping[str, Any], ...]:
    """The bindings of the newest version; none when that cannot be said, as wrangler takes it."""
    from trailboss.cloud import segment

    try:
        settings = await cloud.get(f"{cloud.account}/workers/scripts/{segment(name)}/settings")
    except CloudError as error:
        if error.status in (401, 403, 404) or error.has_code(*NO_WORKER):
            return ()
        raise
    return tuple((settings or {}).get("bindings") or ())
