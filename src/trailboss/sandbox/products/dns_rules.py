"""What a DNS record may be, which records exclude each other, and BIND files.

Source: https://developers.cloudflare.com/dns/manage-dns-records/reference/ and the API's error codes.
"""

from __future__ import annotations

import ipaddress
import shlex
from collections.abc import Iterable
from typing import Any

Record = dict[str, Any]

_TYPE_NAMES = (
    "A AAAA CAA CERT CNAME DNSKEY DS HTTPS LOC MX NAPTR NS OPENPGPKEY PTR SMIMEA SRV SSHFP SVCB TLSA TXT URI"
)
TYPES = frozenset(_TYPE_NAMES.split())
PROXIABLE = frozenset({"A", "AAAA", "CNAME"})
ADDRESSES = frozenset({"A", "AAAA"})

_DATA_CONTENT: dict[str, tuple[str, ...]] = {
    "CAA": ("flags", "tag", "value"),
    "SRV": ("weight", "port", "target"),
    "TLSA": ("usage", "selector", "matching_type", "certificate"),
    "SSHFP": ("algorithm", "type", "fingerprint"),
    "DS": ("key_tag", "algorithm", "digest_type", "digest"),
    "HTTPS": ("priority", "target", "value"),
    "SVCB": ("priority", "target", "value"),
    "URI": ("weight", "target"),
    "NAPTR": ("order", "preference", "flags", "service", "regex", "replacement"),
    "CERT": ("type", "key_tag", "algorithm", "certificate"),
    "SMIMEA": ("usage", "selector", "matching_type", "certificate"),
    "DNSKEY": ("flags", "protocol", "algorithm", "public_key"),
}


