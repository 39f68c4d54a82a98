"""Argo Smart Routing of a zone: a switch, billed by use. Source: edge reference 6.

Switched on, requests to the origin take the fastest way through Cloudflare's network, for a price per
gigabyte.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.resources.marks import IDENTITY, MUTABLE, SERVER_SET, differences
from trailboss.resources.protocol import Basis, Permissions

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

VALUES = ("on", "off")


@dataclass(frozen=True, slots=True)
class ArgoSmartRouting:
    """What a file may want: `value` "on" or "off" (true and false will do)."""

    zone: str = field(metadata=IDENTITY)
    value: str = field(default="on", metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedArgoSmartRouting:
    """The switch: whether the zone's subscriptions allow a change, and whether anybody ever made one."""

    zone: str = field(metadata=IDENTITY)
    value: str = field(default="off", metadata=MUTABLE)
    editable: bool = field(default=True, metadata=SERVER_SET)
    touched: bool = field(default=False, metadata=SERVER_SET)


class ArgoSmartRoutingKind(Basis):
    """The kind `argo_smart_routing`."""

    name = "argo_smart_routing"
    spec = ArgoSmartRouting
    scope = "zone"
    is_setting = True
    permissions = Permissions("Zone Settings Read", "Zone Settings Write")

    def problems(self, spec: ArgoSmartRouting) -> Iterable[str]:
        if spec.value not in VALUES:
            yield f"value is '{spec.value}'; it may be on or off"

    def adjust(self, table: Mapping[str, Any]) -> Mapping[str, Any]:
        return {name: switched(value) for name, value in table.items()}

    def clashes(self, spec: ArgoSmartRouting, observed: ObservedArgoSmartRouting) -> bool:
        """What Cloudflare chose is nobody's; what somebody set by hand is theirs."""
        return observed.touched

    def handle(self, observed: ObservedArgoSmartRouting) -> str:
        return observed.zone

    def to_wire(self, spec: ArgoSmartRouting) -> dict[str, Any]:
        return {"value": spec.value}

    def from_wire(self, data: Mapping[str, Any]) -> ObservedArgoSmartRouting:
        return ObservedArgoSmartRouting(
            str(data["zone"]),
            str(data.get("value") or "off"),
            data.get("editable") is not False,
            data.get("modified_on") is not None,
        )

    async def list(
        self, cloud: Cloud, like: ArgoSmartRouting | None = None
    ) -> AsyncIterator[ObservedArgoSmartRouting]:
        assert like is not None
        yield self.from_wire({**await cloud.get(await _path(cloud, like.zone)), "zone": like.zone})

    async def create(self, cloud: Cloud, spec: ArgoSmartRouting) -> ObservedArgoSmartRouting:
        path = await _path(cloud, spec.zone)
        changed = await cloud.patch(path, json=self.to_wire(spec), idempotent=True)
        return self.from_wire({**changed, "zone": spec.zone})

    async def update(
        self, cloud: Cloud, spec: ArgoSmartRouting, observed: ObservedArgoSmartRouting
    ) -> ObservedArgoSmartRouting:
        return await self.create(cloud, spec) if differences(spec, observed) else observed

    async def delete(self, cloud: Cloud, observed: ObservedArgoSmartRouting) -> None:
        """A switch stays as it is."""


def switched(value: Any) -> Any:
    """true and false as Cloudflare writes them."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


async def _path(cloud: Cloud, zone: str) -> str:
    return f"{await cloud.zone(zone)}/argo/smart_routing"


KIND = ArgoSmartRoutingKind()
