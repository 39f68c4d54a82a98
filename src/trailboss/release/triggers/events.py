"""Event triggers: events of the account that start one of this Worker's workflows."""

from __future__ import annotations

from trailboss.cloud import segment
from trailboss.release.triggers.change import Change, Site

KIND = "event triggers"


async def plan(site: Site) -> list[Change]:
    """Always written when configured: the API gives no way to read them (wrangler writes them every time
    too)."""
    events = (site.settings.get("triggers") or {}).get("events") or ()
    if not events:
        return []
    path = f"{site.cloud.account}/triggers/{segment(site.name)}"
    body = [
        {**event, "targets": [{**target, "script_name": site.name} for target in event.get("targets") or ()]}
        for event in events
    ]

    async def write() -> None:
        await site.cloud.put(path, json=body)

    return [Change(KIND, tuple(str(event.get("type")) for event in events), write)]
