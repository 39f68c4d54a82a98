"""Cron schedules: one PUT replaces all of them. `crons = []` clears; no `crons` at all leaves them
alone."""

from __future__ import annotations

from trailboss.errors import CloudError
from trailboss.release import paths
from trailboss.release.triggers.change import Change, Site

KIND = "schedules"


async def plan(site: Site) -> list[Change]:
    """Compare as sets: their order means nothing."""
    crons = (site.settings.get("triggers") or {}).get("crons")
    if crons is None:
        return []
    path = paths.script(site.cloud, site.name, "schedules")
    if await _read(site, path) == set(crons):
        return [Change(KIND, tuple(crons))] if crons else []

    async def write() -> None:
        await site.cloud.put(path, json=[{"cron": cron} for cron in crons])

    return [Change(KIND, tuple(crons), write)]


async def _read(site: Site, path: str) -> set[str] | None:
    """What the account has; None when it cannot say, so that the write settles it."""
    try:
        wire = await site.cloud.get(path)
    except CloudError:
        return None
    found = wire.get("schedules") if isinstance(wire, dict) else wire
    return {str(item.get("cron")) for item in found or ()}
