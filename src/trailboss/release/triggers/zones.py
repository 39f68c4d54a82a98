"""Which zone an address lies in: as configured, else the longest suffix of its host that is a zone of the
account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailboss.errors import ReleaseError
from trailboss.release.triggers.addresses import Address

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


async def zone_of(cloud: Cloud, address: Address) -> str:
    """The zone's id. Raises ReleaseError TB4072 when no zone of the account covers the address."""
    if address.zone_id:
        return address.zone_id
    account = await cloud.account_id()
    for name in candidates(address):
        async for zone in cloud.pages("/zones", params={"name": name, "account.id": account}):
            return str(zone["id"])
    raise ReleaseError(
        "TB4072",
        f'No zone of this account covers "{address.pattern}".',
        hint="Add the domain to the account, or name its zone with `zone_name` or `zone_id`.",
    )


def candidates(address: Address) -> list[str]:
    """The zone names to try, longest first: `a.b.example.com` gives itself, `b.example.com`,
    `example.com`."""
    if address.zone_name:
        return [address.zone_name]
    host = address.pattern.split("://", 1)[-1].split("/", 1)[0].split(":", 1)[0].lstrip("*").lstrip(".")
    labels = host.split(".")
    return [".".join(labels[start:]) for start in range(max(len(labels) - 1, 0))]
