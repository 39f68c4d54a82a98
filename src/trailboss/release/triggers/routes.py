"""Routes: patterns on a zone that reach the Worker. One PUT replaces all routes of the Worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trailboss.cloud import segment
from trailboss.errors import AuthenticationError, CloudError, PermissionDenied, ReleaseError
from trailboss.release import paths
from trailboss.release.triggers.addresses import Address, read_addresses
from trailboss.release.triggers.change import Change, Site
from trailboss.release.triggers.zones import zone_of

KIND = "routes"


async def plan(site: Site) -> list[Change]:
    """Compare the patterns; the zone follows from the pattern."""
    addresses = read_addresses(site.settings)
    routes = [address for address in addresses or () if not address.custom_domain]
    if not routes:
        return []
    patterns = tuple(route.pattern for route in routes)
    if await _read(site) == set(patterns):
        return [Change(KIND, patterns)]

    async def write() -> None:
        body = [dict(route.wire) for route in routes]
        try:
            await site.cloud.put(paths.script(site.cloud, site.name, "routes"), json=body)
        except (AuthenticationError, PermissionDenied):
            # A token for some zones only may not replace all routes; wrangler then goes zone by zone.
            await _zone_by_zone(site, routes)

    return [Change(KIND, patterns, write)]


async def _read(site: Site) -> set[str] | None:
    """The patterns the Worker has now, in all zones; None when the account cannot say, so that the write
    settles it."""
    path = f"{paths.service(site.cloud, site.name)}/environments/production/routes"
    try:
        wire = await site.cloud.get(path, params={"show_zonename": "true"})
    except CloudError:
        return None
    return {str(item.get("pattern")) for item in wire or ()}


async def _zone_by_zone(site: Site, routes: Sequence[Address]) -> None:
    """Add what is missing in each zone. Routes in zones this token cannot see are left as they are.

    Raises ReleaseError TB4071 when a pattern belongs to another Worker.
    """
    zones: dict[str, list[str]] = {}
    for route in routes:
        zones.setdefault(await zone_of(site.cloud, route), []).append(route.pattern)
    for zone, patterns in zones.items():
        there = await _zone_routes(site, zone)
        for pattern in patterns:
            owner = there.get(pattern)
            if owner == site.name:
                continue
            if pattern in there:
                raise ReleaseError(
                    "TB4071",
                    f'The route "{pattern}" belongs to {owner or "no Worker (Workers are off there)"}.',
                    hint="Remove it there first; a token for all zones could replace it.",
                )
            await site.cloud.post(
                f"/zones/{segment(zone)}/workers/routes", json={"pattern": pattern, "script": site.name}
            )


async def _zone_routes(site: Site, zone: str) -> Mapping[str, Any]:
    pages = site.cloud.pages(f"/zones/{segment(zone)}/workers/routes", style="cursor")
    return {str(item.get("pattern")): item.get("script") async for item in pages}
