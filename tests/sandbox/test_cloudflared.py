"""What cloudflared's own commands ask of the API: requests, and how replies are read, are its `cfapi`'s.

cloudflared itself is not run: tests need no program from the network.
"""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any

import pytest

from tests.conftest import Sandbox

HEADERS = {"accept": "application/json;version=1", "user-agent": "cloudflared/2026.8.2"}
NOBODY = str(uuid.uuid4())


class Cloudflared:
    """Its REST client, with a cert.pem's three values: zone, account, token."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.zone = str(box.call("GET", "/zones?name=example.com")[0]["id"])

    def ask(self, method: str, path: str, body: Any = None, status: int = 200, **query: Any) -> Any:
        """One request; the result, or of an error its text."""
        headers = dict(HEADERS) if body is None else {**HEADERS, "content-type": "application/json"}
        content = None if body is None else json.dumps(body)
        url = f"{self.box.connection.api_url}{path}"
        reply = self.box.http.request(method, url, headers=headers, content=content, params=query)
        assert reply.status_code == status, reply.text
        assert reply.headers["content-type"] == "application/json"
        envelope = reply.json()
        assert all(isinstance(one, str) for one in envelope["messages"])
        if status >= 400:
            return "; ".join(f"code: {one['code']}, reason: {one['message']}" for one in envelope["errors"])
        assert envelope["success"] and not envelope["errors"]
        return envelope["result"]

    def account(self, method: str, path: str, body: Any = None, status: int = 200, **query: Any) -> Any:
        return self.ask(method, f"{self.box.account}/{path}", body, status, **query)

    def create(self, name: str) -> Any:
        """`tunnel create`: the secret is the client's own."""
        secret = base64.b64encode(bytes(range(32))).decode()
        return self.account("POST", "cfd_tunnel", {"name": name, "tunnel_secret": secret})

    def route(self, tunnel: str, status: int = 200, **body: Any) -> Any:
        """`tunnel route dns` and `tunnel route lb`."""
        return self.ask("PUT", f"/zones/{self.zone}/tunnels/{tunnel}/routes", body, status)

    def dns(self, tunnel: str, host: str, *, overwrite: bool = False, status: int = 200) -> Any:
        return self.route(tunnel, status, type="dns", user_hostname=host, overwrite_existing=overwrite)


@pytest.fixture
def client(account: Sandbox) -> Cloudflared:
    return Cloudflared(account)


def test_create_list_info_token_delete(client: Cloudflared) -> None:
    made = client.create("dev")
    uuid.UUID(made["id"])
    secret = base64.b64encode(bytes(range(32))).decode()
    whole = {"a": client.box.connection.account_id, "t": made["id"], "s": secret}
    assert json.loads(base64.b64decode(made["token"], validate=True)) == whole
    token = client.account("GET", f"cfd_tunnel/{made['id']}/token")
    assert token == made["token"], "`tunnel run --token` reads account, tunnel and secret from it"
    client.account("POST", "cfd_tunnel", {"name": "dev", "tunnel_secret": secret}, 409)
    client.create("test-1")
    listed = client.account("GET", "cfd_tunnel", is_deleted="false", page="1")
    assert {one["name"] for one in listed} == {"dev", "test-1"} and listed[0]["connections"] == []
    for name, value, found in (
        ("name", "dev", ["dev"]),
        ("uuid", made["id"], ["dev"]),
        ("name_prefix", "test", ["test-1"]),
        ("exclude_prefix", "test", ["dev"]),
    ):
        one = client.account("GET", "cfd_tunnel", is_deleted="false", page="1", **{name: value})
        assert [tunnel["name"] for tunnel in one] == found, name
    assert client.account("GET", f"cfd_tunnel/{made['id']}/connections") == []
    client.account("DELETE", f"cfd_tunnel/{made['id']}/connections", client_id=NOBODY)
    client.account("DELETE", f"cfd_tunnel/{made['id']}", cascade="true")
    assert client.account("GET", f"cfd_tunnel/{made['id']}")["deleted_at"]
    assert client.account("GET", f"cfd_tunnel/{NOBODY}", status=404).startswith("code: 1003")


def test_a_list_ends_by_its_numbers(client: Cloudflared) -> None:
    for number in range(3):
        client.create(f"t{number}")
    url = f"{client.box.connection.api_url}{client.box.account}/cfd_tunnel"
    info = client.box.http.get(url, params={"per_page": 2, "page": 2}, headers=HEADERS).json()["result_info"]
    assert (info["count"], info["per_page"], info["total_count"]) == (1, 2, 3)


