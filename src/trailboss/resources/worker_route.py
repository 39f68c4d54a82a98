"""Routes: URL patterns of a zone that go to a Worker, or to none. Source: API reference 4, edge 4.2.

A pattern is unique in its zone. A wrangler config often leaves the zone out; `zone` is "" then, and the zone
is the longest one of the account that the pattern's host lies in.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound
from trailboss.resources.addresses import addresses, host_of
from trailboss.resources.marks import IDENTITY, MUTABLE, SERVER_SET, UNSET, set_fields
from trailboss.resources.protocol import Basis, OfWorker, Permissions

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


@dataclass(frozen=True, slots=True)
class WorkerRoute:
    """What a file may want: requests that fit `pattern` go to `script`; "" switches Workers off there."""

    zone: str = field(metadata=IDENTITY)
    pattern: str = field(metadata=IDENTITY)
    script: str = field(default="", metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedWorkerRoute:
    """A route of the zone; `id` is 32 hex digits."""

    zone: str = field(metadata=IDENTITY)
    pattern: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)
    script: str = field(default="", metadata=MUTABLE)


class WorkerRouteKind(Basis):
    """The kind `worker_route`."""

    name = "worker_route"
    spec = WorkerRoute
    scope = "zone"
    ownership = OfWorker()
    permissions = Permissions("Workers Routes Read", "Workers Routes Write")

    def problems(self, spec: WorkerRoute) -> Iterable[str]:
        bare = re.sub(r"^https?://", "", spec.pattern)
        host, _, path = bare.partition("/")
        name = host_of(bare)
        if "." not in name:
            yield f"the pattern '{spec.pattern}' has no host name"
        if "?" in bare:
            yield f"the pattern '{spec.pattern}' has a query, which routes do not look at"
        if "*" in host[1:] or "*" in path[:-1]:
            yield f"'{spec.pattern}': a * stands only at the start of the host and at the end of the path"
        inside = name == spec.zone or name.endswith(f".{spec.zone}")
        if "." in spec.zone and not inside:
            yield f"the pattern '{spec.pattern}' is not in the zone {spec.zone}"

    def from_worker(self, script: str, raw: Mapping[str, Any]) -> Iterable[tuple[str, WorkerRoute]]:
        """The `routes` without `custom_domain`."""
        for item in addresses(raw, custom=False):
            zone = str(item.get("zone_name") or item.get("zone_id") or "")
            yield str(item["pattern"]), WorkerRoute(zone, str(item["pattern"]), script)

    def scope_of(self, spec: WorkerRoute) -> tuple[Any, ...]:
        return (spec.zone, "" if spec.zone else host_of(spec.pattern))

    def to_wire(self, spec: WorkerRoute) -> dict[str, Any]:
        return set_fields(pattern=spec.pattern, script=spec.script or UNSET)

    def from_wire(self, data: Mapping[str, Any]) -> ObservedWorkerRoute:
        return ObservedWorkerRoute(
            str(data["zone"]), str(data["pattern"]), str(data["id"]), str(data.get("script") or "")
        )

    async def list(self, cloud: Cloud, like: WorkerRoute | None = None) -> AsyncIterator[ObservedWorkerRoute]:
        assert like is not None
        async for item in cloud.pages(await _path(cloud, like.zone, like.pattern), style="cursor"):
            yield self.from_wire({**item, "zone": like.zone})

    async def create(self, cloud: Cloud, spec: WorkerRoute) -> ObservedWorkerRoute:
        path = await _path(cloud, spec.zone, spec.pattern)
        made = await cloud.post(path, json=self.to_wire(spec))
        return self.from_wire({**self.to_wire(spec), **made, "zone": spec.zone})

    async def update(
        self, cloud: Cloud, spec: WorkerRoute, observed: ObservedWorkerRoute
    ) -> ObservedWorkerRoute:
        if not self.differs(spec, observed):
            return observed
        path = f"{await _path(cloud, observed.zone, observed.pattern)}/{observed.id}"
        made = await cloud.put(path, json=self.to_wire(spec))
        return self.from_wire({**self.to_wire(spec), "id": observed.id, **made, "zone": observed.zone})

    async def delete(self, cloud: Cloud, observed: ObservedWorkerRoute) -> None:
        with contextlib.suppress(NotFound):
            await cloud.delete(f"{await _path(cloud, observed.zone, observed.pattern)}/{observed.id}")


async def _path(cloud: Cloud, zone: str, pattern: str) -> str:
    place = await cloud.zone(zone) if zone else f"/zones/{await _enclosing(cloud, host_of(pattern))}"
    return f"{place}/workers/routes"


async def _enclosing(cloud: Cloud, host: str) -> str:
    """The id of the longest zone that `host` lies in, from one list. Raises NotFound TB2305."""
    account = await cloud.account_id()
    found: dict[str, str] = {}
    async for item in cloud.pages("/zones", params={"account.id": account}, per_page=50):
        if host == item["name"] or host.endswith(f".{item['name']}"):
            found[str(item["name"])] = str(item["id"])
    if not found:
        raise NotFound(
            "TB2305",
            f"no zone of this account has the host '{host}'",
            hint="Add the domain to the account, or name its zone with `zone_name` beside the route.",
        )
    return found[max(found, key=len)]


KIND = WorkerRouteKind()
