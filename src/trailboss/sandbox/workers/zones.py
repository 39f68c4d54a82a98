"""Which zone a host name, an id or a zone name means."""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.store import Record, Store


def zone_not_found(what: str) -> ApiError:
    """The account has no such zone."""
    return ApiError(
        400,
        10082,
        f"Could not find zone for `{what}`. Make sure the domain is set up to be proxied by Cloudflare.",
    )


def zone_for(store: Store, wanted: dict[str, Any], hostname: str) -> Record:
    """The zone given by `zone_id` or `zone_name`, else the longest one `hostname` is in.

    Raises:
        ApiError: there is none.
    """
    if wanted.get("zone_id"):
        zone = store.get("zone", str(wanted["zone_id"]))
    elif wanted.get("zone_name"):
        zone = store.find("zone", name=wanted["zone_name"])
    else:
        zone = enclosing_zone(store, hostname)
    if zone is None:
        raise zone_not_found(str(wanted.get("zone_id") or wanted.get("zone_name") or hostname))
    return zone


def enclosing_zone(store: Store, hostname: str) -> Record | None:
    """The zone with the longest name that `hostname` is or ends in."""
    name = hostname.lstrip("*").lstrip(".").lower()
    inside = [zone for zone in store.all("zone") if name == zone["name"] or name.endswith(f".{zone['name']}")]
    return max(inside, key=lambda zone: len(zone["name"]), default=None)
