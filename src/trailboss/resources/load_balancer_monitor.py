"""Monitors of load balancing: what is asked of every origin of a pool. Source: edge reference 5.

Cloudflare gives them no name, so the description is the key; several may have the same one, and the tags say
which is ours.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound
from trailboss.resources.lookups import references
from trailboss.resources.marks import IDENTITY, MUTABLE, NAMED, SERVER_SET, UNSET, Unset, set_fields
from trailboss.resources.protocol import Basis, Permissions, Tagged, Use

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

TYPES = ("http", "https", "tcp", "udp_icmp", "icmp_ping", "smtp")
WEB = ("http", "https")
WEB_ONLY = ("path", "expected_codes", "expected_body", "header", "follow_redirects", "allow_insecure")
WITH_PORT = ("tcp", "udp_icmp", "smtp")
SHORTEST_INTERVAL, LONGEST_INTERVAL = 10, 3600  # seconds
LONGEST_TIMEOUT, MOST_RETRIES = 10, 5
_CODES = re.compile(r"[1-5][0-9xX]{2}(\s*,\s*[1-5][0-9xX]{2})*")


@dataclass(frozen=True, slots=True)
class LoadBalancerMonitor:
    """What a file may want: `interval` and `timeout` in seconds, `expected_codes` like "2xx" or "200,204",
    `header` as names with lists of values."""

    description: str = field(metadata=IDENTITY | NAMED)
    type: str = field(default="http", metadata=MUTABLE)
    method: str | Unset = field(default=UNSET, metadata=MUTABLE)
    path: str | Unset = field(default=UNSET, metadata=MUTABLE)
    port: int | Unset = field(default=UNSET, metadata=MUTABLE)
    expected_codes: str | Unset = field(default=UNSET, metadata=MUTABLE)
    expected_body: str | Unset = field(default=UNSET, metadata=MUTABLE)
    header: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)
    interval: int | Unset = field(default=UNSET, metadata=MUTABLE)
    timeout: int | Unset = field(default=UNSET, metadata=MUTABLE)
    retries: int | Unset = field(default=UNSET, metadata=MUTABLE)
    consecutive_up: int | Unset = field(default=UNSET, metadata=MUTABLE)
    consecutive_down: int | Unset = field(default=UNSET, metadata=MUTABLE)
    follow_redirects: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    allow_insecure: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    probe_zone: str | Unset = field(default=UNSET, metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedLoadBalancerMonitor:
    """A monitor of the account; what its type does not have is None."""

    description: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)
    type: str = field(default="http", metadata=MUTABLE)
    method: str | None = field(default=None, metadata=MUTABLE)
    path: str | None = field(default=None, metadata=MUTABLE)
    port: int | None = field(default=None, metadata=MUTABLE)
    expected_codes: str | None = field(default=None, metadata=MUTABLE)
    expected_body: str | None = field(default=None, metadata=MUTABLE)
    header: Mapping[str, Any] | None = field(default=None, metadata=MUTABLE)
    interval: int | None = field(default=None, metadata=MUTABLE)
    timeout: int | None = field(default=None, metadata=MUTABLE)
    retries: int | None = field(default=None, metadata=MUTABLE)
    consecutive_up: int | None = field(default=None, metadata=MUTABLE)
    consecutive_down: int | None = field(default=None, metadata=MUTABLE)
    follow_redirects: bool | None = field(default=None, metadata=MUTABLE)
    allow_insecure: bool | None = field(default=None, metadata=MUTABLE)
    probe_zone: str | None = field(default=None, metadata=MUTABLE)


_SHOWN = tuple(place.name for place in fields(ObservedLoadBalancerMonitor))[2:]


class LoadBalancerMonitorKind(Basis):
    """The kind `load_balancer_monitor`."""

    name = "load_balancer_monitor"
    spec = LoadBalancerMonitor
    ownership = Tagged("load_balancer_monitor")
    repeats = True
    permissions = Permissions(
        "Load Balancing: Monitors and Pools Read", "Load Balancing: Monitors and Pools Write"
    )

    def problems(self, spec: LoadBalancerMonitor) -> Iterable[str]:
        if spec.type not in TYPES:
            yield f"type is '{spec.type}'; it may be {', '.join(TYPES)}"
            return
        if spec.type in WITH_PORT and not spec.port:
            yield f"a monitor of the type {spec.type} needs a port"
        if spec.type not in WEB:
            given = [name for name in WEB_ONLY if getattr(spec, name) not in (UNSET, "", False)]
            for name in given:
                yield f"{name} is for http and https monitors; this one is of the type {spec.type}"
        if isinstance(spec.expected_codes, str) and not _CODES.fullmatch(spec.expected_codes):
            yield f"expected_codes is '{spec.expected_codes}'; it may be like 200, 2xx or 200,204"
        if isinstance(spec.path, str) and not spec.path.startswith("/"):
            yield f"path is '{spec.path}'; it starts with a slash"
        yield from _out_of_range(spec, "interval", SHORTEST_INTERVAL, LONGEST_INTERVAL)
        yield from _out_of_range(spec, "timeout", 1, LONGEST_TIMEOUT)
        yield from _out_of_range(spec, "retries", 0, MOST_RETRIES)

    def clashes(self, spec: LoadBalancerMonitor, observed: ObservedLoadBalancerMonitor) -> bool:
        return False

    def to_wire(self, spec: LoadBalancerMonitor) -> dict[str, Any]:
        return set_fields(**{place.name: getattr(spec, place.name) for place in fields(spec)})

    def from_wire(self, data: Mapping[str, Any]) -> ObservedLoadBalancerMonitor:
        shown: dict[str, Any] = {name: data.get(name) for name in _SHOWN}
        shown["port"] = shown["port"] or None
        return ObservedLoadBalancerMonitor(str(data.get("description") or ""), str(data["id"]), **shown)

    async def list(
        self, cloud: Cloud, like: LoadBalancerMonitor | None = None
    ) -> AsyncIterator[ObservedLoadBalancerMonitor]:
        async for item in cloud.pages(_path(cloud), per_page=1000):
            yield self.from_wire(item)

    async def create(self, cloud: Cloud, spec: LoadBalancerMonitor) -> ObservedLoadBalancerMonitor:
        return self.from_wire(await cloud.post(_path(cloud), json=self.to_wire(spec)))

    async def update(
        self, cloud: Cloud, spec: LoadBalancerMonitor, observed: ObservedLoadBalancerMonitor
    ) -> ObservedLoadBalancerMonitor:
        if not self.differs(spec, observed):
            return observed
        path = f"{_path(cloud)}/{observed.id}"
        return self.from_wire(await cloud.patch(path, json=self.to_wire(spec), idempotent=True))

    async def delete(self, cloud: Cloud, observed: ObservedLoadBalancerMonitor) -> None:
        with contextlib.suppress(NotFound):
            await cloud.delete(f"{_path(cloud)}/{observed.id}")

    async def uses(self, cloud: Cloud, observed: ObservedLoadBalancerMonitor) -> tuple[Use, ...]:
        return await references(cloud, f"{_path(cloud)}/{observed.id}")


def _out_of_range(spec: LoadBalancerMonitor, name: str, low: int, high: int) -> Iterable[str]:
    value = getattr(spec, name)
    if value is not UNSET and not low <= value <= high:
        yield f"{name} is {value}; Cloudflare allows {low} to {high}"


def _path(cloud: Cloud) -> str:
    return f"{cloud.account}/load_balancers/monitors"


KIND = LoadBalancerMonitorKind()
