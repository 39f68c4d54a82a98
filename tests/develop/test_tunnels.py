"""Tunnels, rules and records in the account; what is somebody else's stays."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.develop.accounts import call
from trailboss.develop import routing
from trailboss.develop.tunnels import (
    Rule,
    create_tunnel,
    delete_tunnel,
    ensure_tunnel,
    find_tunnel,
    list_tunnels,
    put_rule,
    read_rules,
    read_token,
    remove_rule,
)
from trailboss.errors import AlreadyExists, NotFound, RefusedError, TrailbossError, UsageError

HOST = "dev.example.com"
OTHER = {
    "hostname": "other.example.com",
    "service": "http://10.0.0.7:80",
    "originRequest": {"connectTimeout": 3},
}
LAST = {"service": "http_status:404"}


def configured(box: Sandbox, tunnel: str) -> Any:
    return box.call("GET", f"{box.account}/cfd_tunnel/{tunnel}/configurations")


def records(box: Sandbox, name: str = HOST) -> list[tuple[str, str, bool]]:
    zone = box.call("GET", "/zones?name=example.com")[0]["id"]
    found = box.call("GET", f"/zones/{zone}/dns_records?name={name}")
    return [(one["type"], one["content"], one["proxied"]) for one in found]


def record(box: Sandbox, **fields: Any) -> None:
    zone = box.call("GET", "/zones?name=example.com")[0]["id"]
    box.call("POST", f"/zones/{zone}/dns_records", {"name": HOST, "ttl": 1, "proxied": True, **fields})


def test_a_tunnel_is_made_once_found_by_name_and_id_and_deleted(account: Sandbox) -> None:
    made, new = call(account, lambda cloud: ensure_tunnel(cloud, "one"))
    again, new_again = call(account, lambda cloud: ensure_tunnel(cloud, "one"))
    assert (new, new_again, made) == (True, False, again)
    assert call(account, lambda cloud: find_tunnel(cloud, made.id)) == made
    assert made.source == "cloudflare"
    with pytest.raises(AlreadyExists, match="already have a tunnel"):
        call(account, lambda cloud: create_tunnel(cloud, "one"))
    assert [one.name for one in call(account, list_tunnels)] == ["one"]
    token = call(account, lambda cloud: read_token(cloud, made))
    assert len(token.reveal()) > 100
    assert str(token) == "<secret>"
    call(account, lambda cloud: delete_tunnel(cloud, made))
    assert call(account, list_tunnels) == []
    for name in ("one", made.id):
        with pytest.raises(NotFound, match="there is no tunnel"):
            call(account, lambda cloud, name=name: find_tunnel(cloud, name))
    with pytest.raises(UsageError):
        call(account, lambda cloud: create_tunnel(cloud, made.id))


def test_our_rule_comes_before_all_others_which_stay_as_they_are(account: Sandbox) -> None:
    tunnel = call(account, lambda cloud: create_tunnel(cloud, "one"))
    path = f"{account.account}/cfd_tunnel/{tunnel.id}/configurations"
    before = {
        "ingress": [OTHER, {"hostname": "*.example.com", "service": "http://10.0.0.8"}, LAST],
        "warp-routing": {},
    }
    account.call("PUT", path, {"config": before})
    rule = Rule(HOST, "https://localhost:8787", settings={"noTLSVerify": True})
    assert call(account, lambda cloud: put_rule(cloud, tunnel, rule)) is True
    assert call(account, lambda cloud: put_rule(cloud, tunnel, rule)) is False
    found = configured(account, tunnel.id)
    assert found["config"]["ingress"] == [rule.as_wire(), *before["ingress"]]
    assert found["version"] == 2
    assert call(account, lambda cloud: read_rules(cloud, tunnel))[0] == rule
    assert call(account, lambda cloud: remove_rule(cloud, tunnel, HOST, "http://elsewhere")) is False
    assert call(account, lambda cloud: remove_rule(cloud, tunnel, HOST, rule.service)) is True
    assert configured(account, tunnel.id)["config"] == before


def test_what_a_killed_dev_left_is_replaced_and_what_is_not_local_is_not(account: Sandbox) -> None:
    tunnel = call(account, lambda cloud: create_tunnel(cloud, "one"))
    call(account, lambda cloud: put_rule(cloud, tunnel, Rule(HOST, "http://localhost:8787")))
    call(account, lambda cloud: put_rule(cloud, tunnel, Rule(HOST, "http://127.0.0.1:8788")))
    assert [rule.service for rule in call(account, lambda cloud: read_rules(cloud, tunnel))] == [
        "http://127.0.0.1:8788"
    ]
    call(account, lambda cloud: put_rule(cloud, tunnel, Rule(HOST, "http://10.0.0.9"), force=True))
    with pytest.raises(RefusedError) as caught:
        call(account, lambda cloud: put_rule(cloud, tunnel, Rule(HOST, "http://localhost:1")))
    assert caught.value.code == "TB9472"
    call(account, lambda cloud: put_rule(cloud, tunnel, Rule(HOST, "http://localhost:1"), force=True))


def test_a_tunnel_with_rules_of_its_own_machine_is_not_taken_over(account: Sandbox) -> None:
    made = account.call("POST", f"{account.account}/cfd_tunnel", {"name": "own", "config_src": "local"})
    with pytest.raises(RefusedError, match=r"config\.yml") as caught:
        call(account, lambda cloud: routing.route(cloud, "own", HOST, "http://localhost:1"))
    assert caught.value.code == "TB9483"
    assert configured(account, made["id"])["source"] == "local"
    call(account, lambda cloud: routing.route(cloud, "own", HOST, None))
    call(account, lambda cloud: routing.route(cloud, "own", HOST, "http://localhost:1", force=True))
    assert configured(account, made["id"])["source"] == "cloudflare"


def test_a_route_is_a_record_and_a_rule(account: Sandbox) -> None:
    tunnel = call(account, lambda cloud: create_tunnel(cloud, "one"))
    done = call(account, lambda cloud: routing.route(cloud, "one", HOST.upper(), "http://localhost:1"))
    assert (done.hostname, done.zone, done.changed) == (HOST, "example.com", True)
    assert done.url.endswith(f"{HOST}.localhost:{account.connection.edge_port}")
    assert records(account) == [("CNAME", tunnel.address, True)]
    again = call(account, lambda cloud: routing.route(cloud, "one", HOST, "http://localhost:1"))
    assert again.changed is False
    assert call(account, lambda cloud: routing.unroute(cloud, "one", HOST)).changed is True
    assert records(account) == []
    assert configured(account, tunnel.id)["config"]["ingress"] == [LAST]
    assert call(account, lambda cloud: routing.unroute(cloud, "one", HOST)).changed is False


def test_a_record_of_ours_is_turned_round_and_a_foreign_one_is_not(account: Sandbox) -> None:
    one = call(account, lambda cloud: create_tunnel(cloud, "one"))
    two = call(account, lambda cloud: create_tunnel(cloud, "two"))
    call(account, lambda cloud: routing.route(cloud, "one", HOST, None))
    call(account, lambda cloud: routing.route(cloud, "two", HOST, None))
    assert records(account) == [("CNAME", two.address, True)]
    call(account, lambda cloud: routing.unroute(cloud, "two", HOST))
    record(account, type="A", content="203.0.113.7")
    record(account, type="A", content="203.0.113.8")
    with pytest.raises(RefusedError, match=r"203\.0\.113\.7") as caught:
        call(account, lambda cloud: routing.route(cloud, "one", HOST, None))
    assert caught.value.code == "TB9475"
    call(account, lambda cloud: routing.route(cloud, "one", HOST, None, force=True))
    assert records(account) == [("CNAME", one.address, True)]


@pytest.mark.parametrize(
    ("hostname", "code"),
    [
        ("dev.nowhere.test", "TB2312"),
        ("https://dev.example.com", "TB9474"),
        ("dev", "TB9474"),
        ("notexample.com", "TB2312"),
    ],
)
def test_a_host_name_outside_every_zone_is_told_with_the_zones(
    account: Sandbox, hostname: str, code: str
) -> None:
    call(account, lambda cloud: create_tunnel(cloud, "one"))
    with pytest.raises(TrailbossError) as caught:
        call(account, lambda cloud: routing.route(cloud, "one", hostname, None))
    assert caught.value.code == code
    if code == "TB2312":
        assert "example.com" in caught.value.hint


def test_a_connected_tunnel_is_deleted_by_force_only(account: Sandbox) -> None:
    tunnel = call(account, lambda cloud: create_tunnel(cloud, "one"))
    call(account, lambda cloud: routing.route(cloud, "one", HOST, account.connection.edge_url))
    assert call(account, lambda cloud: find_tunnel(cloud, "one")).status == "healthy"
    with pytest.raises(RefusedError) as caught:
        call(account, lambda cloud: delete_tunnel(cloud, tunnel))
    assert caught.value.code == "TB9471"
    call(account, lambda cloud: delete_tunnel(cloud, tunnel, force=True))
    assert call(account, list_tunnels) == []
