"""Hostnames of a zone that ask visitors for a client certificate of one authority. Source: edge 8.1.

There is one list per authority: an uploaded one (an `mtls_certificate` with ca = true), or the zone's own
managed one. A write replaces the list, and an empty list is none. What happens to visitors without a
certificate is a rule's matter (`not cf.tls_client_auth.cert_verified`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound
from trailboss.resources.marks import IDENTITY, MUTABLE, Difference, Ref, differences, to
from trailboss.resources.protocol import Basis, Permissions

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


@dataclass(frozen=True, slots=True)
class MTLSHostnameAssociation:
    """What a file may want: `certificate` is the key of an mtls_certificate; without it, the zone's own
    authority."""

    zone: str = field(metadata=IDENTITY)
    certificate: str | Ref = field(default="", metadata=IDENTITY | to("mtls_certificate"))
    hostnames: tuple[str, ...] = field(default=(), metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedMTLSHostnameAssociation:
    """The hostnames of one authority, in order; `certificate` is its id, "" for the managed one."""

    zone: str = field(metadata=IDENTITY)
    certificate: str = field(default="", metadata=IDENTITY)
    hostnames: tuple[str, ...] = field(default=(), metadata=MUTABLE)


class MTLSHostnameAssociationKind(Basis):
    """The kind `mtls_hostname_association`."""

    name = "mtls_hostname_association"
    spec = MTLSHostnameAssociation
    scope = "zone"
    permissions = Permissions("SSL and Certificates Read", "SSL and Certificates Write")

    def problems(self, spec: MTLSHostnameAssociation) -> Iterable[str]:
        if not spec.hostnames:
            yield "it has no hostnames, so no visitor would be asked"
        for name in spec.hostnames:
            if name != spec.zone and not name.endswith(f".{spec.zone}"):
                yield f"'{name}' is not part of the zone {spec.zone}"

    def scope_of(self, spec: MTLSHostnameAssociation) -> tuple[Any, ...]:
        return (spec.zone, spec.certificate)

    def handle(self, observed: ObservedMTLSHostnameAssociation) -> str:
        return f"{observed.zone}/{observed.certificate}"

    def differs(
        self, spec: MTLSHostnameAssociation, observed: ObservedMTLSHostnameAssociation
    ) -> tuple[Difference, ...]:
        return differences(replace(spec, hostnames=tuple(sorted(spec.hostnames))), observed)

    def to_wire(self, spec: MTLSHostnameAssociation) -> dict[str, Any]:
        certificate = {"mtls_certificate_id": spec.certificate} if spec.certificate else {}
        return {"hostnames": sorted(spec.hostnames), **certificate}

    def from_wire(self, data: Mapping[str, Any]) -> ObservedMTLSHostnameAssociation:
        return ObservedMTLSHostnameAssociation(
            str(data["zone"]), str(data["certificate"]), tuple(sorted(data.get("hostnames") or ()))
        )

    async def list(
        self, cloud: Cloud, like: MTLSHostnameAssociation | None = None
    ) -> AsyncIterator[ObservedMTLSHostnameAssociation]:
        assert like is not None
        if isinstance(like.certificate, Ref):
            return
        params = {"mtls_certificate_id": like.certificate} if like.certificate else {}
        try:
            shown = await cloud.get(await _path(cloud, like.zone), params=params)
        except NotFound:  # the authority is gone, and its hostnames with it
            return
        if shown.get("hostnames"):
            yield self.from_wire({**shown, "zone": like.zone, "certificate": like.certificate})

    async def create(self, cloud: Cloud, spec: MTLSHostnameAssociation) -> ObservedMTLSHostnameAssociation:
        return await self._write(cloud, spec)

    async def update(
        self, cloud: Cloud, spec: MTLSHostnameAssociation, observed: ObservedMTLSHostnameAssociation
    ) -> ObservedMTLSHostnameAssociation:
        return await self._write(cloud, spec) if self.differs(spec, observed) else observed

    async def _write(self, cloud: Cloud, spec: MTLSHostnameAssociation) -> ObservedMTLSHostnameAssociation:
        shown = await cloud.put(await _path(cloud, spec.zone), json=self.to_wire(spec))
        return self.from_wire({**shown, "zone": spec.zone, "certificate": spec.certificate})

    async def delete(self, cloud: Cloud, observed: ObservedMTLSHostnameAssociation) -> None:
        none = MTLSHostnameAssociation(observed.zone, observed.certificate)
        try:
            await cloud.put(await _path(cloud, observed.zone), json=self.to_wire(none))
        except NotFound:
            return


async def _path(cloud: Cloud, zone: str) -> str:
    return f"{await cloud.zone(zone)}/certificate_authorities/hostname_associations"


KIND = MTLSHostnameAssociationKind()
