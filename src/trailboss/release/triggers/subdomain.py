"""The Worker's own host under workers.dev, and its preview URLs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trailboss.release import paths
from trailboss.release.triggers.addresses import read_addresses
from trailboss.release.triggers.change import Change, Site

KIND = "workers.dev"
_API_DATE = {"Cloudflare-Workers-Script-Api-Date": "2025-08-01"}


async def plan(site: Site) -> list[Change]:
    """On unless the config says otherwise or gives routes; preview URLs follow it unless configured
    (wrangler's rules)."""
    wanted, previews = wants(site.settings)
    after = (wanted, wanted if previews is None else previews)
    record = await site.record()
    before, url = _state(record), url_of(record)
    host = (url,) if wanted and url else ()
    if before == after:
        return [Change(KIND, host)] if wanted else []

    async def write() -> None:
        body: dict[str, Any] = {"enabled": wanted}
        if previews is not None:
            body["previews_enabled"] = previews
        await site.cloud.post(
            paths.script(site.cloud, site.name, "subdomain"), json=body, headers=_API_DATE, idempotent=True
        )

    return [Change(KIND, host, write, _surprise(site.settings, before, after))]


def wants(settings: Mapping[str, Any]) -> tuple[bool, bool | None]:
    """(workers.dev on, preview URLs on or None for "as workers.dev")."""
    enabled = settings.get("workers_dev")
    if enabled is None:
        enabled = not read_addresses(settings)
    previews = settings.get("preview_urls")
    return bool(enabled), None if previews is None else bool(previews)


def url_of(record: Mapping[str, Any] | None) -> str | None:
    """The URL the account gives the Worker under workers.dev, None before it knows the Worker."""
    return ((record or {}).get("subdomain") or {}).get("url") or None


def preview_url(record: Mapping[str, Any] | None, prefix: str) -> str | None:
    """`https://<prefix><suffix>` for a version (first 8 of its id) or an alias; None while previews are
    off."""
    subdomain = (record or {}).get("subdomain") or {}
    suffix = subdomain.get("preview_url_suffix")
    if not suffix or not subdomain.get("previews_enabled"):
        return None
    scheme = str(subdomain.get("url") or "https://").split("://", 1)[0]
    return f"{scheme}://{prefix}{suffix}"


def _state(record: Mapping[str, Any] | None) -> tuple[bool, bool] | None:
    if record is None:
        return None
    subdomain = record.get("subdomain") or {}
    return bool(subdomain.get("enabled")), bool(subdomain.get("previews_enabled"))


def _surprise(
    settings: Mapping[str, Any], before: tuple[bool, bool] | None, after: tuple[bool, bool]
) -> tuple[str, ...]:
    """What changes although the config does not mention it."""
    found = []
    for key, was, becomes in zip(("workers_dev", "preview_urls"), before or after, after, strict=True):
        if was != becomes and settings.get(key) is None:
            found.append(
                f"{key} is not in the config, so it was turned {'on' if becomes else 'off'}; "
                f"write {key} = {str(was).lower()} to keep it"
            )
    return tuple(found)
