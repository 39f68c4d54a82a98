"""DNS records of a zone. Source: API reference 4.1.

Several records may share a name and a type, so the identity finds candidates and the marker in the comment
says which one is ours. Records that Cloudflare made for custom domains and load balancers are read-only and
are not listed.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound
from trailboss.resources.marks import (
    IDENTITY,
    MARKER,
    MUTABLE,
    NAMED,
    SERVER_SET,
    UNSET,
    Ref,
    Unset,
    set_fields,
)
from trailboss.resources.notes import note, read_note
from trailboss.resources.protocol import Basis, Marked, Permissions

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

AUTOMATIC = 1  # the TTL that Cloudflare chooses, and the only one of a proxied record
LONGEST_NAME = 253
SHARING = frozenset({"A", "AAAA", "CNAME"})  # a second record of these changes where requests go
PER_PAGE = 5000


@dataclass(frozen=True, slots=True)
class DNSRecord:
    """What a file may want of a record: `content`, or `tunnel` with the key of a cloudflared_tunnel.

    `name` is the whole name, `ttl` in seconds (1: automatic), `priority` for MX and SRV.
    """

    zone: str = field(metadata=IDENTITY)
    name: str = field(metadata=IDENTITY | NAMED)
    type: str = field(metadata=IDENTITY)
    content: str | Ref = field(metadata=MUTABLE)
    ttl: int = field(default=AUTOMATIC, metadata=MUTABLE)
    proxied: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    priority: int | Unset = field(default=UNSET, metadata=MUTABLE)
    comment: str = field(default="", metadata=MUTABLE)
    marker: str = field(default="", metadata=MARKER)


@dataclass(frozen=True, slots=True)
class ObservedDNSRecord:
    """A record of the zone; `marker` is "" for one that nobody marked."""

    zone: str = field(metadata=IDENTITY)
    name: str = field(metadata=IDENTITY)
    type: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)
    content: str = field(metadata=MUTABLE)
    ttl: int = field(default=AUTOMATIC, metadata=MUTABLE)
    proxied: bool = field(default=False, metadata=MUTABLE)
    priority: int | None = field(default=None, metadata=MUTABLE)
    comment: str = field(default="", metadata=MUTABLE)
    marker: str = field(default="", metadata=MARKER)


class DNSRecordKind(Basis):
    """The kind `dns_record`."""

    name = "dns_record"
    spec = DNSRecord
    scope = "zone"
    ownership = Marked()
    repeats = True
    permissions = Permissions("DNS Read", "DNS Write")

    def problems(self, spec: DNSRecord) -> Iterable[str]:
        if len(spec.name) > LONGEST_NAME:
            yield f"the name has {len(spec.name)} characters; DNS allows {LONGEST_NAME}"
        if spec.proxied is True and spec.type not in SHARING:
            yield f"a {spec.type} record cannot be proxied"

    def adjust(self, table: Mapping[str, Any]) -> Mapping[str, Any]:
        """`tunnel = "main"` is a proxied CNAME to that tunnel."""
        if "tunnel" not in table:
            return table
        rest = {name: value for name, value in table.items() if name != "tunnel"}
        content = Ref("cloudflared_tunnel", str(table["tunnel"]), "{}.cfargotunnel.com")
        return {"type": "CNAME", "proxied": True, **rest, "content": content}

    def clashes(self, spec: DNSRecord, observed: ObservedDNSRecord) -> bool:
        return spec.type in SHARING

    def to_wire(self, spec: DNSRecord) -> dict[str, Any]:
        return set_fields(
            name=spec.name,
            type=spec.type,
            content=spec.content,
            ttl=spec.ttl,
            proxied=spec.proxied,
            priority=spec.priority,
            comment=note(spec.comment, spec.marker),
        )

    def from_wire(self, data: Mapping[str, Any]) -> ObservedDNSRecord:
        comment, marker = read_note(data.get("comment"))
        return ObservedDNSRecord(
            str(data["zone"]),
            str(data["name"]),
            str(data["type"]),
            str(data["id"]),
            str(data.get("content") or ""),
            int(data.get("ttl") or AUTOMATIC),
            bool(data.get("proxied")),
            data.get("priority"),
            comment,
            marker,
        )

    async def list(self, cloud: Cloud, like: DNSRecord | None = None) -> AsyncIterator[ObservedDNSRecord]:
        assert like is not None
        async for item in cloud.pages(await _path(cloud, like.zone), per_page=PER_PAGE):
            if not (item.get("meta") or {}).get("read_only"):
                yield self.from_wire({**item, "zone": like.zone})

    async def create(self, cloud: Cloud, spec: DNSRecord) -> ObservedDNSRecord:
        made = await cloud.post(await _path(cloud, spec.zone), json=self.to_wire(spec))
        return self.from_wire({**made, "zone": spec.zone})

    async def update(self, cloud: Cloud, spec: DNSRecord, observed: ObservedDNSRecord) -> ObservedDNSRecord:
        if not self.differs(spec, observed) and spec.marker == observed.marker:
            return observed
        path = f"{await _path(cloud, spec.zone)}/{observed.id}"
        changed = await cloud.patch(path, json=self.to_wire(spec), idempotent=True)
        return self.from_wire({**changed, "zone": spec.zone})

    async def delete(self, cloud: Cloud, observed: ObservedDNSRecord) -> None:
        with contextlib.suppress(NotFound):
            await cloud.delete(f"{await _path(cloud, observed.zone)}/{observed.id}")


async def _path(cloud: Cloud, zone: str) -> str:
    return f"{await cloud.zone(zone)}/dns_records"


KIND = DNSRecordKind()
