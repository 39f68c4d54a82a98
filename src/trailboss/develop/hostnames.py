"""Public host names: which zone they are in, and the DNS record that leads them to a tunnel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from trailboss.develop.files import RECORD
from trailboss.develop.tunnels import Tunnel
from trailboss.errors import NotFound, RefusedError, UsageError

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.develop.files import Files

REMARK = "trailboss tunnel route"
"""The comment of a record that we made and that is in no file: it is not the mark of `trailboss apply`, which
would take it away."""
_TUNNEL = ".cfargotunnel.com"


@dataclass(frozen=True, slots=True)
class Place:
    """A host name and the zone it is in."""

    hostname: str
    zone: str
    zone_id: str


async def find_place(cloud: Cloud, hostname: str) -> Place:
    """The zone of `hostname`: the longest that it is in.

    Raises:
        UsageError: TB9474 it is no host name. NotFound: TB2312 no zone of the account has it.
    """
    host = _checked(hostname)
    account, zones = await cloud.account_id(), {}
    async for zone in cloud.pages("/zones", params={"account.id": account}, per_page=50):
        zones[str(zone["name"])] = str(zone["id"])
    within = [name for name in zones if host == name or host.endswith(f".{name}")]
    if not within:
        known = ", ".join(list(zones)[:8]) or "none"
        raise NotFound(
            "TB2312",
            f"{host} is in no zone of this account",
            hint=f"It has: {known}. Choose a host name below one of them, or add the domain.",
        )
    zone = max(within, key=len)
    return Place(host, zone, zones[zone])


def _checked(hostname: str) -> str:
    host = hostname.strip().rstrip(".").lower()
    labels = host.split(".")
    fine = all(label and label.replace("-", "").replace("_", "").isalnum() for label in labels)
    if not fine or len(labels) < 2 or len(host) > 253 or not host.isascii():
        raise UsageError(
            "TB9474",
            f"'{hostname}' is no host name",
            hint="Write one such as dev.example.com, no scheme, no path.",
        )
    return host


async def ensure_record(
    cloud: Cloud, place: Place, tunnel: Tunnel, files: Files | None = None, *, force: bool = False
) -> bool:
    """A proxied CNAME from the host name to the tunnel; False when it was there. Where `files` have the
    tunnel it is made through them, and ours.

    A record that leads to another tunnel and was made by us is turned round.

    Raises:
        RefusedError: TB9475 the host name has other records and `force` was not given.
    """
    path = f"/zones/{place.zone_id}/dns_records"
    found = [one async for one in cloud.pages(path, params={"name": place.hostname}, per_page=100)]
    found = [one for one in found if one["name"] == place.hostname and one["type"] in ("A", "AAAA", "CNAME")]
    if any(one["content"] == tunnel.address and one.get("proxied") for one in found):
        return False
    owner = files.tunnel(tunnel.name) if files else None
    known = files.record(place.zone, place.hostname) if files else None
    if files is not None and owner is not None and (known is not None or force or not found):
        for one in found if known is None else ():
            await cloud.delete(f"{path}/{one['id']}")
        table = {"zone": files.zone(place.zone), "tunnel": owner.key}
        await files.make(cloud, RECORD, known.key if known else place.hostname, table)
        return True
    foreign = [one for one in found if not _ours(one, tunnel)]
    if foreign and not force:
        shown = ", ".join(f"{one['type']} {one['content']}" for one in foreign)
        raise RefusedError(
            "TB9475",
            f"{place.hostname} has a DNS record already: {shown}",
            hint="Choose another host name, or replace it: trailboss tunnel route --force.",
        )
    body = {
        "type": "CNAME",
        "name": place.hostname,
        "content": tunnel.address,
        "proxied": True,
        "ttl": 1,
        "comment": REMARK,
    }
    for one in found[1:]:
        await cloud.delete(f"{path}/{one['id']}")
    if found:
        await cloud.put(f"{path}/{found[0]['id']}", json=body)
    else:
        await cloud.post(path, json=body)
    return True


def _ours(record: dict[str, Any], tunnel: Tunnel) -> bool:
    return record["content"] == tunnel.address or (
        record["content"].endswith(_TUNNEL) and record.get("comment") == REMARK
    )


async def remove_record(cloud: Cloud, place: Place, tunnel: Tunnel, files: Files | None = None) -> bool:
    """Take away the record that leads to the tunnel, out of `files` too; False when there was none.

    Raises:
        RefusedError: TB9487 it is there for every environment.
    """
    known = files.record(place.zone, place.hostname) if files else None
    if files is not None and known is not None:
        files.drop([known])
    path = f"/zones/{place.zone_id}/dns_records"
    found = [one async for one in cloud.pages(path, params={"name": place.hostname}, per_page=100)]
    ours = [one for one in found if one["name"] == place.hostname and one["content"] == tunnel.address]
    for one in ours:
        await cloud.delete(f"{path}/{one['id']}")
    return bool(ours or known)


def public_url(cloud: Cloud, hostname: str) -> str:
    """Where a person reaches the host name: at a sandbox's edge it is `<name>.localhost` and its port."""
    if cloud.target.edge_url is None:
        return f"https://{hostname}"
    edge = urlsplit(cloud.target.edge_url)
    return f"{edge.scheme}://{hostname}.localhost:{edge.port}"
