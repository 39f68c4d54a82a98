"""Origins as people write them: URLs or host names, with commas between them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from trailboss.errors import UsageError


def parse(text: str) -> list[dict[str, Any]]:
    """`https://a.example.com,https://b.example.com:8443` as tables of a pool.

    Raises:
        UsageError: TB9062 something in it is no host.
    """
    found: list[dict[str, Any]] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        host, port = _host(part)
        origin: dict[str, Any] = {"name": _name(host, {one["name"] for one in found}), "address": host}
        found.append({**origin, **({"port": port} if port else {})})
    if not found:
        raise UsageError("TB9062", "there is no origin", hint="For example: --origins https://a.example.com")
    return found


def monitor_type(text: str) -> str:
    """What a monitor of these origins speaks: https unless all of them say http or tcp."""
    schemes = {urlsplit(part.strip()).scheme for part in text.split(",") if "://" in part}
    return schemes.pop() if len(schemes) == 1 and schemes <= {"http", "tcp"} else "https"


def _host(part: str) -> tuple[str, int | None]:
    parts = urlsplit(part if "://" in part else f"//{part}")
    try:
        port = parts.port
    except ValueError:
        port = -1
    known = parts.scheme in ("", "http", "https", "tcp")
    if not parts.hostname or port == -1 or parts.path not in ("", "/") or not known:
        raise UsageError(
            "TB9062", f"'{part}' is not an origin", hint="For example: https://a.example.com:8443"
        )
    return parts.hostname, port


def _name(host: str, taken: set[str]) -> str:
    name, number = host.split(".", maxsplit=1)[0] if not host[0].isdigit() else host, 2
    while name in taken:
        name, number = f"{host}-{number}", number + 1
    return name
