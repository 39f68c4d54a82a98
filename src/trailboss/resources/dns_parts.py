"""What DNS records may be: their types, and their names and contents as Cloudflare writes them.

Source: API reference 4.1; the official SDK's types of a record's `data` and `settings`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Any

_CERTIFICATE = ("usage", "selector", "matching_type", "certificate")
_SERVICE = ("priority", "target", "value")
DATA: dict[str, tuple[str, ...]] = {
    "CAA": ("flags", "tag", "value"),
    "CERT": ("type", "key_tag", "algorithm", "certificate"),
    "DNSKEY": ("flags", "protocol", "algorithm", "public_key"),
    "DS": ("key_tag", "algorithm", "digest_type", "digest"),
    "HTTPS": _SERVICE,
    "LOC": (
        *("lat_degrees", "lat_minutes", "lat_seconds", "lat_direction"),
        *("long_degrees", "long_minutes", "long_seconds", "long_direction"),
        *("altitude", "size", "precision_horz", "precision_vert"),
    ),
    "NAPTR": ("order", "preference", "flags", "service", "regex", "replacement"),
    "SMIMEA": _CERTIFICATE,
    "SRV": ("priority", "weight", "port", "target"),
    "SSHFP": ("algorithm", "type", "fingerprint"),
    "SVCB": _SERVICE,
    "TLSA": _CERTIFICATE,
    "URI": ("weight", "target"),
}
"""Type -> the keys of its `data`; a record of another type has `content`."""
HOSTS = ("CNAME", "MX", "NS", "PTR")
TYPES = ("A", "AAAA", "OPENPGPKEY", "TXT", *HOSTS, *DATA)
RANKED = ("MX", "URI")
SETTINGS = ("ipv4_only", "ipv6_only", "flatten_cname")
_QUOTED = re.compile(r'\s*(?:"(?:[^"\\]|\\.)*"\s*)+', re.DOTALL)
_PIECE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)


def whole_name(name: str, zone: str) -> str:
    """`name` as Cloudflare shows it: in small letters, without a dot at its end, with the zone.

    One word alone is a name in the zone (`www`, `*`), and `@` the zone itself.
    """
    name = name.strip().lower().removesuffix(".")
    if name in ("", "@"):
        return zone
    return name if "." in name or name == zone else f"{name}.{zone}"


def is_in_zone(name: str, zone: str) -> bool:
    """Whether a whole name lies in the zone."""
    return name == zone or name.endswith(f".{zone}")


def plain(kind: str, content: Any) -> Any:
    """A content in the one spelling in which two of them can be compared."""
    if not isinstance(content, str):
        return content
    if kind in HOSTS:
        return content.strip().lower().removesuffix(".")
    if kind == "TXT" and _QUOTED.fullmatch(content):
        return "".join(_PIECE.findall(content))
    return str(_address(kind, content) or content)


def plain_data(data: Any) -> Any:
    """A table of data, its target without a dot at the end."""
    if not isinstance(data, Mapping):
        return data
    target = data.get("target")
    return {**data, "target": plain("CNAME", target)} if isinstance(target, str) else dict(data)


def content_problems(kind: str, content: Any, data: Any) -> Iterator[str]:
    """What is wrong with what a record of the type `kind` holds; None stands for what is not given."""
    if kind in DATA:
        yield from _data_problems(kind, content, data)
    elif data is not None:
        yield f"a {kind} record has `content` and no `data`"
    elif content is None or content == "":
        yield f"a {kind} record needs `content`"
    elif kind in ("A", "AAAA") and isinstance(content, str) and _address(kind, content) is None:
        yield f"content is '{content}'; a {kind} record has an {'IPv4' if kind == 'A' else 'IPv6'} address"


def _data_problems(kind: str, content: Any, data: Any) -> Iterator[str]:
    keys = DATA[kind]
    if content is not None or not isinstance(data, Mapping):
        yield f"a {kind} record has no `content` but `data`, a table with {', '.join(keys)}"
        return
    for name in data:
        if name not in keys:
            yield f"data has the unknown key '{name}'; that of a {kind} record has {', '.join(keys)}"


def _address(kind: str, content: str) -> IPv4Address | IPv6Address | None:
    with contextlib.suppress(AddressValueError):
        if kind == "A":
            return IPv4Address(content.strip())
        if kind == "AAAA":
            return IPv6Address(content.strip())
    return None
