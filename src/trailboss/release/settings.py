"""Script settings: what belongs to the Worker and to no version (logs, tail consumers, tags)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trailboss.release import paths

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

_LISTS = ("tail_consumers", "streaming_tail_consumers")


def wanted_settings(settings: Mapping[str, Any], tags: list[str] | None = None) -> dict[str, Any]:
    """The body wrangler sends: observability always (off when not configured), the others where
    configured."""
    body: dict[str, Any] = {"observability": settings.get("observability") or {"enabled": False}}
    if settings.get("logpush") is not None:
        body["logpush"] = settings["logpush"]
    for key in _LISTS:
        if settings.get(key):
            body[key] = settings[key]
    if tags is not None:
        body["tags"] = tags
    return body


def environment_tags(
    before: list[str], *, service: str | None, environment: str | None, environments: bool
) -> list[str]:
    """The Worker's tags with wrangler's two, by which the dashboard groups the environments of one
    Worker: `cf:service=<top-level name>` and `cf:environment=<name>`. Only where the config has
    environments at all."""
    tags = [tag for tag in before if not tag.startswith(("cf:service=", "cf:environment="))]
    if environments and service:
        tags.append(f"cf:service={service}")
        tags += [f"cf:environment={environment}"] if environment else []
    return tags


def differs(wanted: Mapping[str, Any], record: Mapping[str, Any] | None) -> bool:
    """Whether the account's record of the Worker says otherwise. Fields it adds on its own are no
    difference."""
    return record is None or not all(_covers(record.get(key), value) for key, value in wanted.items())


def _covers(has: Any, wants: Any) -> bool:
    if isinstance(wants, Mapping):
        return all(_covers((has or {}).get(key), value) for key, value in wants.items())
    if isinstance(wants, list):
        return _listed(has or ()) == _listed(wants)
    return has == wants or (wants is False and has is None)


def _listed(items: Any) -> list[str]:
    """Tail consumers are {"service"} in a config and {"name"} in a record; tags are plain words. Order
    means nothing."""
    return sorted(
        str(item.get("service") or item.get("name")) if isinstance(item, Mapping) else str(item)
        for item in items
    )


async def write_settings(cloud: Cloud, name: str, body: Mapping[str, Any]) -> None:
    """One PATCH; makes no version. Safe to repeat."""
    await cloud.patch(paths.script(cloud, name, "script-settings"), json=body, idempotent=True)
