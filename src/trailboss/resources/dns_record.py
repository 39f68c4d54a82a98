"""DNS records of a zone. Source: API reference 4.1.

Several records may share a name and a type, so the name alone does not say which is ours: the marker in the
comment does. Addresses and host names are compared as Cloudflare writes them (small letters, no dot at the
end), texts with and without quotes. Records that Cloudflare made for custom domains and load balancers are
read-only and are not listed.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound
from trailboss.resources.dns_parts import (
    RANKED,
    SETTINGS,
    TYPES,
    content_problems,
    is_in_zone,
    plain,
    plain_data,
    whole_name,
)
from trailboss.resources.marks import (
    IDENTITY,
    MARKER,
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
)
from trailboss.resources.notes import note, read_note
from trailboss.resources.protocol import Basis, Marked, Permissions

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

AUTOMATIC = 1  # the TTL that Cloudflare chooses, and the only one of a proxied record
LEAST, MOST = 30, 86_400  # seconds; below 60 for Enterprise only
LONGEST_NAME = 253
LONGEST_COMMENT = 500
SHARING = frozenset({"A", "AAAA", "CNAME"})  # a second record of these changes where requests go
PER_PAGE = 5000


@dataclass(frozen=True, slots=True)
class DNSRecord:
    """What a file may want of a record: `content`, or `tunnel` with the key of a cloudflared_tunnel.

    `name` is the whole name, or one word in the zone (`www`, `*`, `@` for the zone itself). `ttl` is in
    seconds (1: automatic), `priority` for MX and URI. Records with parts (CAA, SRV, HTTPS, TLSA, …) have a
    table `data` and no content. `settings` are `ipv4_only`, `ipv6_only` and, of a CNAME, `flatten_cname`;
    `tags` like "team:web" are for paid plans.
    """

    zone: str = field(metadata=IDENTITY)
    name: str = field(metadata=IDENTITY | NAMED)
    type: str = field(metadata=IDENTITY)
    content: str | Ref | Unset = field(default=UNSET, metadata=MUTABLE)
    ttl: int = field(default=AUTOMATIC, metadata=MUTABLE)
    proxied: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    priority: int | Unset = field(default=UNSET, metadata=MUTABLE)
    comment: str = field(default="", metadata=MUTABLE)
    data: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)
    settings: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)
    tags: tuple[str, ...] | Unset = field(default=UNSET, metadata=MUTABLE)
    marker: str = field(default="", metadata=MARKER)

    def __post_init__(self) -> None:
        if isinstance(self.name, str) and isinstance(self.zone, str):
            object.__setattr__(self, "name", whole_name(self.name, self.zone))
        if isinstance(self.type, str):
            object.__setattr__(self, "type", self.type.upper())


@dataclass(frozen=True, slots=True)
class ObservedDNSRecord:
    """A record of the zone; `marker` is "" for one that nobody marked, `content` for one with `data`."""

    zone: str = field(metadata=IDENTITY)
    name: str = field(metadata=IDENTITY)
    type: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)
    content: str = field(default="", metadata=MUTABLE)
    ttl: int = field(default=AUTOMATIC, metadata=MUTABLE)
    proxied: bool = field(default=False, metadata=MUTABLE)
    priority: int | None = field(default=None, metadata=MUTABLE)
    comment: str = field(default="", metadata=MUTABLE)
    data: Mapping[str, Any] | None = field(default=None, metadata=MUTABLE)
    settings: Mapping[str, Any] = field(default_factory=dict, metadata=MUTABLE)
    tags: tuple[str, ...] = field(default=(), metadata=MUTABLE)
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
        if not is_in_zone(spec.name, spec.zone):
            yield f"the name '{spec.name}' is not in the zone {spec.zone}"
        if spec.type not in TYPES:
            yield f"type is '{spec.type}'; it may be {', '.join(sorted(TYPES))}"
        if spec.proxied is True and spec.type not in SHARING:
            yield f"a {spec.type} record cannot be proxied"
        if spec.proxied is True and spec.ttl != AUTOMATIC:
            yield f"ttl is {spec.ttl}; that of a proxied record is Cloudflare's own, {AUTOMATIC}"
        if spec.ttl != AUTOMATIC and not LEAST <= spec.ttl <= MOST:
            yield f"ttl is {spec.ttl}; it is {AUTOMATIC} (automatic) or from {LEAST} to {MOST}"
        if spec.type in RANKED and spec.priority is UNSET:
            yield f"a {spec.type} record needs a `priority`"
        if len(spec.comment) > LONGEST_COMMENT:
            yield f"the comment has {len(spec.comment)} characters; Cloudflare allows {LONGEST_COMMENT}"
        given = set_fields(content=spec.content, data=spec.data)
        yield from content_problems(spec.type, given.get("content"), given.get("data"))
        for name in spec.settings if isinstance(spec.settings, Mapping) else ():
            if name not in SETTINGS:
                yield f"settings has the unknown key '{name}'; it may have {', '.join(SETTINGS)}"

    def adjust(self, table: Mapping[str, Any]) -> Mapping[str, Any]:
        """`tunnel = "main"` is a proxied CNAME to that tunnel."""
        if "tunnel" not in table:
            return table
        rest = {name: value for name, value in table.items() if name != "tunnel"}
        content = Ref("cloudflared_tunnel", str(table["tunnel"]), "{}.cfargotunnel.com")
        return {"type": "CNAME", "proxied": True, **rest, "content": content}

    def clashes(self, spec: DNSRecord, observed: ObservedDNSRecord) -> bool:
        return spec.type in SHARING

    def differs(self, spec: DNSRecord, observed: ObservedDNSRecord) -> tuple[Difference, ...]:
        changes = differences(spec, observed)
        return tuple(one for one in changes if not _is_same(spec.type, one))

    def to_wire(self, spec: DNSRecord) -> dict[str, Any]:
        return set_fields(
            name=spec.name,
            type=spec.type,
            content=spec.content,
            ttl=spec.ttl,
            proxied=spec.proxied,
            priority=spec.priority,
            comment=note(spec.comment, spec.marker),
            data=spec.data,
            settings=spec.settings,
            tags=list(spec.tags) if isinstance(spec.tags, tuple) else UNSET,
        )

    def from_wire(self, data: Mapping[str, Any]) -> ObservedDNSRecord:
        comment, marker = read_note(data.get("comment"))
        return ObservedDNSRecord(
            str(data["zone"]),
            str(data["name"]),
            str(data["type"]),
            str(data["id"]),
            "" if data.get("data") else str(data.get("content") or ""),
            int(data.get("ttl") or AUTOMATIC),
            bool(data.get("proxied")),
            data.get("priority"),
            comment,
            data.get("data"),
            data.get("settings") or {},
            tuple(data.get("tags") or ()),
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


def _is_same(kind: str, change: Difference) -> bool:
    """Whether the two values mean the same: spellings differ, and Cloudflare fills in what is not given."""
    wanted, found = change.wanted, change.found
    if change.field == "content":
        return bool(plain(kind, wanted) == plain(kind, found))
    if change.field == "tags":
        return sorted(map(str.lower, wanted)) == sorted(map(str.lower, found))
    return change.field in ("data", "settings") and covers(plain_data(wanted), plain_data(found))


async def _path(cloud: Cloud, zone: str) -> str:
    return f"{await cloud.zone(zone)}/dns_records"


KIND = DNSRecordKind()
