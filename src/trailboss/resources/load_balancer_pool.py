"""Pools of origins. Source: edge reference 5; the name is unique in an account.

A change of `origins` replaces them all, so they are compared as a whole, by name and not by place.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from trailboss.errors import CloudError, NotFound
from trailboss.resources.lookups import references
from trailboss.resources.marks import (
    IDENTITY,
    MUTABLE,
    NAMED,
    SERVER_SET,
    UNSET,
    Difference,
    Ref,
    Unset,
    covers,
    differences,
    set_fields,
    to,
)
from trailboss.resources.protocol import Basis, Permissions, Tagged, Use
from trailboss.resources.refusals import taken

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

NOT_UNIQUE = 1003
ORIGIN = ("name", "address", "enabled", "weight", "port", "header", "virtual_network_id", "flatten_cname")
REGIONS = ("WNAM", "ENAM", "WEU", "EEU", "NSAM", "SSAM", "OC", "ME", "NAF", "SAF", "SAS", "SEAS", "NEAS")
ALL_REGIONS = (*REGIONS, "CHINA", "ALL_REGIONS")
_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class LoadBalancerPool:
    """What a file may want: `origins` are tables with `name`, `address` and the like, `monitor` is the key of
    a load_balancer_monitor; `monitor_group` is the id of a group, in place of one monitor."""

    name: str = field(metadata=IDENTITY | NAMED)
    origins: tuple[Mapping[str, Any], ...] = field(default=(), metadata=MUTABLE)
    monitor: str | Ref | Unset = field(default=UNSET, metadata=MUTABLE | to("load_balancer_monitor"))
    enabled: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    minimum_origins: int | Unset = field(default=UNSET, metadata=MUTABLE)
    description: str | Unset = field(default=UNSET, metadata=MUTABLE)
    check_regions: tuple[str, ...] | Unset = field(default=UNSET, metadata=MUTABLE)
    latitude: float | Unset = field(default=UNSET, metadata=MUTABLE)
    longitude: float | Unset = field(default=UNSET, metadata=MUTABLE)
    origin_steering: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)
    load_shedding: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)
    notification_filter: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)
    monitor_group: str | Unset = field(default=UNSET, metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedLoadBalancerPool:
    """A pool of the account; `origins` by name, with their defaults."""

    name: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)
    origins: tuple[Mapping[str, Any], ...] = field(default=(), metadata=MUTABLE)
    monitor: str | None = field(default=None, metadata=MUTABLE)
    enabled: bool = field(default=True, metadata=MUTABLE)
    minimum_origins: int = field(default=1, metadata=MUTABLE)
    description: str = field(default="", metadata=MUTABLE)
    check_regions: tuple[str, ...] | None = field(default=None, metadata=MUTABLE)
    latitude: float | None = field(default=None, metadata=MUTABLE)
    longitude: float | None = field(default=None, metadata=MUTABLE)
    origin_steering: Mapping[str, Any] | None = field(default=None, metadata=MUTABLE)
    load_shedding: Mapping[str, Any] | None = field(default=None, metadata=MUTABLE)
    notification_filter: Mapping[str, Any] | None = field(default=None, metadata=MUTABLE)
    monitor_group: str | None = field(default=None, metadata=MUTABLE)


class LoadBalancerPoolKind(Basis):
    """The kind `load_balancer_pool`."""

    name = "load_balancer_pool"
    spec = LoadBalancerPool
    ownership = Tagged("load_balancer_pool")
    permissions = Permissions(
        "Load Balancing: Monitors and Pools Read", "Load Balancing: Monitors and Pools Write"
    )

    def problems(self, spec: LoadBalancerPool) -> Iterable[str]:
        if not _NAME.fullmatch(spec.name):
            yield f"the name '{spec.name}' may have letters, digits, hyphens and underscores only"
        if not spec.origins:
            yield "it has no origins; a pool needs one at least"
        if spec.monitor and spec.monitor_group:
            yield "it has a monitor and a monitor_group; Cloudflare takes one of them"
        yield from _origin_problems(spec.origins)
        if (spec.latitude is UNSET) != (spec.longitude is UNSET):
            yield "latitude and longitude are given together or not at all"
        for region in spec.check_regions if isinstance(spec.check_regions, tuple) else ():
            if region not in ALL_REGIONS:
                yield f"check_regions has '{region}'; it may have {', '.join(ALL_REGIONS)}"

    def differs(self, spec: LoadBalancerPool, observed: ObservedLoadBalancerPool) -> tuple[Difference, ...]:
        wanted = replace(spec, origins=_normal(spec.origins))
        if isinstance(spec.check_regions, tuple):
            wanted = replace(wanted, check_regions=tuple(sorted(spec.check_regions)))
        changes = differences(wanted, observed)
        return tuple(one for one in changes if one.field == "origins" or not _is_same(one))

    def to_wire(self, spec: LoadBalancerPool) -> dict[str, Any]:
        body = set_fields(**{place.name: getattr(spec, place.name) for place in fields(spec)})
        body["origins"] = [dict(one) for one in spec.origins]
        if isinstance(spec.check_regions, tuple):
            body["check_regions"] = list(spec.check_regions)
        return body

    def from_wire(self, data: Mapping[str, Any]) -> ObservedLoadBalancerPool:
        regions = data.get("check_regions")
        optional = ("latitude", "longitude", "origin_steering", "load_shedding", "notification_filter")
        group = data.get("monitor_group") or None
        return ObservedLoadBalancerPool(
            str(data["name"]),
            str(data["id"]),
            _normal(data.get("origins") or ()),
            data.get("monitor") or None,
            bool(data.get("enabled", True)),
            int(data.get("minimum_origins") or 0),
            str(data.get("description") or ""),
            None if regions is None else tuple(sorted(regions)),
            monitor_group=group,
            **{name: data.get(name) for name in optional},
        )

    async def list(
        self, cloud: Cloud, like: LoadBalancerPool | None = None
    ) -> AsyncIterator[ObservedLoadBalancerPool]:
        async for item in cloud.pages(_path(cloud), per_page=1000):
            yield self.from_wire(item)

    async def create(self, cloud: Cloud, spec: LoadBalancerPool) -> ObservedLoadBalancerPool:
        body = self.to_wire(spec)
        if isinstance(spec.check_regions, tuple):
            body.pop("check_regions")  # only an update takes them
        try:
            return self.from_wire(await cloud.post(_path(cloud), json=body))
        except CloudError as error:
            if error.has_code(NOT_UNIQUE):
                raise taken(error, f"A pool '{spec.name}' exists: use it, or choose another name.") from error
            raise

    async def update(
        self, cloud: Cloud, spec: LoadBalancerPool, observed: ObservedLoadBalancerPool
    ) -> ObservedLoadBalancerPool:
        if not self.differs(spec, observed):
            return observed
        path = f"{_path(cloud)}/{observed.id}"
        return self.from_wire(await cloud.patch(path, json=self.to_wire(spec), idempotent=True))

    async def delete(self, cloud: Cloud, observed: ObservedLoadBalancerPool) -> None:
        with contextlib.suppress(NotFound):
            await cloud.delete(f"{_path(cloud)}/{observed.id}")

    async def uses(self, cloud: Cloud, observed: ObservedLoadBalancerPool) -> tuple[Use, ...]:
        return await references(cloud, f"{_path(cloud)}/{observed.id}")


def _is_same(change: Difference) -> bool:
    """Cloudflare fills in what the file does not say; what was never set is as good as empty."""
    empty = change.found is None and change.wanted in ({}, (), "")
    return empty or covers(change.wanted, change.found)


def _normal(origins: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Origins by name, with the defaults Cloudflare fills in and without what is empty."""
    whole = [{"enabled": True, "weight": 1, **one} for one in origins]
    kept = [
        {name: value for name, value in one.items() if name in ("enabled", "weight") or value}
        for one in ({name: one[name] for name in ORIGIN if name in one} for one in whole)
    ]
    return tuple(sorted(kept, key=lambda one: str(one.get("name"))))


def _origin_problems(origins: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    names = Counter(str(one.get("name")) for one in origins)
    for number, one in enumerate(origins, 1):
        place = f"origin {number}"
        for name in one:
            if name not in ORIGIN:
                yield f"{place} has the unknown key '{name}'; it may have {', '.join(ORIGIN)}"
        for name in ("name", "address"):
            if not one.get(name):
                yield f"{place} lacks {name}"
        if "://" in str(one.get("address")):
            yield f"{place}: the address '{one['address']}' is a host name or an IP address, without https://"
        if not 0 <= one.get("weight", 1) <= 1:
            yield f"{place}: weight is {one['weight']}; it is between 0 and 1"
    for name, count in names.items():
        if count > 1:
            yield f"{count} origins are called '{name}'"


def _path(cloud: Cloud) -> str:
    return f"{cloud.account}/load_balancers/pools"


KIND = LoadBalancerPoolKind()
