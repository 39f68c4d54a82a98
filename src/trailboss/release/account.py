"""What the account has of one Worker before a deploy, read in one round trip."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailboss.errors import CloudError
from trailboss.release import paths
from trailboss.release.callbacks import Confirm
from trailboss.release.model import Deployment, Version, with_shares
from trailboss.release.reading import read_deployments, read_versions
from trailboss.release.together import together
from trailboss.release.triggers import plan_triggers, read_record
from trailboss.release.triggers.change import Change, Site

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


@dataclass(frozen=True, slots=True)
class Seen:
    """`record` is None for a Worker that does not exist; `migration_tag` is the last Durable Object
    migration applied (read only where the config has migrations); `changes` are the planned triggers."""

    record: Mapping[str, Any] | None
    versions: tuple[Version, ...]
    deployments: tuple[Deployment, ...]
    migration_tag: str | None
    changes: tuple[Change, ...]

    @property
    def exists(self) -> bool:
        return self.record is not None

    @property
    def current(self) -> Deployment | None:
        return self.deployments[0] if self.deployments else None

    @property
    def live(self) -> Version | None:
        """The version with all the traffic, None while it is split or nothing is deployed."""
        whole = self.current.whole if self.current else None
        return next((version for version in self.versions if version.id == whole), None)


async def look(
    cloud: Cloud, name: str, settings: Mapping[str, Any], *, triggers: bool, confirm: Confirm | None
) -> Seen:
    """Read the Worker's record, versions, deployments and triggers at the same time.

    Three calls, and one for each of: schedules, routes, queue consumers (all of them), workflow,
    migrations, that the config has. Raises ReleaseError TB4073 when a queue to consume does not exist.
    """
    reading = asyncio.ensure_future(read_record(cloud, name))
    site = Site(cloud, name, settings, lambda: reading, confirm)
    record, versions, deployments, tag, changes = await together(
        _wait(reading),
        _or_none(read_versions(cloud, name)),
        _or_none(read_deployments(cloud, name)),
        _migration_tag(cloud, name) if settings.get("migrations") else _nothing(),
        plan_triggers(site) if triggers else _nothing(),
    )
    current = deployments[0] if deployments else None
    return Seen(record, with_shares(versions or (), current), deployments or (), tag, changes or ())


async def _wait(reading: asyncio.Future[Any]) -> Any:
    return await reading


async def _or_none(reading: Any) -> Any:
    """The answer, None where it is that there is no such Worker."""
    try:
        return await reading
    except CloudError as error:
        if paths.is_missing(error):
            return None
        raise


async def _nothing() -> None:
    return None


async def _migration_tag(cloud: Cloud, name: str) -> str | None:
    service = await _or_none(cloud.get(paths.service(cloud, name)))
    script = ((service or {}).get("default_environment") or {}).get("script") or {}
    return script.get("migration_tag")