def test_a_cert_for_it(client: Cloudflared) -> None:
    """What `tunnel login` would have left: one PEM block with JSON in it."""
    url = f"{client.box.connection.control_url}/cert"
    reply = client.box.http.get(url, params={"zone": "example.com"})
    first, *lines, last = reply.text.splitlines()
    assert (first, last) == ("-----BEGIN ARGO TUNNEL TOKEN-----", "-----END ARGO TUNNEL TOKEN-----")
    cert = json.loads(base64.b64decode("".join(lines)))
    found = client.box.connection
    assert cert == {"zoneID": client.zone, "accountID": found.account_id, "apiToken": found.token}
    assert max(map(len, lines)) == 64
    assert client.box.http.get(url, params={"zone": "no.test"}).status_code == 404


@pytest.mark.parametrize("what", ["logs", "admin", "host_details"])
def test_management_tokens(client: Cloudflared, what: str) -> None:
    """`cloudflared tail` asks without a body, by path."""
    made = client.create("dev")
    token = client.account("POST", f"cfd_tunnel/{made['id']}/management/{what}")
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["res"] == [what] and claims["tun"]["id"] == made["id"]
    client.account("POST", f"cfd_tunnel/{made['id']}/management/else", status=400)


def test_route_dns(client: Cloudflared) -> None:
    tunnel, other = client.create("dev")["id"], client.create("other")["id"]
    made = client.dns(tunnel, "dev.example.com")
    assert (made["cname"], made["name"]) == ("new", "dev.example.com")
    record = client.box.call("GET", f"/zones/{client.zone}/dns_records?name=dev.example.com")[0]
    assert (record["content"], record["proxied"]) == (f"{tunnel}.cfargotunnel.com", True)
    assert client.dns(tunnel, "dev.example.com")["cname"] == "unchanged"
    why = client.dns(other, "dev.example.com", status=400)
    assert "code: 1003" in why and "record with that host already exists" in why
    assert client.dns(other, "dev.example.com", overwrite=True)["cname"] == "new"
    assert client.dns(tunnel, "elsewhere.test")["name"] == "elsewhere.test.example.com"
    assert client.dns(NOBODY, "x.example.com", status=404).startswith("code: 1003")
    client.route(tunnel, 400, type="else")


def test_route_lb(client: Cloudflared) -> None:
    tunnel, other = client.create("dev")["id"], client.create("other")["id"]
    route = {"type": "lb", "lb_name": "lb.example.com", "lb_pool": "mine"}
    assert client.route(tunnel, **route) == {"load_balancer": "new", "pool": "new"}
    assert client.route(tunnel, **route) == {"load_balancer": "unchanged", "pool": "unchanged"}
    assert client.route(other, **route) == {"load_balancer": "unchanged", "pool": "updated"}
    more = client.route(tunnel, **{**route, "lb_pool": "second"})
    assert more == {"load_balancer": "updated", "pool": "new"}
    (pool,) = [
        one
        for one in client.box.call("GET", f"{client.box.account}/load_balancers/pools")
        if one["name"] == "mine"
    ]
    assert [one["address"] for one in pool["origins"]] == [
        f"{tunnel}.cfargotunnel.com",
        f"{other}.cfargotunnel.com",
    ]


def test_route_ip_and_vnet(client: Cloudflared) -> None:
    tunnel = client.create("dev")["id"]
    net = client.account(
        "POST", "teamnet/virtual_networks", {"name": "lab", "comment": "", "is_default_network": False}
    )
    assert [one["name"] for one in client.account("GET", "teamnet/virtual_networks", name="lab")] == ["lab"]
    client.account("PATCH", f"teamnet/virtual_networks/{net['id']}", {"comment": "ours"})
    body = {"network": "10.1.0.0/16", "tunnel_id": tunnel, "comment": "x", "virtual_network_id": net["id"]}
    made = client.account("POST", "teamnet/routes", body)
    listed = client.account("GET", "teamnet/routes", tun_types="cfd_tunnel", is_deleted="false", page="1")
    assert [(one["network"], one["tunnel_name"]) for one in listed] == [("10.1.0.0/16", "dev")]
    found = client.account("GET", "teamnet/routes/ip/10.1.2.3", virtual_network_id=net["id"])
    assert found["id"] == made["id"] and found["tunnel_id"] == tunnel
    assert client.account("GET", "teamnet/routes/ip/10.9.9.9") == {}, "no tunnel: none matches"
    refused = client.account("DELETE", f"teamnet/virtual_networks/{net['id']}", status=409)
    assert refused.startswith("code:")
    assert client.account("DELETE", f"teamnet/virtual_networks/{net['id']}", force="true")["deleted_at"]
    assert client.account("GET", "teamnet/routes", is_deleted="false", page="1") == []
