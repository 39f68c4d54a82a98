"""Ingress rules: a whole life, both spellings, what is filled in, what others set, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.resources.cases.tunnel_configuration import BARE, BEFORE, FULL
from tests.resources.kinds.lives import ACCOUNT, listed, live, ours, run, theirs
from trailboss.cloud import Cloud
from trailboss.resources.marks import UNSET, Ref
from trailboss.resources.registry import kind
from trailboss.resources.tunnel_configuration import KIND, REST, TunnelConfiguration

ID = "0b1e6a44-7b1e-4a53-9d0a-b8a2a64b8a11"
HOST = {"hostname": "dev.example.com", "service": "http://localhost:1"}


def test_a_life(account: Sandbox) -> None:
    tunnel = run(account, lambda cloud: kind(BEFORE[0][0]).create(cloud, BEFORE[0][1]))
    bare, full = (replace(spec, tunnel=tunnel.id) for spec in (BARE, FULL))
    found = live(account, KIND, bare, full)
    assert found.ingress[-1] == {"service": "http_status:503"} and KIND.handle(found) == tunnel.id
    raw = account.call("GET", f"{account.account}/cfd_tunnel/{tunnel.id}/configurations")["config"]
    assert raw["originRequest"] == {"noTLSVerify": False, "matchSNItoHost": True, "http2Origin": False}
    assert raw["ingress"][1]["originRequest"] == {"connectTimeout": 5, "noTLSVerify": True}
    assert raw["warp-routing"] == {"connectTimeout": 5}


def test_what_the_file_does_not_name_stays(account: Sandbox) -> None:
    tunnel = run(account, lambda cloud: kind(BEFORE[0][0]).create(cloud, BEFORE[0][1]))
    full = replace(FULL, tunnel=tunnel.id)
    bare = TunnelConfiguration(tunnel.id, (HOST,))

    async def use(cloud: Cloud) -> None:
        changed = await KIND.update(cloud, bare, await KIND.create(cloud, full))
        assert changed.origin_request["match_sni_to_host"] is True
        assert changed.warp_routing == {"connect_timeout": 5}
        assert changed.ingress == (HOST, REST)

    run(account, use)


def test_there_is_none_where_the_tunnel_is_not(account: Sandbox) -> None:
    async def use(cloud: Cloud) -> None:
        assert await listed(KIND, cloud, replace(BARE, tunnel=ID)) == []
        assert await listed(KIND, cloud, replace(BARE, tunnel=Ref("cloudflared_tunnel", "later"))) == []

    run(account, use)


def test_requests(connect: Callable[..., Cloud]) -> None:
    rule: Any = {**HOST, "origin_request": {"noTLSVerify": True, "http_host_header": "x"}}
    spec = TunnelConfiguration(ID, (rule,), origin_request={"connect_timeout": 5})
    config: Any = {
        "ingress": [
            {**HOST, "origin_request": {"no_tls_verify": True, "http_host_header": "x"}},
            {"service": "http_status:404"},
        ],
        "origin_request": {"connect_timeout": 5},
    }

    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, spec)
        await KIND.delete(cloud, made)

    update = {"config": {"ingress": [{"service": "http_status:404"}]}}
    assert ours(connect, use, {"tunnel_id": ID}, {"tunnel_id": ID}) == theirs(
        lambda c: c.zero_trust.tunnels.cloudflared.configurations.update(
            ID, account_id=ACCOUNT, config=config
        ),
        lambda c: c.zero_trust.tunnels.cloudflared.configurations.update(ID, account_id=ACCOUNT, **update),
    )


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ((), "no rules"),
        (({"service": "http_status:404"}, HOST), "would never answer"),
        (({**HOST, "hostname": "a.com:80"},), "without port"),
        (({**HOST, "hostname": "a.*.com"},), "at most `*.`"),
        (({**HOST, "path": "("},), "no expression"),
        (({**HOST, "service": "localhost:80"},), "it may be"),
        (({**HOST, "service": "http://localhost/x"},), "path is the request's own"),
        (({**HOST, "service": "http_status:1"},), "three digits"),
        (({**HOST, "host": "x"},), "does not know 'host'"),
        (({**HOST, "origin_request": {"verify": False}},), "does not know 'verify'"),
    ],
)
def test_problems(rules: Any, text: str) -> None:
    assert text in " ".join(KIND.problems(TunnelConfiguration(ID, rules)))
    assert list(KIND.problems(BARE)) == list(KIND.problems(FULL)) == []
    assert not list(KIND.problems(TunnelConfiguration(ID, ({"service": "hello_world"},))))
    unknown = TunnelConfiguration(ID, (HOST,), origin_request={"x": 1}, warp_routing=UNSET)
    assert "origin_request does not know 'x'" in " ".join(KIND.problems(unknown))
