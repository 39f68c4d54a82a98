"""Workflows this Worker implements: each is registered by name with the class that runs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trailboss.cloud import segment
from trailboss.errors import CloudError, NotFound, ReleaseError
from trailboss.release.triggers.change import Change, Site

KIND = "workflow"
_NEEDS_PAID, _JURISDICTION_FIXED, _MISSING = 10208, 10209, 10200
_OF_VERSION = ("limits", "concurrency", "default_retention")
_OPTIONAL = (*_OF_VERSION, "jurisdiction")


def owned(name: str, settings: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The workflows whose class is in the Worker `name`."""
    found = settings.get("workflows") or ()
    return [item for item in found if item.get("script_name") in (None, "", name)]


async def plan(site: Site) -> list[Change]:
    """One change per workflow."""
    return [await _plan(site, item) for item in owned(site.name, site.settings)]


async def _plan(site: Site, item: Mapping[str, Any]) -> Change:
    name = str(item["name"])
    path = f"{site.cloud.account}/workflows/{segment(name)}"
    body = _body(site.name, item)
    there = await _read(site, path)
    warnings: tuple[str, ...] = ()
    if there and there.get("script_name") not in (None, site.name):
        warnings = (f"workflow {name} moves here from Worker {there['script_name']}",)
    if there and await _settled(site, path, body, there):
        return Change(KIND, (name,))

    async def write() -> None:
        try:
            await site.cloud.put(path, json=body)
        except CloudError as error:
            raise _explain(name, error) from error

    return Change(KIND, (name,), write, warnings)


async def _settled(site: Site, path: str, body: Mapping[str, Any], there: Mapping[str, Any]) -> bool:
    """Whether the account has it so: the class, the schedules, and what its newest version says of limits."""
    wanted = {str(one["cron"]) for one in body.get("schedules") or ()}
    known = {str(one.get("cron")) for one in there.get("schedules") or ()}
    fixed = {
        key: value for key, value in body.items() if key not in (*_OF_VERSION, "schedules", "jurisdiction")
    }
    place = there.get("jurisdiction") or body.get("jurisdiction")
    if wanted != known or place != body.get("jurisdiction"):
        return False
    if any(there.get(key) != value for key, value in fixed.items()):
        return False
    version = await _newest(site, path)
    return all(_covers(version.get(key), body.get(key)) for key in _OF_VERSION)


def _covers(has: Any, wants: Any) -> bool:
    """Fields that the account adds on its own are no difference; one that should be gone is."""
    if not wants or not isinstance(wants, Mapping):
        return (has or None) == (wants or None)
    return all((has or {}).get(key) == value for key, value in wants.items())


async def _newest(site: Site, path: str) -> Mapping[str, Any]:
    """The newest version of a workflow, which has its limits; empty where it has none. One call."""
    listed: list[Mapping[str, Any]] = await site.cloud.get(f"{path}/versions") or []
    return max(listed, key=lambda one: str(one.get("created_on")), default={})


def _body(script: str, item: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {"script_name": script, "class_name": item["class_name"]}
    body.update({key: item[key] for key in _OPTIONAL if item.get(key)})
    schedules = item.get("schedules")
    if schedules:
        listed = [schedules] if isinstance(schedules, str) else schedules
        body["schedules"] = [{"cron": cron} for cron in listed]
    return body


async def _read(site: Site, path: str) -> Mapping[str, Any] | None:
    try:
        wire: Mapping[str, Any] = await site.cloud.get(path)
    except CloudError as error:
        if isinstance(error, NotFound) or error.has_code(_MISSING):
            return None
        raise
    return wire


def _explain(name: str, error: CloudError) -> ReleaseError | CloudError:
    if error.has_code(_NEEDS_PAID):
        return ReleaseError(
            "TB4074",
            f"Workflow {name} has schedules, which need a paid Workers plan.",
            hint="Remove them, or upgrade.",
        )
    if error.has_code(_JURISDICTION_FIXED):
        return ReleaseError(
            "TB4075",
            f"Workflow {name} exists with another jurisdiction, which cannot be changed.",
            hint="Give the workflow a new name, or delete it first (with its instances).",
        )
    return error
