"""DNS records: the short spelling for tunnels, what is refused, the marker, records that Cloudflare keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cloud.loopback import Answer, Loopback, Request, ok
from tests.plan.inprocess import Account, DirectCloud
from tests.plan.test_contract import OPTIONS, done, resource, wanting
from tests.resources.cases.dns_record import BARE, FULL
from tests.resources.kinds.lives import ZONE, ours, theirs
from trailboss.cloud import Cloud
from trailboss.plan.adopting import adoptable
from trailboss.plan.apply import apply
from trailboss.plan.plan import make
from trailboss.resources.dns_record import KIND, DNSRecord
from trailboss.resources.marks import UNSET, Ref
from trailboss.resources.reading import read_spec
from trailboss.values import Location

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


SPELLINGS = (
    DNSRecord("example.com", "@", "mx", "MX1.Example.com.", priority=10),
    DNSRecord("example.com", "_dmarc", "TXT", '"v=DMARC1; " "p=none"'),
    DNSRecord("example.com", "WWW.example.com.", "AAAA", "2001:DB8:0::1", settings={"ipv6_only": True}),
    DNSRecord("example.com", "alias", "CNAME", "Shop.Example.net.", settings={"flatten_cname": True}),
    DNSRecord("example.com", "@", "CAA", data={"flags": 0, "tag": "issue", "value": "letsencrypt.org"}),
    DNSRecord(
        "example.com",
        "_sip._tcp.example.com",
        "SRV",
        data={"priority": 10, "weight": 5, "port": 5060, "target": "SIP.example.com."},
        tags=("team:voice", "kind:sip"),
    ),
    DNSRecord("example.com", "u", "URI", priority=1, data={"weight": 2, "target": "https://example.com/"}),
)


@pytest.mark.parametrize("spec", SPELLINGS, ids=lambda spec: spec.type)
def test_a_second_plan_is_empty_however_it_is_spelt(tmp_path: Path, spec: DNSRecord) -> None:
    """And what is there, adopted, is read as the same."""

    async def life() -> None:
        account = Account(tmp_path)
        await account.zone("example.com")
        cloud, wants = DirectCloud(account), wanting(resource("dns_record", "it", spec))
        applied = await apply(cloud, wants, OPTIONS)
        assert done(await make(cloud, wants)) == []
        observed = applied.observed["dns_record.it"]
        made = adoptable(KIND, observed, environment="", known={})
        assert not made.problem
        again = read_spec(
            KIND,
            made.table,
            name=made.key,
            zone=lambda _: "example.com",
            locate=lambda *_: Location(tmp_path),
        )
        assert KIND.differs(again, observed) == ()

    assert list(KIND.problems(spec)) == []
    asyncio.run(life())


def test_names_are_completed() -> None:
    names = ("@", "www", "*", "WWW.Example.com.", "example.com", "a.b.example.com", "a.example.org")
    assert [DNSRecord("example.com", name, "a", "192.0.2.1").name for name in names] == [
        *("example.com", "www.example.com", "*.example.com", "www.example.com", "example.com"),
        *("a.b.example.com", "a.example.org"),
    ]
    assert DNSRecord("example.com", "@", "cname", "x").type == "CNAME"


@pytest.mark.parametrize(
    ("said", "given"),
    [
        ("not in the zone", {"name": "www.example.org"}),
        ("type is 'CNMAE'", {"type": "CNMAE"}),
        ("IPv4", {"content": "shop.example.com"}),
        ("IPv6", {"type": "AAAA"}),
        ("needs `content`", {"content": UNSET}),
        ("no `data`", {"data": {"value": "x"}}),
        ("no `content`", {"type": "CAA"}),
        ("flags, tag, value", {"type": "CAA", "content": UNSET, "data": {"tags": "issue"}}),
        ("ttl is 300", {"proxied": True, "ttl": 300}),
        ("from 30 to 86400", {"ttl": 5}),
        ("needs a `priority`", {"type": "MX", "content": "mx.example.com"}),
        ("flatten", {"settings": {"flat": True}}),
        ("500", {"comment": "x" * 501}),
    ],
)
def test_what_cloudflare_would_refuse(said: str, given: dict[str, Any]) -> None:
    [problem] = KIND.problems(replace(BARE, **given))
    assert said in problem


def test_what_is_read_only_is_not_listed(connect: Callable[..., Cloud]) -> None:
    def respond(request: Request) -> Answer:
        if request.path.endswith("/zones"):
            return ok([{"id": ZONE, "name": "example.com"}], {})
        return ok([WIRE, {**WIRE, "id": "r2", "meta": {"read_only": True}}], {"total_count": 2})

    async def main() -> list[str]:
        async with Loopback(respond) as server, connect(server) as cloud:
            return [one.id async for one in KIND.list(cloud, BARE)]

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
            "r1",
            **place,
            **same,
            content="192.0.2.2",
            proxied=True,
            comment=comment,
            settings={"ipv4_only": True},
            tags=["team:web"],
        ),
        lambda c: c.dns.records.delete("r1", **place),
    )


def test_a_plan_tells_records_of_one_name_apart(tmp_path: Path) -> None:
    async def names() -> list[str]:
        account = Account(tmp_path)
        await account.zone("example.com")
        records = (*SPELLINGS[0:1], SPELLINGS[4], BARE)
        keys = ("mail", "caa", BARE.name)
        wants = [resource("dns_record", key, one) for key, one in zip(keys, records, strict=True)]
        return [one.name for one in (await make(DirectCloud(account), wanting(*wants))).changes]

    assert asyncio.run(names()) == ["example.com (MX)", "example.com (CAA)", "www.example.com"]
