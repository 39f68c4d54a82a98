"""Hostnames that ask for client certificates: a life, an authority of one's own, what the SDK would send."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.conftest import Sandbox
from tests.plan.inprocess import Account, DirectCloud
from tests.plan.test_contract import OPTIONS, done, resource, wanting
from tests.resources.cases.mtls_certificate import pair
from tests.resources.cases.mtls_hostname_association import BARE, FULL
from tests.resources.kinds.lives import ZONE, listed, live, ours, run, theirs
from trailboss.cloud import Cloud
from trailboss.plan.apply import apply
from trailboss.plan.plan import make
from trailboss.resources import mtls_certificate
from trailboss.resources.marks import Ref
from trailboss.resources.mtls_certificate import MTLSCertificate
from trailboss.resources.mtls_hostname_association import KIND, MTLSHostnameAssociation

AUTHORITY = MTLSCertificate("shop-authority", pair("shop-authority", ca=True)[0], ca=True)
ID = "6b8f2c8e-1d0f-4a2b-9a53-0f0e7f6f2a11"


def test_a_life(account: Sandbox) -> None:
    found = live(account, KIND, BARE, FULL)
    assert found.hostnames == ("api.example.com", "www.example.com") and KIND.handle(found) == "example.com/"


def test_each_authority_has_its_own_list(account: Sandbox) -> None:
    async def use(cloud: Cloud) -> None:
        made = await mtls_certificate.KIND.create(cloud, AUTHORITY)
        mine = replace(BARE, certificate=made.id, hostnames=("shop.example.com",))
        await KIND.create(cloud, BARE)
        await KIND.create(cloud, mine)
        assert [one.hostnames for one in await listed(KIND, cloud, mine)] == [("shop.example.com",)]
        assert [one.hostnames for one in await listed(KIND, cloud, BARE)] == [("api.example.com",)]
        assert await listed(KIND, cloud, replace(mine, certificate=ID)) == []
        await KIND.delete(cloud, KIND.from_wire({"zone": "example.com", "certificate": ID}))
        unmade = replace(mine, certificate=Ref("mtls_certificate", "shop-authority"))
        assert await listed(KIND, cloud, unmade) == []

    run(account, use)


def test_a_plan_makes_the_authority_first_and_deletes_it_last(tmp_path: Path) -> None:
    authority = resource("mtls_certificate", "authority", AUTHORITY)
    spec = MTLSHostnameAssociation("example.com", Ref("mtls_certificate", "authority"), BARE.hostnames)
    both = wanting(authority, resource("mtls_hostname_association", "api", spec))

    async def life() -> None:
        account = Account(tmp_path)
        await account.zone("example.com")
        cloud = DirectCloud(account)
        made = await apply(cloud, both, OPTIONS)
        assert [one.kind for one in made.done] == ["mtls_certificate", "mtls_hostname_association"]
        assert done(await make(cloud, both)) == []
        gone = await apply(cloud, wanting(), OPTIONS)
        assert [one.kind for one in gone.done] == ["mtls_hostname_association", "mtls_certificate"]

    asyncio.run(life())


def test_requests(connect: Callable[..., Cloud]) -> None:
    mine = replace(BARE, certificate=ID)
    shown: Any = {"hostnames": ["api.example.com"]}

    async def use(cloud: Cloud) -> None:
        await KIND.create(cloud, BARE)
        await KIND.delete(cloud, await KIND.create(cloud, mine))

    def sent(client: Any, hostnames: list[str], **more: str) -> None:
        client.certificate_authorities.hostname_associations.update(zone_id=ZONE, hostnames=hostnames, **more)

    assert ours(connect, use, shown, shown, {"hostnames": []}) == theirs(
        lambda c: sent(c, ["api.example.com"]),
        lambda c: sent(c, ["api.example.com"], mtls_certificate_id=ID),
        lambda c: sent(c, [], mtls_certificate_id=ID),
    )


def test_problems() -> None:
    assert list(KIND.problems(BARE)) == list(KIND.problems(FULL)) == []
    assert "example.org" in " ".join(KIND.problems(replace(BARE, hostnames=("api.example.org",))))
    assert "no hostnames" in " ".join(KIND.problems(replace(BARE, hostnames=())))
    assert list(KIND.problems(replace(BARE, hostnames=("badexample.com",)))) != []
