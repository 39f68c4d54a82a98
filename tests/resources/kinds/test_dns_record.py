"""DNS records: the short spelling for tunnels, what is refused, the marker, records that Cloudflare keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.cloud.loopback import Answer, Loopback, Request, ok
from tests.resources.cases.dns_record import BARE, FULL
from tests.resources.kinds.lives import ACCOUNT, ZONE, ours, theirs
from trailboss.cloud import Cloud
from trailboss.resources.dns_record import KIND, DNSRecord
from trailboss.resources.marks import Ref

WIRE = {"id": "r1", "name": "www.example.com", "type": "A", "content": "192.0.2.1", "ttl": 1}


def test_a_tunnel_is_a_proxied_name_of_it() -> None:
    ref = Ref("cloudflared_tunnel", "main", "{}.cfargotunnel.com")
    assert KIND.adjust({"tunnel": "main"}) == {"type": "CNAME", "proxied": True, "content": ref}
    assert KIND.adjust({"tunnel": "main", "proxied": False})["proxied"] is False
    assert KIND.adjust({"content": "192.0.2.1"}) == {"content": "192.0.2.1"}


def test_problems() -> None:
    assert list(KIND.problems(BARE)) == []
    assert "253" in next(iter(KIND.problems(replace(BARE, name="x" * 254))))
    assert "proxied" in next(
        iter(KIND.problems(DNSRecord("example.com", "a.example.com", "TXT", "x", proxied=True)))
    )


def test_what_is_read_only_is_not_listed(connect: Callable[..., Cloud]) -> None:
    def respond(request: Request) -> Answer:
        if request.path.endswith("/zones"):
            return ok([{"id": ZONE, "name": "example.com"}], {})
        return ok([WIRE, {**WIRE, "id": "r2", "meta": {"read_only": True}}], {"total_count": 2})

    async def main() -> list[str]:
        async with Loopback(respond) as server, connect(server) as cloud:
            return [one.id async for one in KIND.list(cloud, BARE)]

    import asyncio

    assert asyncio.run(main()) == ["r1"]


def test_requests(connect: Callable[..., Cloud]) -> None:
    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, BARE)
        assert await KIND.update(cloud, BARE, made) == made
        await KIND.delete(cloud, await KIND.update(cloud, replace(FULL, marker="trailboss:m//k#0"), made))

    place: dict[str, Any] = {"zone_id": ZONE}
    same: dict[str, Any] = {"name": "www.example.com", "type": "A", "ttl": 1}
    comment = "the front door [trailboss:m//k#0]"
    assert ours(connect, use, WIRE, {**WIRE, "content": "192.0.2.2", "comment": comment}, {}) == theirs(
        lambda c: c.dns.records.create(**place, **same, content="192.0.2.1", comment=""),
        lambda c: c.dns.records.edit(
            "r1", **place, **same, content="192.0.2.2", proxied=True, comment=comment
        ),
        lambda c: c.dns.records.delete("r1", **place),
    )
    assert ACCOUNT
