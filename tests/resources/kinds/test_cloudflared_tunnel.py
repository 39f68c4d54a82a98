"""Tunnels: a whole life, what the SDK would send, and connections that must end first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cloud.loopback import Answer, Request, no, ok
from tests.conftest import Sandbox
from tests.plan.inprocess import Account as InProcess
from tests.plan.inprocess import DirectCloud
from tests.plan.test_contract import OPTIONS, resource, wanting
from tests.resources.cases.cloudflared_tunnel import BARE, FULL, SECRETS
from tests.resources.kinds.lives import ACCOUNT, live, opened, ours, run, theirs, writes
from trailboss.cloud import Cloud
from trailboss.errors import AlreadyExists, CloudError
from trailboss.plan.apply import apply
from trailboss.resources.cloudflared_tunnel import KIND, CloudflaredTunnel
from trailboss.resources.tunnel_configuration import KIND as CONFIGURATION
from trailboss.resources.tunnel_configuration import TunnelConfiguration
from trailboss.values import Secret

ID = "0b1e6a44-7b1e-4a53-9d0a-b8a2a64b8a11"


def test_a_life(account: Sandbox) -> None:
    found = live(account, KIND, BARE, opened(FULL, SECRETS))
    assert KIND.handle(found) == KIND.tag_id(found) == found.id

    async def use(cloud: Cloud) -> None:
        with pytest.raises(AlreadyExists):
            await KIND.create(cloud, BARE)
        assert found.config_src == "cloudflare"
        (change,) = KIND.differs(replace(BARE, config_src="local"), found)
        assert change.mark.value == "replace"

    run(account, use)


def test_a_tunnel_that_serves_is_deleted_all_the_same(account: Sandbox) -> None:
    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, BARE)
        hello = ({"hostname": "dev.example.com", "service": "hello_world"},)
        await CONFIGURATION.create(cloud, TunnelConfiguration(made.id, hello))
        await KIND.delete(cloud, made)
        assert [one async for one in KIND.list(cloud)] == []

    run(account, use)


def test_another_secret_in_the_file_is_sent(tmp_path: Path) -> None:
    """Nobody can compare it: the reference says that it is another one."""
    sent: list[str] = []

    def note(_: int, stage: str, method: str, path: str) -> None:
        if stage == "before" and method == "PATCH" and "/cfd_tunnel/" in path:
            sent.append(path)

    async def reveal(wanted: Mapping[str, str]) -> Mapping[str, Secret]:
        return {name: Secret(SECRETS["${TUNNEL_SECRET}"]) for name in wanted}

    async def life() -> None:
        cloud, options = DirectCloud(InProcess(tmp_path), note), replace(OPTIONS, reveal=reveal)
        for reference, expected in (("${TUNNEL_SECRET}", 0), ("${TUNNEL_SECRET}", 0), ("${OTHER}", 1)):
            spec = replace(FULL, tunnel_secret=reference)
            await apply(cloud, wanting(resource("cloudflared_tunnel", "it", spec)), options)
            assert len(sent) == expected

    asyncio.run(life())


def test_other_refusals_of_a_deletion_are_told(connect: Callable[..., Cloud]) -> None:
    def respond(request: Request) -> Answer:
        return (
            no(400, 1023, "routes lead to it") if request.method == "DELETE" else ok({"id": ID, "name": "a"})
        )

    async def use(cloud: Cloud) -> None:
        with pytest.raises(CloudError, match="routes lead to it"):
            await KIND.delete(cloud, await KIND.create(cloud, BARE))

    assert len(writes(connect, use, respond)) == 2


def test_requests(connect: Callable[..., Cloud]) -> None:
    secret = SECRETS["${TUNNEL_SECRET}"]

    async def use(cloud: Cloud) -> None:
        await KIND.delete(cloud, await KIND.create(cloud, opened(FULL, SECRETS)))

    assert ours(connect, use, {"id": ID, "name": "shop-dev"}, None) == theirs(
        lambda c: c.zero_trust.tunnels.cloudflared.create(
            account_id=ACCOUNT, name="shop-dev", config_src="cloudflare", tunnel_secret=secret
        ),
        lambda c: c.zero_trust.tunnels.cloudflared.delete(ID, account_id=ACCOUNT),
    )
    assert secret not in repr(opened(FULL, SECRETS))


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (CloudflaredTunnel(ID), "look like the id"),
        (CloudflaredTunnel(""), "1 to 100"),
        (CloudflaredTunnel("a" * 101), "101 characters"),
        (CloudflaredTunnel("a", config_src="remote"), "cloudflare, local"),
    ],
)
def test_problems(spec: CloudflaredTunnel, text: str) -> None:
    assert text in " ".join(KIND.problems(spec))
    assert list(KIND.problems(BARE)) == list(KIND.problems(FULL)) == []