class DnsError(ValueError):
    """A record the API refuses: `code` and wording are Cloudflare's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def full_name(name: str, zone: str) -> str:
    """The fully qualified form of a name that may be relative, or `@`."""
    name = name.strip().rstrip(".").lower()
    if name in {"", "@", zone}:
        return zone
    return name if name.endswith(f".{zone}") else f"{name}.{zone}"


def checked(body: Record, zone: str) -> Record:
    """The record as it will be stored: names completed, content computed, defaults filled in.

    Raises:
        DnsError: the first rule it breaks.
    """
    kind = str(body.get("type", "")).upper()
    if kind not in TYPES:
        raise DnsError(9004, f"DNS record type {body.get('type')!r} is invalid.")
    if not isinstance(body.get("name"), str) or not body["name"].strip():
        raise DnsError(9000, "DNS name is invalid.")
    record: Record = {
        "name": full_name(body["name"], zone),
        "type": kind,
        "content": _content(kind, body),
        "ttl": _ttl(body.get("ttl", 1)),
        "proxied": _proxied(kind, body),
        "proxiable": kind in PROXIABLE,
        "comment": body.get("comment"),
        "tags": sorted(body.get("tags") or []),
        "settings": body.get("settings") or {},
    }
    if record["proxied"]:
        record["ttl"] = 1
    if isinstance(body.get("data"), dict):
        record["data"] = body["data"]
    if kind in {"MX", "URI", "SRV"}:
        record["priority"] = _priority(kind, body)
    if len(record["comment"] or "") > 500:
        raise DnsError(9211, "DNS record comment is too long.")
    return record


def _ttl(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DnsError(9207, "ttl must be a number")
    if value != 1 and not 60 <= value <= 86400:
        raise DnsError(9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.")
    return int(value)


def _proxied(kind: str, body: Record) -> bool:
    proxied = bool(body.get("proxied", False))
    if proxied and kind not in PROXIABLE:
        raise DnsError(9004, "This record type cannot be proxied.")
    return proxied


def _priority(kind: str, body: Record) -> int | None:
    value = body.get("priority", (body.get("data") or {}).get("priority"))
    if kind == "MX" and not isinstance(value, int | float):
        raise DnsError(9100, "priority is a required field for MX records.")
    return None if value is None else int(value)


def _content(kind: str, body: Record) -> str:
    content, data = body.get("content"), body.get("data")
    if content is None and isinstance(data, dict) and kind in _DATA_CONTENT:
        return " ".join(str(data.get(part, "")) for part in _DATA_CONTENT[kind])
    if content is None and isinstance(data, dict) and kind == "LOC":
        return _location(data)
    if not isinstance(content, str) or not content:
        raise DnsError(9005, f"Content for {kind} record is invalid.")
    if kind in ADDRESSES:
        return _address(kind, content)
    if kind in {"CNAME", "MX", "NS", "PTR"}:
        return content.rstrip(".").lower() or "."
    return content


def _location(data: Record) -> str:
    """A LOC record as text (RFC 1876): seconds in thousandths, lengths in hundredths."""
    parts = []
    for side in ("lat", "long"):
        degrees, minutes = (int(float(data.get(f"{side}_{part}") or 0)) for part in ("degrees", "minutes"))
        seconds = float(data.get(f"{side}_seconds") or 0)
        parts += [f"{degrees} {minutes} {seconds:.3f}", str(data.get(f"{side}_direction", ""))]
    lengths = (
        float(data.get(name) or 0) for name in ("altitude", "size", "precision_horz", "precision_vert")
    )
    return " ".join([*parts, *(f"{length:.2f}" for length in lengths)])


def _address(kind: str, content: str) -> str:
    try:
        address = ipaddress.ip_address(content)
    except ValueError:
        address = None
    if address is None or address.version != (4 if kind == "A" else 6):
        wanted = "IPv4" if kind == "A" else "IPv6"
        raise DnsError(9005, f"Content for {kind} record must be a valid {wanted} address.")
    return str(address)


def check_conflict(record: Record, others: Iterable[Record]) -> None:
    """Refuse a record that cannot stand beside `others` (itself left out).

    Raises:
        DnsError: 81053, 81054, 81057 or 81058.
    """
    for other in others:
        if other["name"] != record["name"]:
            continue
        if _identity(other) == _identity(record):
            raise DnsError(81058, "An identical record already exists.")
        kinds = {other["type"], record["type"]}
        if kinds == {"CNAME"}:
            raise DnsError(81053, "An A, AAAA, or CNAME record with that host already exists.")
        if "CNAME" in kinds and kinds & ADDRESSES:
            raise DnsError(81053, "An A, AAAA, or CNAME record with that host already exists.")
        if "CNAME" in kinds and kinds != {"CNAME", "NS"} and other["type"] == "CNAME":
            raise DnsError(81054, "A CNAME record with that host already exists.")


def _identity(record: Record) -> tuple[Any, ...]:
    return record["type"], record["content"], record.get("priority")


def bind_file(zone: str, records: Iterable[Record]) -> str:
    """The zone as a BIND master file."""
    lines = [f";; Domain:     {zone}.", f"$ORIGIN {zone}."]
    for record in records:
        content = record["content"]
        if record["type"] == "TXT" and not content.startswith('"'):
            content = f'"{content}"'
        elif record["type"] in {"CNAME", "MX", "NS", "PTR"}:
            content = f"{content.rstrip('.')}."
        priority = record.get("priority")
        lead = f"{priority} " if priority is not None else ""
        tags = ",".join([f"cf-proxied:{str(record['proxied']).lower()}", *record["tags"]])
        comment = f"; {record['comment']} cf_tags={tags}" if record.get("comment") else f"; cf_tags={tags}"
        lines.append(f"{record['name']}.\t{record['ttl']}\tIN\t{record['type']}\t{lead}{content} {comment}")
    return "\n".join(lines) + "\n"


def parse_bind(text: str, zone: str) -> list[Record]:
    """Records of a BIND file in its plain one-line form; comments, $ORIGIN and $TTL are understood.

    Raises:
        DnsError: a line that is no record.
    """
    records: list[Record] = []
    origin, ttl, last = zone, 1, zone
    for raw in text.splitlines():
        line = _uncommented(raw)
        words = line.split()
        if not words:
            continue
        if words[0] in {"$ORIGIN", "$TTL"} and len(words) > 1:
            if words[0] == "$ORIGIN":
                origin = words[1].rstrip(".")
            else:
                ttl = int(words[1])
            continue
        record = _parse_line(words, origin, ttl, last, inherits=line[0].isspace())
        last = record["name"]
        if record["type"] != "SOA":
            records.append(record)
    return records


def _uncommented(line: str) -> str:
    quoted = False
    for at, character in enumerate(line):
        if character == '"':
            quoted = not quoted
        elif character == ";" and not quoted:
            return line[:at]
    return line


def _parse_line(words: list[str], origin: str, ttl: int, last: str, *, inherits: bool) -> Record:
    name = last if inherits else _absolute(words[0], origin)
    rest = words if inherits else words[1:]
    while rest and (rest[0].isdigit() or rest[0].upper() == "IN"):
        if rest[0].isdigit():
            ttl = int(rest[0])
        rest = rest[1:]
    if len(rest) < 2 or (rest[0].upper() not in TYPES and rest[0].upper() != "SOA"):
        raise DnsError(9207, f"cannot read this line of the zone file: {' '.join(words)}")
    kind, values = rest[0].upper(), rest[1:]
    record: Record = {"name": name, "type": kind, "ttl": ttl}
    if kind == "MX":
        record["priority"], values = int(values[0]), values[1:]
    content = " ".join(values)
    record["content"] = (
        "".join(shlex.split(content)) if kind == "TXT" else _absolute_content(kind, content, origin)
    )
    if kind == "SRV":
        record["data"] = dict(zip(("priority", "weight", "port", "target"), values, strict=False))
    return record


def _absolute(name: str, origin: str) -> str:
    if name == "@":
        return origin
    return name.rstrip(".") or "." if name.endswith(".") else f"{name}.{origin}"


def _absolute_content(kind: str, content: str, origin: str) -> str:
    return _absolute(content, origin) if kind in {"CNAME", "MX", "NS", "PTR"} else content
