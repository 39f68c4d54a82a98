"""Advanced certificates of a zone, each known by the hosts it covers. Source: edge reference 4.3.

An order takes minutes: it is validated, issued and deployed. An update waits until it has arrived; one that
got stuck is started again, one that expired is ordered anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound, PlanError
from trailboss.resources.marks import (
    DERIVED,
    IDENTITY,
    MUTABLE,
    REPLACE,
    SERVER_SET,
    UNSET,
    Difference,
    Mark,
    Unset,
    differences,
    set_fields,
)
from trailboss.resources.protocol import Basis, Permissions

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

ADVANCED = "advanced"
MOST_HOSTS = 50
VALIDITY = {"google": (14, 30, 90), "lets_encrypt": (90,), "ssl_com": (14, 30, 90, 365)}
"""Authority -> the days it gives."""
METHODS = ("txt", "http", "email")
GONE = frozenset({"deleted", "pending_deletion", "deletion_timed_out", "pending_cleanup", "inactive"})
DEAD = frozenset({"expired"})
UNDER_WAY = frozenset(
    {"initializing", "pending_validation", "pending_issuance", "pending_deployment", "holding_deployment"}
)
SHOWN_HOSTS = 4
PATIENCE = 900.0  # seconds until an order must have arrived
SHORTEST, LONGEST = 1.0, 15.0  # seconds between two looks


@dataclass(frozen=True, slots=True)
class CertificatePack:
    """What a file may want: all `hosts`, the zone itself among them, and who vouches for how many days.

    `name` follows from the hosts.
    """

    zone: str = field(metadata=IDENTITY)
    hosts: tuple[str, ...] = field(metadata=REPLACE)
    certificate_authority: str = field(default="google", metadata=REPLACE)
    validation_method: str = field(default="txt", metadata=REPLACE)
    validity_days: int = field(default=90, metadata=REPLACE)
    cloudflare_branding: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    name: str = field(default="", metadata=IDENTITY | DERIVED)

    def __post_init__(self) -> None:
        if isinstance(self.hosts, tuple):
            object.__setattr__(self, "name", _name(self.hosts))


@dataclass(frozen=True, slots=True)
class ObservedCertificatePack:
    """A pack of the zone. `records` are what proves that the hosts are ours, while that is asked."""

    zone: str = field(metadata=IDENTITY)
    name: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)
    hosts: tuple[str, ...] = field(default=(), metadata=REPLACE)
    certificate_authority: str = field(default="google", metadata=REPLACE)
    validation_method: str = field(default="txt", metadata=REPLACE)
    validity_days: int = field(default=90, metadata=REPLACE)
    cloudflare_branding: bool = field(default=False, metadata=MUTABLE)
    status: str = field(default="initializing", metadata=SERVER_SET)
    records: tuple[Mapping[str, Any], ...] = field(default=(), metadata=SERVER_SET)

    @property
    def is_stuck(self) -> bool:
        """Whether it got nowhere in time and waits to be started again."""
        return self.status.endswith("_timed_out")


class CertificatePackKind(Basis):
    """The kind `certificate_pack`."""

    name = "certificate_pack"
    spec = CertificatePack
    scope = "zone"
    permissions = Permissions("SSL and Certificates Read", "SSL and Certificates Write")

    def problems(self, spec: CertificatePack) -> Iterable[str]:
        days = VALIDITY.get(spec.certificate_authority)
        if days is None:
            names = ", ".join(VALIDITY)
            yield f"certificate_authority is '{spec.certificate_authority}'; it may be {names}"
        elif spec.validity_days not in days:
            choices = ", ".join(map(str, days))
            yield f"validity_days is {spec.validity_days}; {spec.certificate_authority} gives {choices}"
        if spec.validation_method not in METHODS:
            yield f"validation_method is '{spec.validation_method}'; it may be {', '.join(METHODS)}"
        if not 1 <= len(spec.hosts) <= MOST_HOSTS:
            yield f"it has {len(spec.hosts)} hosts; Cloudflare allows 1 to {MOST_HOSTS}"
        if spec.zone not in spec.hosts:
            yield f"the hosts lack the zone itself, {spec.zone}, which Cloudflare wants among them"
        for host in spec.hosts:
            if host != spec.zone and not host.endswith(f".{spec.zone}"):
                yield f"the host '{host}' is not in the zone {spec.zone}"
            if "*" in host[1:]:
                yield f"the host '{host}' may have one wildcard, as its first label"
            if host.startswith("*") and spec.validation_method == "http":
                yield f"the wildcard '{host}' cannot be validated by http: use txt"

    def adjust(self, table: Mapping[str, Any]) -> Mapping[str, Any]:
        """The order of hosts means nothing."""
        hosts = table.get("hosts")
        if not isinstance(hosts, list) or not all(isinstance(host, str) for host in hosts):
            return table
        return {**table, "hosts": sorted({host.lower() for host in hosts})}

    def differs(self, spec: CertificatePack, observed: ObservedCertificatePack) -> tuple[Difference, ...]:
        found = differences(spec, observed)
        if observed.is_stuck or observed.status in UNDER_WAY:
            found += (Difference("status", Mark.MUTABLE, "active", observed.status),)
        if observed.status in DEAD:
            found += (Difference("status", Mark.REPLACE, "active", observed.status),)
        return found

    def to_wire(self, spec: CertificatePack) -> dict[str, Any]:
        return set_fields(
            type=ADVANCED,
            hosts=list(spec.hosts),
            certificate_authority=spec.certificate_authority,
            validation_method=spec.validation_method,
            validity_days=spec.validity_days,
            cloudflare_branding=spec.cloudflare_branding,
        )

    def from_wire(self, data: Mapping[str, Any]) -> ObservedCertificatePack:
        hosts = tuple(sorted(map(str, data.get("hosts") or ())))
        return ObservedCertificatePack(
            str(data["zone"]),
            _name(hosts),
            str(data["id"]),
            hosts,
            str(data.get("certificate_authority") or ""),
            str(data.get("validation_method") or ""),
            int(data.get("validity_days") or 0),
            bool(data.get("cloudflare_branding")),
            str(data.get("status") or ""),
            tuple(data.get("validation_records") or ()),
        )

    async def list(
        self, cloud: Cloud, like: CertificatePack | None = None
    ) -> AsyncIterator[ObservedCertificatePack]:
        assert like is not None
        path = await _path(cloud, like.zone)
        async for item in cloud.pages(path, params={"status": "all"}, per_page=50):
            if item.get("type") == ADVANCED and item.get("status") not in GONE:
                yield self.from_wire({**item, "zone": like.zone})

    async def create(self, cloud: Cloud, spec: CertificatePack) -> ObservedCertificatePack:
        made = await cloud.post(f"{await _path(cloud, spec.zone)}/order", json=self.to_wire(spec))
        return self.from_wire({**made, "zone": spec.zone})

    async def update(
        self, cloud: Cloud, spec: CertificatePack, observed: ObservedCertificatePack
    ) -> ObservedCertificatePack:
        if not self.differs(spec, observed):
            return observed
        if observed.is_stuck or differences(spec, observed):
            path = f"{await _path(cloud, spec.zone)}/{observed.id}"
            body = set_fields(cloudflare_branding=spec.cloudflare_branding)
            changed = await cloud.patch(path, json=body, idempotent=True)
            observed = self.from_wire({**changed, "zone": spec.zone})
        async for latest in settled(cloud, observed):
            observed = latest
        return observed

    async def delete(self, cloud: Cloud, observed: ObservedCertificatePack) -> None:
        with contextlib.suppress(NotFound):
            await cloud.delete(f"{await _path(cloud, observed.zone)}/{observed.id}")


async def settled(
    cloud: Cloud, pack: ObservedCertificatePack, *, patience: float = PATIENCE
) -> AsyncIterator[ObservedCertificatePack]:
    """The pack at every change of its state, until it is active. `patience` in seconds.

    Raises:
        PlanError: TB6161 it got stuck, expired or was deleted; TB6162 it was not active in time.
    """
    loop = asyncio.get_running_loop()
    latest, pause, shown = loop.time() + patience, SHORTEST, ""
    path = f"{await _path(cloud, pack.zone)}/{pack.id}"
    while True:
        found = KIND.from_wire({**await cloud.get(path), "zone": pack.zone})
        if found.status != shown:
            shown, pause = found.status, SHORTEST
            yield found
        if shown == "active":
            return
        if found.is_stuck or shown in GONE | DEAD:
            raise _failed(found)
        if loop.time() > latest:
            hosts = ", ".join(found.hosts)
            raise PlanError(
                "TB6162",
                f"the certificate for {hosts} is {shown} after {patience:.0f} s",
                hint="Run the same command again later: the order goes on, and nothing is ordered twice.",
            )
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST)


def _name(hosts: Iterable[str]) -> str:
    """The hosts in words: a few of them, and a fingerprint in place of many others."""
    names = sorted(hosts)
    if len(names) <= SHOWN_HOSTS:
        return " ".join(names)
    digest = hashlib.sha256(" ".join(names).encode()).hexdigest()[:12]
    return f"{' '.join(names[:SHOWN_HOSTS])} and {len(names) - SHOWN_HOSTS} more ({digest})"


def _failed(pack: ObservedCertificatePack) -> PlanError:
    hosts = ", ".join(pack.hosts)
    wanted = [" ".join(str(value) for value in record.values()) for record in pack.records]
    proof = f"Cloudflare looks for: {'; '.join(wanted)}. " if wanted else ""
    return PlanError(
        "TB6161",
        f"the certificate for {hosts} did not arrive: it is {pack.status}",
        hint=f"{proof}Run `trailboss apply`: it starts the order again.",
    )


async def _path(cloud: Cloud, zone: str) -> str:
    return f"{await cloud.zone(zone)}/ssl/certificate_packs"


KIND = CertificatePackKind()
