"""Certificates: a whole life, what the SDK would send, keys that show nowhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import Sandbox
from tests.plan.inprocess import Account as InProcess
from tests.plan.inprocess import DirectCloud
from tests.plan.test_contract import OPTIONS, done, resource, wanting
from tests.resources.cases.mtls_certificate import BARE, SECRETS, pair
from tests.resources.kinds.lives import ACCOUNT, live, opened, ours, run, theirs
from trailboss.cloud import Cloud
from trailboss.errors import AlreadyExists
from trailboss.plan.apply import apply
from trailboss.plan.plan import make
from trailboss.resources.marks import UNSET
from trailboss.resources.mtls_certificate import KIND, MTLSCertificate
from trailboss.values import Secret

OPEN = opened(BARE, SECRETS)
CA = MTLSCertificate("shop-ca", pair("ca", ca=True)[0], ca=True)


def test_a_life(account: Sandbox) -> None:
    found = live(account, KIND, OPEN, OPEN)
    assert found.certificates.startswith("sha256:")
    assert found.expires_on
    assert "PRIVATE" not in repr(found)

    async def use(cloud: Cloud) -> None:
        with pytest.raises(AlreadyExists):
            await KIND.create(cloud, OPEN)

    run(account, use)


def test_an_authority(account: Sandbox) -> None:
    live(account, KIND, CA, CA)


def test_what_differs() -> None:
    found = KIND.from_wire({"id": "i", "name": "shop-client", "ca": False, "certificates": BARE.certificates})
    windows = replace(BARE, certificates="# ours\r\n" + BARE.certificates.replace("\n", "\r\n"))
    assert KIND.differs(BARE, found) == KIND.differs(windows, found) == ()
    assert KIND.differs(BARE, replace(found, certificates="")) == ()
    assert KIND.differs(replace(BARE, certificates="op://vault/item/certificate"), found) == ()
    (change,) = KIND.differs(replace(BARE, certificates=pair("other")[0]), found)
    assert (change.field, change.mark.value) == ("certificates", "replace")
    assert "BEGIN" not in str(change)


def test_a_reference_stands_for_the_certificate(tmp_path: Path) -> None:
    """It is looked up when it is sent, and is no difference afterwards."""

    async def reveal(wanted: Mapping[str, str]) -> Mapping[str, Secret]:
        values = {"op://Production/shop/certificate": BARE.certificates, **SECRETS}
        return {name: Secret(values[text]) for name, text in wanted.items()}

    async def life() -> None:
        cloud = DirectCloud(InProcess(tmp_path))
        spec = replace(BARE, certificates="op://Production/shop/certificate")
        wants = wanting(resource("mtls_certificate", "it", spec))
        applied = await apply(cloud, wants, replace(OPTIONS, reveal=reveal))
        assert KIND.differs(BARE, applied.observed["mtls_certificate.it"]) == ()
        assert done(await make(cloud, wants)) == []

    asyncio.run(life())


def test_requests(connect: Callable[..., Cloud]) -> None:
    async def use(cloud: Cloud) -> None:
        await KIND.delete(cloud, await KIND.create(cloud, OPEN))

    assert ours(connect, use, {"id": "f" * 32, "name": "shop-client"}, None) == theirs(
        lambda c: c.mtls_certificates.create(
            account_id=ACCOUNT,
            name="shop-client",
            ca=False,
            certificates=BARE.certificates,
            private_key=SECRETS["${SHOP_CLIENT_KEY}"],
        ),
        lambda c: c.mtls_certificates.delete("f" * 32, account_id=ACCOUNT),
    )


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (replace(BARE, certificates="client.pem"), "PEM"),
        (replace(BARE, private_key=UNSET), "lacks private_key"),
        (replace(CA, private_key="${KEY}"), "no private_key"),
    ],
)
def test_problems(spec: MTLSCertificate, text: str) -> None:
    assert text in " ".join(KIND.problems(spec))
    assert list(KIND.problems(BARE)) == list(KIND.problems(CA)) == []
