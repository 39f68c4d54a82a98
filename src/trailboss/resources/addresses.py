"""`routes` and `route` of a wrangler config, as tables: which Worker answers where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def addresses(raw: Mapping[str, Any], *, custom: bool) -> Iterator[Mapping[str, Any]]:
    """The custom domains of a resolved config, or its plain routes; each has a `pattern`."""
    found = raw.get("routes")
    if found is None and raw.get("route"):
        found = [raw["route"]]
    for item in found or ():
        table = {"pattern": item} if isinstance(item, str) else item
        if bool(table.get("custom_domain")) is custom:
            yield {name: value for name, value in table.items() if value is not None}


def host_of(pattern: str) -> str:
    """`*.example.com/a*` is about `example.com`."""
    return pattern.split("://", 1)[-1].split("/", 1)[0].split(":", 1)[0].lstrip("*").lstrip(".").lower()
