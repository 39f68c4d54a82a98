"""`routes` of a wrangler config, sorted into plain routes and custom domains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Address:
    """One entry of `routes`; `wire` is what Cloudflare is sent for it."""

    pattern: str
    custom_domain: bool
    wire: Mapping[str, Any]

    @property
    def zone_name(self) -> str | None:
        return self.wire.get("zone_name")

    @property
    def zone_id(self) -> str | None:
        return self.wire.get("zone_id")


def read_addresses(settings: Mapping[str, Any]) -> tuple[Address, ...] | None:
    """Everything under `routes` (or the single `route`); None when the config has neither, which leaves
    them alone."""
    found = settings.get("routes")
    if found is None and settings.get("route"):
        found = [settings["route"]]
    if found is None:
        return None
    return tuple(_address(item) for item in found)


def _address(item: str | Mapping[str, Any]) -> Address:
    if isinstance(item, str):
        return Address(item, False, {"pattern": item})
    wire = {key: value for key, value in item.items() if value is not None}
    return Address(str(item["pattern"]), bool(item.get("custom_domain")), wire)
