"""Hyperdrive: a whole life, what the SDK would send, and passwords that show nowhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.conftest import Sandbox
from tests.resources.cases.hyperdrive_config import BARE, FULL, SECRETS
from tests.resources.kinds.lives import ACCOUNT, listed, live, opened, ours, run, theirs
from trailboss.cloud import Cloud
from trailboss.errors import AlreadyExists, PlanError
from trailboss.resources.hyperdrive_config import KIND, HyperdriveConfig
from trailboss.resources.marks import UNSET
from trailboss.values import Secret

PARTS = HyperdriveConfig(
    "shop-db",
    scheme="mysql",
    host="db.example.com",
    database="orders",
    user="shop",
    password=Secret("s@fe"),
)


def test_a_life(account: Sandbox) -> None:
    found = live(account, KIND, opened(BARE, SECRETS), opened(FULL, SECRETS))
    assert (found.host, found.port, found.user, found.max_age) == ("db.example.com", 6432, "shop", 120)
    assert "s@fe" not in repr(found)


def test_parts_and_caching(account: Sandbox) -> None:
    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, PARTS)
        assert made.port == 3306
        with pytest.raises(AlreadyExists):
            await KIND.create(cloud, PARTS)
        moved = replace(PARTS, host="db2.example.com", caching_disabled=True)
        assert [change.field for change in KIND.differs(moved, made)] == ["host", "caching_disabled"]
        after = await KIND.update(cloud, moved, made)
        assert KIND.differs(moved, after) == ()
        tunnel = HyperdriveConfig(
            "behind",
            host="db.example.com",
            database="orders",
            user="shop",
            password=Secret("x"),
            access_client_id="me.access",
            access_client_secret=Secret("y"),
        )
        made = await KIND.create(cloud, tunnel)
        assert KIND.differs(tunnel, made) == ()
        assert made.port is None

    run(account, use)


def test_a_new_password_is_sent(account: Sandbox) -> None:
    async def use(cloud: Cloud) -> None:
        await KIND.create(cloud, PARTS)
        (seen,) = await listed(KIND, cloud, PARTS)
        requests = cloud.stats.total
        after = await KIND.update(cloud, replace(PARTS, password=Secret("other")), seen)
        assert (after, cloud.stats.total) == (seen, requests + 1)
        await KIND.update(cloud, PARTS, after)
        assert cloud.stats.total == requests + 1

    run(account, use)


def test_a_reference_that_is_not_open_is_not_compared(account: Sandbox) -> None:
    made = run(account, lambda cloud: KIND.create(cloud, opened(BARE, SECRETS)))
    assert KIND.differs(BARE, made) == ()
    other = replace(BARE, connection_string=Secret("postgres://shop:x@elsewhere/orders"))
    assert {change.field for change in KIND.differs(other, made)} == {"host", "port"}
    assert "postgresql" not in str(KIND.differs(replace(BARE, scheme="postgresql"), made))


def test_requests(connect: Callable[..., Cloud]) -> None:
    shown = {"id": "f" * 32, "name": "shop-db"}

    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, PARTS)
        await KIND.update(cloud, replace(PARTS, origin_connection_limit=9), made)
        await KIND.delete(cloud, made)

    origin = {
        "scheme": "mysql",
        "host": "db.example.com",
        "port": 3306,
        "database": "orders",
        "user": "shop",
        "password": "s@fe",
    }
    assert ours(connect, use, shown, shown, None) == theirs(
        lambda c: c.hyperdrive.configs.create(account_id=ACCOUNT, name="shop-db", origin=origin),
        lambda c: c.hyperdrive.configs.edit(
            "f" * 32, account_id=ACCOUNT, origin=origin, origin_connection_limit=9
        ),
        lambda c: c.hyperdrive.configs.delete("f" * 32, account_id=ACCOUNT),
    )


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (HyperdriveConfig("a"), "host, database, user, password"),
        (replace(PARTS, scheme="oracle"), "oracle"),
        (replace(PARTS, access_client_id="x"), "go together"),
        (replace(PARTS, service_id="x", port=1), "no port"),
        (replace(PARTS, service_id="x", sslmode="REQUIRED"), "VPC service"),
        (replace(PARTS, sslmode="require"), "VERIFY_CA"),
        (replace(PARTS, max_age=3601), "3600"),
        (replace(PARTS, max_age=5, caching_disabled=True), "disabled"),
        (replace(PARTS, origin_connection_limit=4), "5 to 100"),
    ],
)
def test_problems(spec: HyperdriveConfig, text: str) -> None:
    assert text in " ".join(KIND.problems(spec))
    assert list(KIND.problems(PARTS)) == list(KIND.problems(BARE)) == []


@pytest.mark.parametrize(
    "url", ["nonsense", "postgres://host/db", "postgres://a:b@h:port/db", "ftp://a:b@h/d"]
)
def test_a_connection_string_that_cannot_be_read(url: str) -> None:
    spec = replace(BARE, connection_string=Secret(url), scheme=UNSET)
    with pytest.raises(PlanError) as caught:
        KIND.to_wire(spec)
    assert caught.value.code == "TB6110"
    assert url not in f"{caught.value} {caught.value.hint}"
