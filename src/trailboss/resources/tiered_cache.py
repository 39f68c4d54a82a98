"""Tiered cache of a zone: three switches that belong together. Source: edge reference 6.

`tiered_caching` asks an upper tier before the origin, `smart_topology` lets Cloudflare choose the best upper
tier for each origin, `regional` adds one per region (Enterprise). Each has a call of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound
from trailboss.resources.argo_smart_routing import VALUES, switched
from trailboss.resources.marks import IDENTITY, MUTABLE, SERVER_SET, UNSET, Unset, differences, set_fields
from trailboss.resources.protocol import Basis, Permissions

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

PATHS = {
    "tiered_caching": "argo/tiered_caching",
    "smart_topology": "cache/tiered_cache_smart_topology_enable",
    "regional": "cache/regional_tiered_cache",
}


@dataclass(frozen=True, slots=True)
class TieredCache:
    """What a file may want: each switch "on" or "off" (true and false will do)."""

    zone: str = field(metadata=IDENTITY)
    tiered_caching: str = field(default="on", metadata=MUTABLE)
    smart_topology: str | Unset = field(default=UNSET, metadata=MUTABLE)
    regional: str | Unset = field(default=UNSET, metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedTieredCache:
    """The switches of a zone; `touched` are those that somebody set, None one that is not known."""

    zone: str = field(metadata=IDENTITY)
    tiered_caching: str | None = field(default=None, metadata=MUTABLE)
    smart_topology: str | None = field(default=None, metadata=MUTABLE)
    regional: str | None = field(default=None, metadata=MUTABLE)
    touched: tuple[str, ...] = field(default=(), metadata=SERVER_SET)


class TieredCacheKind(Basis):
    """The kind `tiered_cache`."""

    name = "tiered_cache"
    spec = TieredCache
    scope = "zone"
    is_setting = True
    permissions = Permissions("Zone Settings Read", "Zone Settings Write")

    def problems(self, spec: TieredCache) -> Iterable[str]:
        for name, value in self.to_wire(spec).items():
            if value not in VALUES:
                yield f"{name} is '{value}'; it may be on or off"
        if spec.tiered_caching == "off" and "on" in (spec.smart_topology, spec.regional):
            yield "smart_topology and regional do nothing while tiered_caching is off"

    def adjust(self, table: Mapping[str, Any]) -> Mapping[str, Any]:
        return {name: switched(value) for name, value in table.items()}

    def clashes(self, spec: TieredCache, observed: ObservedTieredCache) -> bool:
        """What Cloudflare chose is nobody's; what somebody set by hand is theirs."""
        return any(change.field in observed.touched for change in differences(spec, observed))

    def handle(self, observed: ObservedTieredCache) -> str:
        return observed.zone

    def to_wire(self, spec: TieredCache) -> dict[str, Any]:
        """The value of each switch, by its field; each has a call of its own."""
        return set_fields(**{name: getattr(spec, name) for name in PATHS})

    def from_wire(self, data: Mapping[str, Any]) -> ObservedTieredCache:
        """From each switch as its own call shows it."""
        shown = {name: data[name] for name in PATHS if name in data}
        touched = tuple(name for name, one in shown.items() if one.get("modified_on") is not None)
        values = {name: str(one.get("value") or "off") for name, one in shown.items()}
        return ObservedTieredCache(str(data["zone"]), **values, touched=touched)

    async def list(self, cloud: Cloud, like: TieredCache | None = None) -> AsyncIterator[ObservedTieredCache]:
        assert like is not None
        values = await asyncio.gather(*(_read(cloud, like.zone, name) for name in PATHS))
        yield self.from_wire({**dict(zip(PATHS, values, strict=True)), "zone": like.zone})

    async def create(self, cloud: Cloud, spec: TieredCache) -> ObservedTieredCache:
        values = {name: await _write(cloud, spec, name) for name in self.to_wire(spec)}
        return self.from_wire({**values, "zone": spec.zone})

    async def update(
        self, cloud: Cloud, spec: TieredCache, observed: ObservedTieredCache
    ) -> ObservedTieredCache:
        names = [change.field for change in differences(spec, observed)]
        written: dict[str, Any] = {name: str((await _write(cloud, spec, name))["value"]) for name in names}
        touched = tuple(name for name in PATHS if name in (*observed.touched, *names))
        return replace(observed, **written, touched=touched)

    async def delete(self, cloud: Cloud, observed: ObservedTieredCache) -> None:
        """Switches stay as they are."""


async def _read(cloud: Cloud, zone: str, name: str) -> Mapping[str, Any]:
    with contextlib.suppress(NotFound):  # it was never set
        found: Mapping[str, Any] = await cloud.get(f"{await cloud.zone(zone)}/{PATHS[name]}")
        return found
    return {}


async def _write(cloud: Cloud, spec: TieredCache, name: str) -> Mapping[str, Any]:
    path, value = f"{await cloud.zone(spec.zone)}/{PATHS[name]}", getattr(spec, name)
    found: Mapping[str, Any] = await cloud.patch(path, json={"value": value}, idempotent=True)
    return found


KIND = TieredCacheKind()
