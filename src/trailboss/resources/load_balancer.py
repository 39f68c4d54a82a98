"""Load balancers of a zone. Source: edge reference 5; the name is a host name of the zone.

Pools are named by their keys, also in `region_pools`, `country_pools`, `pop_pools` and in what rules
override: `region_pools = {WEU = ["europe"]}`.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from trailboss.errors import CloudError, NotFound
from trailboss.resources.expressions import problem
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
from trailboss.resources.protocol import Basis, Permissions, Tagged
from trailboss.resources.refusals import taken

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

NOT_UNIQUE = 1003
LONGEST_NAME = 253
POOL = "load_balancer_pool"
STEERING = (
    *("off", "geo", "random", "dynamic_latency", "proximity"),
    *("least_outstanding_requests", "least_connections", ""),
)
AFFINITY = ("none", "cookie", "ip_cookie", "header")
AFFINITY_SECONDS = {"cookie": (1800, 604_800), "ip_cookie": (1800, 604_800), "header": (30, 3600)}
POOLS_BY_PLACE = ("region_pools", "country_pools", "pop_pools")
WHOLE = POOLS_BY_PLACE
"""Tables in which a key that is gone from the file is a difference, too."""


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """What a file may want: `default_pools` and `fallback_pool` (the first of them when it is not said) are
    keys of load_balancer_pools, `ttl` and `session_affinity_ttl` are seconds."""

    zone: str = field(metadata=IDENTITY)
    name: str = field(metadata=IDENTITY | NAMED)
    default_pools: tuple[str | Ref, ...] = field(metadata=MUTABLE | to(POOL))
    fallback_pool: str | Ref = field(metadata=MUTABLE | to(POOL))
    proxied: bool = field(default=True, metadata=MUTABLE)
    enabled: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    ttl: int | Unset = field(default=UNSET, metadata=MUTABLE)
    description: str | Unset = field(default=UNSET, metadata=MUTABLE)
    steering_policy: str | Unset = field(default=UNSET, metadata=MUTABLE)
    region_pools: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)
    country_pools: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)
    pop_pools: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)
    random_steering: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)
    adaptive_routing: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)
    location_strategy: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)
    session_affinity: str | Unset = field(default=UNSET, metadata=MUTABLE)
    session_affinity_ttl: int | Unset = field(default=UNSET, metadata=MUTABLE)
    session_affinity_attributes: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)
    rules: tuple[Mapping[str, Any], ...] | Unset = field(default=UNSET, metadata=MUTABLE)
    networks: tuple[str, ...] | Unset = field(default=UNSET, metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedLoadBalancer:
    """A load balancer of the zone; what was never set is None."""

    zone: str = field(metadata=IDENTITY)
    name: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)
    default_pools: tuple[str, ...] = field(default=(), metadata=MUTABLE)
    fallback_pool: str = field(default="", metadata=MUTABLE)
    proxied: bool = field(default=False, metadata=MUTABLE)
    enabled: bool = field(default=True, metadata=MUTABLE)
    ttl: int | None = field(default=None, metadata=MUTABLE)
    description: str = field(default="", metadata=MUTABLE)
    steering_policy: str | None = field(default=None, metadata=MUTABLE)
    region_pools: Mapping[str, Any] | None = field(default=None, metadata=MUTABLE)
    country_pools: Mapping[str, Any] | None = field(default=None, metadata=MUTABLE)
    pop_pools: Mapping[str, Any] | None = field(default=None, metadata=MUTABLE)
    random_steering: Mapping[str, Any] | None = field(default=None, metadata=MUTABLE)
    adaptive_routing: Mapping[str, Any] | None = field(default=None, metadata=MUTABLE)
    location_strategy: Mapping[str, Any] | None = field(default=None, metadata=MUTABLE)
    session_affinity: str = field(default="none", metadata=MUTABLE)
    session_affinity_ttl: int | None = field(default=None, metadata=MUTABLE)
    session_affinity_attributes: Mapping[str, Any] | None = field(default=None, metadata=MUTABLE)
    rules: tuple[Mapping[str, Any], ...] | None = field(default=None, metadata=MUTABLE)
    networks: tuple[str, ...] | None = field(default=None, metadata=MUTABLE)


_OPTIONAL = tuple(
    place.name
    for place in fields(ObservedLoadBalancer)
    if place.default is None and place.name not in ("ttl", "session_affinity_ttl", "rules", "networks")
)


class LoadBalancerKind(Basis):
    """The kind `load_balancer`."""

    name = "load_balancer"
    spec = LoadBalancer
    scope = "zone"
    ownership = Tagged("load_balancer")
    permissions = Permissions("Load Balancers Read", "Load Balancers Write")

    def problems(self, spec: LoadBalancer) -> Iterable[str]:
        if len(spec.name) > LONGEST_NAME:
            yield f"the name has {len(spec.name)} characters; DNS allows {LONGEST_NAME}"
        if spec.name != spec.zone and not spec.name.endswith(f".{spec.zone}"):
            yield f"the name '{spec.name}' is no host name of the zone {spec.zone}"
        if not spec.default_pools:
            yield "it has no default_pools; it needs one at least"
        if isinstance(spec.steering_policy, str) and spec.steering_policy not in STEERING:
            names = ", ".join(name or '""' for name in STEERING)
            yield f"steering_policy is '{spec.steering_policy}'; it may be {names}"
        if spec.ttl is not UNSET and spec.proxied:
            yield "ttl is for a load balancer that is not proxied"
        yield from _affinity_problems(spec)
        if isinstance(spec.rules, tuple):
            for number, rule in enumerate(spec.rules, 1):
                yield from _rule_problems(rule, f"rule {number}")

    def adjust(self, table: Mapping[str, Any]) -> Mapping[str, Any]:
        """Keys of pools become references wherever they stand; the first default pool is the fallback."""
        found = dict(table)
        pools = found.get("default_pools")
        if isinstance(pools, list) and pools and "fallback_pool" not in found:
            found["fallback_pool"] = pools[0]
        found |= {name: _referring(found[name]) for name in POOLS_BY_PLACE if name in found}
        if isinstance(found.get("rules"), list):
            found["rules"] = [_rule_referring(rule) for rule in found["rules"]]
        return found

    def differs(self, spec: LoadBalancer, observed: ObservedLoadBalancer) -> tuple[Difference, ...]:
        return tuple(change for change in differences(spec, observed) if not _is_same(change))

    def to_wire(self, spec: LoadBalancer) -> dict[str, Any]:
        names = [place.name for place in fields(spec) if place.name != "zone"]
        body = set_fields(**{name: getattr(spec, name) for name in names})
        return {name: list(value) if isinstance(value, tuple) else value for name, value in body.items()}

    def from_wire(self, data: Mapping[str, Any]) -> ObservedLoadBalancer:
        rules, seconds = data.get("rules"), data.get("session_affinity_ttl")
        return ObservedLoadBalancer(
            str(data["zone"]),
            str(data["name"]),
            str(data["id"]),
            tuple(map(str, data.get("default_pools") or ())),
            str(data.get("fallback_pool") or ""),
            bool(data.get("proxied")),
            bool(data.get("enabled", True)),
            int(data["ttl"]) if data.get("ttl") and not data.get("proxied") else None,
            str(data.get("description") or ""),
            session_affinity=str(data.get("session_affinity") or "none"),
            session_affinity_ttl=int(seconds) if seconds else None,
            rules=None if rules is None else tuple(rules),
            networks=tuple(data["networks"]) if data.get("networks") else None,
            **{name: data.get(name) for name in _OPTIONAL},
        )

    async def list(
        self, cloud: Cloud, like: LoadBalancer | None = None
    ) -> AsyncIterator[ObservedLoadBalancer]:
        assert like is not None
        async for item in cloud.pages(await _path(cloud, like.zone), per_page=1000):
            yield self.from_wire({**item, "zone": like.zone})

    async def create(self, cloud: Cloud, spec: LoadBalancer) -> ObservedLoadBalancer:
        try:
            made = await cloud.post(await _path(cloud, spec.zone), json=self.to_wire(spec))
        except CloudError as error:
            if error.has_code(NOT_UNIQUE):
                raise taken(error, f"The zone has a load balancer '{spec.name}' already.") from error
            raise
        return self.from_wire({**made, "zone": spec.zone})

    async def update(
        self, cloud: Cloud, spec: LoadBalancer, observed: ObservedLoadBalancer
    ) -> ObservedLoadBalancer:
        if not self.differs(spec, observed):
            return observed
        path = f"{await _path(cloud, spec.zone)}/{observed.id}"
        changed = await cloud.patch(path, json=self.to_wire(spec), idempotent=True)
        return self.from_wire({**changed, "zone": spec.zone})

    async def delete(self, cloud: Cloud, observed: ObservedLoadBalancer) -> None:
        with contextlib.suppress(NotFound):
            await cloud.delete(f"{await _path(cloud, observed.zone)}/{observed.id}")


def _is_same(change: Difference) -> bool:
    """Cloudflare fills in what the file does not say; what was never set is as good as empty."""
    if change.found is None:
        return change.wanted in ({}, (), "")
    whole = change.field in WHOLE and set(change.wanted) != set(change.found)
    return covers(change.wanted, change.found) and not whole


def _referring(pools: Any) -> Any:
    """A table of lists of pools with references in place of their keys."""
    if not isinstance(pools, Mapping):
        return pools
    return {place: [_reference(one) for one in _many(names)] for place, names in pools.items()}


def _many(names: Any) -> list[Any]:
    return list(names) if isinstance(names, list | tuple) else [names]


def _reference(name: Any) -> Any:
    return Ref(POOL, name) if isinstance(name, str) else name


def _rule_referring(rule: Any) -> Any:
    if not isinstance(rule, Mapping) or not isinstance(rule.get("overrides"), Mapping):
        return rule
    overrides = dict(rule["overrides"])
    overrides |= {name: _referring(overrides[name]) for name in POOLS_BY_PLACE if name in overrides}
    if "default_pools" in overrides:
        overrides["default_pools"] = [_reference(one) for one in _many(overrides["default_pools"])]
    if "fallback_pool" in overrides:
        overrides["fallback_pool"] = _reference(overrides["fallback_pool"])
    return {**rule, "overrides": overrides}


def _affinity_problems(spec: LoadBalancer) -> Iterator[str]:
    kind, seconds = spec.session_affinity or "none", spec.session_affinity_ttl
    if kind not in AFFINITY:
        yield f"session_affinity is '{kind}'; it may be {', '.join(AFFINITY)}"
        return
    if kind != "none" and not spec.proxied:
        yield "session_affinity needs a proxied load balancer"
    low, high = AFFINITY_SECONDS.get(kind, (0, 604_800))
    if isinstance(seconds, int) and not low <= seconds <= high:
        yield f"session_affinity_ttl is {seconds}; Cloudflare allows {low} to {high} with {kind}"
    attributes = spec.session_affinity_attributes
    if kind == "header" and not (isinstance(attributes, Mapping) and attributes.get("headers")):
        yield "session_affinity = 'header' needs session_affinity_attributes.headers"


def _rule_problems(rule: Mapping[str, Any], place: str) -> Iterator[str]:
    if not rule.get("name"):
        yield f"{place} has no name"
    condition = rule.get("condition")
    if condition and (wrong := problem(str(condition))):
        yield f"{place}, condition, {wrong}"


async def _path(cloud: Cloud, zone: str) -> str:
    return f"{await cloud.zone(zone)}/load_balancers"


KIND = LoadBalancerKind()
