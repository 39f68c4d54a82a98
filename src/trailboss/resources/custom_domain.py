"""Custom domains: host names that are a Worker, with their DNS record and certificate. Source: edge 4.2.

A DNS record that is in the way is never replaced. What `enabled` and `previews_enabled` are goes through the
call that wrangler uses, and is compared only where Cloudflare shows it; else it is sent when the file
changes.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.errors import CloudError, NotFound, RefusedError
from trailboss.resources.addresses import addresses
from trailboss.resources.dns_parts import is_in_zone
from trailboss.resources.marks import (
    CREATION,
    IDENTITY,
    MUTABLE,
    NAMED,
    SERVER_SET,
    UNSET,
    Difference,
    Unset,
    differences,
    set_fields,
)
from trailboss.resources.protocol import Basis, OfWorker, Permissions

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

HAS_RECORDS = 100117
LONGEST_NAME = 253
SETTINGS = ("enabled", "previews_enabled")


@dataclass(frozen=True, slots=True)
class CustomDomain:
    """What a file may want; the zone follows from the name unless `zone_name` or `zone_id` says it."""

    hostname: str = field(metadata=IDENTITY | NAMED)
    script: str = field(metadata=MUTABLE)
    zone_name: str | Unset = field(default=UNSET, metadata=CREATION)
    zone_id: str | Unset = field(default=UNSET, metadata=CREATION)
    enabled: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    previews_enabled: bool | Unset = field(default=UNSET, metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedCustomDomain:
    """A custom domain of the account; a setting is None where Cloudflare does not show it."""

    hostname: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)
    script: str = field(metadata=MUTABLE)
    zone_name: str = field(default="", metadata=SERVER_SET)
    enabled: bool | None = field(default=None, metadata=MUTABLE)
    previews_enabled: bool | None = field(default=None, metadata=MUTABLE)


class CustomDomainKind(Basis):
    """The kind `custom_domain`."""

    name = "custom_domain"
    spec = CustomDomain
    ownership = OfWorker()
    permissions = Permissions("Workers Scripts Read", "Workers Scripts Write")

    def problems(self, spec: CustomDomain) -> Iterable[str]:
        if len(spec.hostname) > LONGEST_NAME:
            yield f"the name has {len(spec.hostname)} characters; DNS allows {LONGEST_NAME}"
        if "*" in spec.hostname:
            yield f"a custom domain has no wildcard ('{spec.hostname}'): use a worker_route"
        if "/" in spec.hostname or "." not in spec.hostname:
            yield f"'{spec.hostname}' is no host name: neither scheme nor path belongs to it"
        if spec.hostname != spec.hostname.lower():
            yield f"write '{spec.hostname.lower()}', as Cloudflare does"
        zone = spec.zone_name if isinstance(spec.zone_name, str) else ""
        if "." in zone and not is_in_zone(spec.hostname.lower(), zone):
            yield f"'{spec.hostname}' is not in the zone {zone}"

    def from_worker(self, script: str, raw: Mapping[str, Any]) -> Iterable[tuple[str, CustomDomain]]:
        """The `routes` with `custom_domain`."""
        kept = ("zone_name", "zone_id", *SETTINGS)
        for item in addresses(raw, custom=True):
            host = str(item["pattern"]).lower()
            yield host, CustomDomain(host, script, **{name: item[name] for name in kept if name in item})

    def handle(self, observed: ObservedCustomDomain) -> str:
        return observed.hostname

    def differs(self, spec: CustomDomain, observed: ObservedCustomDomain) -> tuple[Difference, ...]:
        return tuple(change for change in differences(spec, observed) if change.found is not None)

    def to_wire(self, spec: CustomDomain) -> dict[str, Any]:
        zone = set_fields(zone_name=spec.zone_name, zone_id=spec.zone_id)
        return {"hostname": spec.hostname, "service": spec.script, **zone}

    def from_wire(self, data: Mapping[str, Any]) -> ObservedCustomDomain:
        return ObservedCustomDomain(
            str(data["hostname"]).lower(),
            str(data["id"]),
            str(data.get("service") or ""),
            str(data.get("zone_name") or ""),
            data.get("enabled"),
            data.get("previews_enabled"),
        )

    async def list(
        self, cloud: Cloud, like: CustomDomain | None = None
    ) -> AsyncIterator[ObservedCustomDomain]:
        async for item in cloud.pages(_path(cloud), style="single"):
            yield self.from_wire(item)

    async def create(self, cloud: Cloud, spec: CustomDomain) -> ObservedCustomDomain:
        """Raises RefusedError TB6113 when DNS records of the name are in the way."""
        try:
            made = self.from_wire(await cloud.put(_path(cloud), json=self.to_wire(spec)))
        except CloudError as error:
            if not error.has_code(HAS_RECORDS):
                raise
            raise RefusedError(
                "TB6113",
                f"{spec.hostname} has DNS records already, and a custom domain would replace them",
                hint="Remove those records first, or choose another name.",
            ) from error
        return await self._set(cloud, spec, made) if self._settings(spec) else made

    async def update(
        self, cloud: Cloud, spec: CustomDomain, observed: ObservedCustomDomain
    ) -> ObservedCustomDomain:
        changed = {change.field for change in self.differs(spec, observed)}
        if "script" in changed:
            return await self.create(cloud, spec)
        unseen = any(getattr(observed, name) is None for name in self._settings(spec))
        return await self._set(cloud, spec, observed) if changed or unseen else observed

    async def delete(self, cloud: Cloud, observed: ObservedCustomDomain) -> None:
        with contextlib.suppress(NotFound):
            await cloud.delete(f"{_path(cloud)}/{observed.id}")

    def _settings(self, spec: CustomDomain) -> dict[str, Any]:
        return set_fields(enabled=spec.enabled, previews_enabled=spec.previews_enabled)

    async def _set(
        self, cloud: Cloud, spec: CustomDomain, observed: ObservedCustomDomain
    ) -> ObservedCustomDomain:
        """Both settings of one domain; the Worker's other domains stay."""
        from trailboss.cloud import segment

        zone = set_fields(zone_name=spec.zone_name, zone_id=spec.zone_id)
        body = {
            "override_scope": False,
            "override_existing_origin": False,
            "override_existing_dns_record": False,
            "origins": [{"hostname": spec.hostname, **zone, **self._settings(spec)}],
        }
        path = f"{cloud.account}/workers/scripts/{segment(spec.script)}/domains/records"
        await cloud.put(path, json=body)
        return self.from_wire(await cloud.get(f"{_path(cloud)}/{observed.id}"))


def _path(cloud: Cloud) -> str:
    return f"{cloud.account}/workers/domains"


KIND = CustomDomainKind()
