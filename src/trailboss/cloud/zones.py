"""From a zone's name to its id."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trailboss.errors import NotFound

if TYPE_CHECKING:
    from trailboss.cloud.cloud import Cloud

_ID = re.compile(r"[0-9a-f]{32}")


async def zone_id(cloud: Cloud, name: str) -> str:
    """The id of the zone called `name` (an id is taken as it is).

    Raises:
        NotFound: TB2303 the token sees no such zone; the hint names those it sees.
    """
    if _ID.fullmatch(name):
        return name
    params = {"name": name, "account.id": await cloud.account_id()}
    async for zone in cloud.pages("/zones", params=params, per_page=50):
        if zone.get("name") == name:
            return str(zone["id"])
    seen = [str(zone["name"]) async for zone in cloud.pages("/zones", per_page=50)]
    known = ", ".join(seen[:10]) or "none"
    raise NotFound(
        "TB2303",
        f"the account has no zone '{name}' that the token may see",
        hint=f"It sees: {known}. Name the zone's domain, or give the token 'Zone Read' for it.",
    )
