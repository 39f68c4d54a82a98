"""Where a Worker answers, for probes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trailboss.release.triggers.addresses import read_addresses
from trailboss.release.triggers.subdomain import url_of


def address_of(record: Mapping[str, Any] | None, settings: Mapping[str, Any]) -> str | None:
    """The Worker's own URL: workers.dev while it is on, else its first custom domain or route; None when it
    has none."""
    subdomain = (record or {}).get("subdomain") or {}
    url = url_of(record)
    if url and subdomain.get("enabled"):
        return url
    for address in read_addresses(settings) or ():
        pattern = address.pattern.split("://", 1)[-1].rstrip("*").rstrip("/")
        if pattern and "*" not in pattern:
            return f"https://{pattern}"
    return None
