"""Certificates of an account for mutual TLS: what a Worker presents, and authorities. Source: edge 8.1.

A certificate cannot be changed, only made anew. Cloudflare shows it and never its key; here its fingerprint
is compared, so line ends and what stands between the blocks do not count.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound
from trailboss.resources.marks import (
    ASKING,
    CREATION,
    IDENTITY,
    NAMED,
    REFERENCES,
    REPLACE,
    SECRET,
    SERVER_SET,
    UNSET,
    Difference,
    Unset,
    differences,
    set_fields,
)
from trailboss.resources.protocol import Basis, BindingForm, Permissions
from trailboss.values import Secret

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class MTLSCertificate:
    """What a file may want: `certificates` in PEM form, the leaf first; with `ca` an authority, else with the
    leaf's `private_key`. `certificates` may be a reference (`op://…`, `${NAME}`), and is not compared then.
    """

    name: str = field(metadata=IDENTITY | NAMED)
    certificates: str = field(metadata=REPLACE | ASKING)
    ca: bool = field(default=False, metadata=REPLACE)
    private_key: str | Secret | Unset = field(default=UNSET, metadata=CREATION | SECRET)


@dataclass(frozen=True, slots=True)
class ObservedMTLSCertificate:
    """A certificate of the account; `certificates` is a fingerprint, "" where Cloudflare does not show it."""

    name: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)
    certificates: str = field(default="", metadata=REPLACE)
    ca: bool = field(default=False, metadata=REPLACE)
    expires_on: str = field(default="", metadata=SERVER_SET)


class MTLSCertificateKind(Basis):
    """The kind `mtls_certificate`."""

    name = "mtls_certificate"
    spec = MTLSCertificate
    permissions = Permissions("Account: SSL and Certificates Read", "Account: SSL and Certificates Write")
    binding = BindingForm(
        ("mtls_certificates",),
        "mtls_certificate",
        "certificate_id",
        given="certificate_id",
        title=None,
        makes=False,
    )

    def from_binding(self, title: str, entry: Mapping[str, Any]) -> MTLSCertificate:
        """Which one it is; what it consists of is not in a binding."""
        return MTLSCertificate(title, "")

    def problems(self, spec: MTLSCertificate) -> Iterable[str]:
        if not _is_reference(spec.certificates) and not _BLOCK.search(spec.certificates):
            yield "certificates is not in PEM form: it starts with -----BEGIN CERTIFICATE-----"
        if spec.ca and spec.private_key:
            yield "an authority (ca = true) has no private_key: Cloudflare only checks with it"
        if not spec.ca and not spec.private_key:
            yield "it lacks private_key, without which a Worker cannot present it (or is it a ca?)"

    def differs(self, spec: MTLSCertificate, observed: ObservedMTLSCertificate) -> tuple[Difference, ...]:
        unknown = _is_reference(spec.certificates) or not observed.certificates
        wanted = observed.certificates if unknown else _fingerprint(spec.certificates)
        return differences(replace(spec, certificates=wanted), observed)

    def to_wire(self, spec: MTLSCertificate) -> dict[str, Any]:
        key = spec.private_key.reveal() if isinstance(spec.private_key, Secret) else UNSET
        return set_fields(name=spec.name, certificates=spec.certificates, ca=spec.ca, private_key=key)

    def from_wire(self, data: Mapping[str, Any]) -> ObservedMTLSCertificate:
        return ObservedMTLSCertificate(
            str(data.get("name") or ""),
            str(data["id"]),
            _fingerprint(str(data.get("certificates") or "")),
            bool(data.get("ca")),
            str(data.get("expires_on") or ""),
        )

    async def list(
        self, cloud: Cloud, like: MTLSCertificate | None = None
    ) -> AsyncIterator[ObservedMTLSCertificate]:
        async for item in cloud.pages(_path(cloud), per_page=50):
            yield self.from_wire(item)

    async def create(self, cloud: Cloud, spec: MTLSCertificate) -> ObservedMTLSCertificate:
        return self.from_wire(await cloud.post(_path(cloud), json=self.to_wire(spec)))

    async def update(
        self, cloud: Cloud, spec: MTLSCertificate, observed: ObservedMTLSCertificate
    ) -> ObservedMTLSCertificate:
        return observed

    async def delete(self, cloud: Cloud, observed: ObservedMTLSCertificate) -> None:
        with contextlib.suppress(NotFound):
            await cloud.delete(f"{_path(cloud)}/{observed.id}")


def _is_reference(text: str) -> bool:
    return text.startswith(REFERENCES)


def _fingerprint(pem: str) -> str:
    """`sha256:` and 16 hex digits over all certificates in `pem`; "" when there is none."""
    blocks = ["".join(block.split()) for block in _BLOCK.findall(pem)]
    return f"sha256:{hashlib.sha256(chr(10).join(blocks).encode()).hexdigest()[:16]}" if blocks else ""


def _path(cloud: Cloud) -> str:
    return f"{cloud.account}/mtls_certificates"


KIND = MTLSCertificateKind()
