"""How Durable Object classes and other exports come and go with an upload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

API_DATE = {"Cloudflare-Workers-Script-Api-Date": "2026-11-09"}
"""The header an upload needs when it declares Workflow exports."""

DEFAULT_STRATEGY: Mapping[str, Any] = {"mode": "deferred", "max_delay": 300}


def pending_migrations(
    migrations: Sequence[Mapping[str, Any]], deployed: str | None
) -> dict[str, Any] | None:
    """The steps the deployed script has not seen, given its tag (None: it has seen none); None when there
    are none.

    A tag that the configuration does not know means that its step was deleted: then all are sent, as
    wrangler does.
    """
    if not migrations:
        return None
    tags = [step.get("tag") for step in migrations]
    last = tags[-1]
    if not deployed:
        return {"new_tag": last, "steps": _steps(migrations)}
    if deployed not in tags:
        return {"old_tag": deployed, "new_tag": last, "steps": _steps(migrations)}
    rest = migrations[tags.index(deployed) + 1 :]
    return {"old_tag": deployed, "new_tag": last, "steps": _steps(rest)} if rest else None


def _steps(migrations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in step.items() if key != "tag"} for step in migrations]


def exports(settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """The declared exports in wrangler's order: Workers, Durable Objects, Workflows. None when there are
    none."""
    declared = settings.get("exports") or {}
    ordered = {
        name: entry
        for kind in ("worker", "durable-object", "workflow")
        for name, entry in declared.items()
        if isinstance(entry, Mapping) and entry.get("type") == kind
    }
    return ordered or None


def has_durable_object_exports(settings: Mapping[str, Any]) -> bool:
    """Whether Durable Object classes are declared by `exports`, which replaces `migrations`."""
    return any(entry.get("type") == "durable-object" for entry in (exports(settings) or {}).values())


def headers(settings: Mapping[str, Any]) -> dict[str, str]:
    """The extra request headers an upload of these exports needs."""
    declared = (exports(settings) or {}).values()
    return dict(API_DATE) if any(entry.get("type") == "workflow" for entry in declared) else {}


def update_strategy(settings: Mapping[str, Any], flag: Mapping[str, Any] | None) -> dict[str, Any]:
    """How running Durable Objects take up new code: the flag, else the configuration, else deferred by 300
    s."""
    strategy = flag or (settings.get("durable_objects") or {}).get("code_update_strategy") or DEFAULT_STRATEGY
    if strategy.get("mode") == "immediate":
        return {"mode": "immediate"}
    return {"mode": "deferred", "max_delay": strategy.get("max_delay") or DEFAULT_STRATEGY["max_delay"]}
