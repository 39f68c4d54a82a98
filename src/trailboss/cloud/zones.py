"""From a zone's name to its id."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from trailboss.errors import CloudError, NotFound, Unavailable

if TYPE_CHECKING:
    from trailboss.cloud.cloud import Cloud

_ID = re.compile(r"[0-9a-f]{32}")
PAGE = 50
"""Zones in one list, the most that Cloudflare gives."""


async def zone_id(cloud: Cloud, name: str) -> str:
    """The id of the zone called `name` (an id is taken as it is).

    Raises:
        NotFound: TB2303 the token sees no such zone; the hint names those it sees.
    """
    if _ID.fullmatch(name):
        return name
    params = {"name": name, "account.id": await cloud.account_id()}
    async for zone in cloud.pages("/zones", params=params, per_page=PAGE):
        if zone.get("name") == name:
            return str(zone["id"])
    seen = [str(zone["name"]) async for zone in cloud.pages("/zones", per_page=PAGE)]
    known = ", ".join(seen[:10]) or "none"
    raise NotFound(
        "TB2303",
        f"the account has no zone '{name}' that the token may see",
        hint=f"It sees: {known}. Name the zone's domain, or give the token 'Zone Read' for it.",
    )


async def learn_zones(cloud: Cloud, names: Iterable[str]) -> None:
    """Look up several zones with as few calls as it takes, for `Cloud.zone` to know.

    The account's zones are listed by the page for as long as that costs less than asking for the rest by
    name. What the list does not show is left to be asked for. Never raises for a zone that is not there.

    Raises:
        CloudError: Unavailable when Cloudflare cannot be asked now.
    """
    known = cloud._root._zones
    wanted = {name for name in names if name not in known and not _ID.fullmatch(name)}
    params = {"account.id": await cloud.account_id()} if len(wanted) > 1 else {}
    page, pages = 1, 1
    while len(wanted) > max(1, pages - page) and page <= pages:
        try:
            reply = await cloud.call("GET", "/zones", params={**params, "per_page": PAGE, "page": page})
        except Unavailable:
            raise
        except CloudError:  # by name it says which zone is the matter
            return
        for zone in reply.result or ():
            if zone.get("name") in wanted:
                known[zone["name"]] = str(zone["id"])
                wanted.discard(zone["name"])
        pages = -(-int(reply.info.get("total_count") or 0) // PAGE)
        page += 1
