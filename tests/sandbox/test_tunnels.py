"""Tunnels: what the API says of them, and what reaches the origins behind them."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.conftest import Sandbox
from tests.sandbox.origins import (
    DUMP,
    dump_origin,
    free_port,
    http_origin,
    self_signed,
    tcp_origin,
    websocket_origin,
)

HOST = "dev.example.com"
NOWHERE = {"service": "http_status:404"}


class Tunnel:
    """A tunnel of the account, with its calls."""

    def __init__(self, box: Sandbox, name: str = "dev", **fields: Any) -> None:
        self.box = box
        self.root = f"{box.account}/cfd_tunnel"
        self.made = box.call("POST", self.root, {"name": name, "config_src": "cloudflare", **fields})
        self.path = f"{self.root}/{self.made['id']}"

    def rules(self, *rules: dict[str, Any], expect: int = 200, **config: Any) -> Any:
        body = {"config": {"ingress": [*rules, NOWHERE], **config}}
        return self.box.call("PUT", f"{self.path}/configurations", body, expect=expect)

    def named(self, host: str = HOST, **fields: Any) -> Any:
        record = {"type": "CNAME", "name": host, "content": f"{self.made['id']}.cfargotunnel.com", "ttl": 1}
        return self.box.call(
            "POST", f"/zones/{zone(self.box)}/dns_records", {**record, "proxied": True, **fields}
        )

    def serve(self, service: str, host: str = HOST, **rule: Any) -> None:
        self.rules({"hostname": host, "service": service, **rule})
        self.named(host)

    @property
    def now(self) -> Any:
        return self.box.call("GET", self.path)


def zone(box: Sandbox) -> str:
    return str(box.call("GET", "/zones?name=example.com")[0]["id"])


def socket_to(box: Sandbox, host: str = HOST, path: str = "/", **headers: str) -> ClientConnection:
    """A WebSocket to a host name at the edge."""
    edge = box.connection.edge_port
    address = ("127.0.0.1", edge)
    return connect(
        f"ws://{host}:{edge}{path}",
        address=address,
        compression=None,
        additional_headers=headers,
        proxy=None,
    )


@pytest.fixture(scope="module")
def origin() -> Iterator[int]:
    with http_origin() as port:
        yield port


def test_a_new_tunnel_has_credentials_and_no_connections(account: Sandbox) -> None:
    tunnel = Tunnel(account)
    made = tunnel.made
    uuid.UUID(made["id"])
    assert made["status"] == "inactive" and made["connections"] == [] and made["deleted_at"] is None
    assert made["remote_config"] is True and made["tun_type"] == "cfd_tunnel"
    token = account.call("GET", f"{tunnel.path}/token")
    secret = made["credentials_file"]["TunnelSecret"]
    assert json.loads(base64.b64decode(token)) == {
        "a": account.connection.account_id,
        "t": made["id"],
        "s": secret,
    }
    assert token == made["token"] and len(base64.b64decode(secret)) == 32
    assert "token" not in tunnel.now and "secret" not in tunnel.now
    account.call("PATCH", tunnel.path, {"tunnel_secret": base64.b64encode(b"x" * 32).decode()})
    assert account.call("GET", f"{tunnel.path}/token") != token


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "dev"}, 409, 1013),
        ({"name": ""}, 400, 1010),
        ({"name": "0b1e6a44-7b1e-4a53-9d0a-b8a2a64b8a11"}, 400, 1010),
        ({"name": "b", "tunnel_secret": base64.b64encode(b"short").decode()}, 400, 1010),
        ({"name": "b", "tunnel_secret": "%%%"}, 400, 1010),
    ],
)
def test_what_cannot_be_a_tunnel_is_refused(
    account: Sandbox, body: dict[str, Any], status: int, code: int
) -> None:
    root = Tunnel(account).root
    assert account.call("POST", root, body, expect=status)["code"] == code


def test_only_living_tunnels_hold_a_name(account: Sandbox) -> None:
    first = Tunnel(account)
    gone = account.call("DELETE", first.path)
    assert gone["deleted_at"] and gone["status"] == "inactive"
    second = Tunnel(account)
    assert account.call("GET", first.path)["deleted_at"] == gone["deleted_at"]
    assert account.call("DELETE", first.path, expect=404)["code"] == 1003
    ids = [one["id"] for one in account.call("GET", f"{first.root}?name=dev")]
    assert set(ids) == {first.made["id"], second.made["id"]}
    (left,) = account.call("GET", f"{first.root}?name=dev&is_deleted=false")
    assert left["id"] == second.made["id"]


def test_lists_are_paged_and_filtered(account: Sandbox) -> None:
    made = [Tunnel(account, f"{kind}-{number}") for kind in ("dev", "prod") for number in range(3)]
    root = made[0].root

    def names(query: str) -> list[str]:
        return [one["name"] for one in account.call("GET", f"{root}?{query}")]

    assert names("per_page=4&page=2&is_deleted=false") == ["dev-1", "dev-0"]
    assert names("per_page=4&page=3") == []
    assert names("include_prefix=dev&exclude_prefix=dev-1") == ["dev-2", "dev-0"]
    assert names(f"uuid={made[3].made['id']}") == ["prod-0"]
    assert names(f"existed_at={made[1].made['created_at']}") == ["dev-1", "dev-0"]
    assert names("was_active_at=2026-01-01T00:00:00Z") == []
    assert len(names("status=inactive")) == 6 and names("status=healthy") == []


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ([{"hostname": HOST, "service": "http://localhost:1"}], "must match all URLs"),
        ([NOWHERE, NOWHERE], "will never be triggered"),
        ([{"hostname": "a.*.com", "service": "http://localhost"}, NOWHERE], "wildcard"),
        ([{"hostname": "a.com:80", "service": "http://localhost"}, NOWHERE], "cannot contain a port"),
        ([{"hostname": HOST, "service": "http://localhost/path"}, NOWHERE], "different path"),
        ([{"hostname": HOST, "service": "localhost:80"}, NOWHERE], "invalid address"),
        ([{"hostname": HOST, "service": "http://[::1"}, NOWHERE], "invalid address"),
        ([{"hostname": HOST, "service": "http://localhost:99999"}, NOWHERE], "invalid address"),
        ([{"hostname": HOST, "service": "tcp://localhost"}, NOWHERE], "invalid address"),
        ([{"hostname": HOST, "service": "http_status:99"}, NOWHERE], "invalid HTTP status"),
        ([{"hostname": HOST, "path": "(", "service": "http://localhost"}, NOWHERE], "invalid regex"),
        ([{"hostname": HOST}, NOWHERE], "no service"),
    ],
)
def test_a_configuration_that_cannot_run_is_refused(
    account: Sandbox, rules: list[dict[str, Any]], says: str
) -> None:
    tunnel = Tunnel(account)
    body = {"config": {"ingress": rules}}
    error = account.call("PUT", f"{tunnel.path}/configurations", body, expect=400)
    assert error["code"] == 1056 and error["message"].startswith("Bad Configuration: ")
    assert says in error["message"]
    assert account.call("GET", f"{tunnel.path}/configurations")["config"] is None


def test_configurations_count_up_and_make_a_tunnel_remotely_managed(account: Sandbox) -> None:
    tunnel = Tunnel(account, config_src="local")
    assert tunnel.now["remote_config"] is False
    first = tunnel.rules(
        {"hostname": HOST, "service": "http://localhost:1"}, originRequest={"noTLSVerify": True}
    )
    assert first["version"] == 1 and first["source"] == "cloudflare"
    assert first["config"]["ingress"][-1] == NOWHERE
    assert tunnel.rules()["version"] == 2
    assert account.call("GET", f"{tunnel.path}/configurations")["config"] == {"ingress": [NOWHERE]}
    assert tunnel.now["config_src"] == "cloudflare"


def test_a_request_reaches_the_origin_as_it_does_behind_cloudflare(account: Sandbox, origin: int) -> None:
    Tunnel(account).serve(f"http://127.0.0.1:{origin}")
    reply = account.edge(HOST, "/a/b?c=d", method="POST", content=b"body", headers={"x-own": "1"})
    seen = reply.json()
    assert seen["method"] == "POST" and seen["path"] == "/a/b?c=d" and seen["body"] == "body"
    headers = seen["headers"]
    assert headers["host"] == HOST and headers["x-own"] == "1"
    assert headers["cf-connecting-ip"] == "127.0.0.1" and headers["x-forwarded-proto"] == "http"
    assert "mf-cf-blob" not in headers
    assert reply.headers["server"] == "cloudflare" and reply.headers["cf-ray"].startswith(headers["cf-ray"])
    assert account.edge(HOST, "/status/500").status_code == 500
    assert account.edge(HOST, method="HEAD").status_code == 200
    assert account.edge(f"{HOST}.localhost:8480").json()["headers"]["host"] == HOST


def test_the_first_rule_that_matches_answers(account: Sandbox, origin: int) -> None:
    tunnel = Tunnel(account)
    tunnel.rules(
        {"hostname": HOST, "path": r"\.(png|css)$", "service": "http_status:418"},
        {"hostname": "*.example.com", "path": "^/hi", "service": "hello_world"},
        {
            "hostname": HOST,
            "service": f"http://127.0.0.1:{origin}",
            "originRequest": {"httpHostHeader": "inner"},
        },
    )
    tunnel.named()
    tunnel.named("*.example.com")
    assert account.edge(HOST, "/a.css?x=1").status_code == 418
    assert account.edge(HOST, "/a.css/more").json()["headers"]["host"] == "inner"
    assert "Congrats" in account.edge(HOST, "/hi").text
    assert "Congrats" in account.edge("other.example.com", "/hi").text
    missed = account.edge("other.example.com", "/")
    assert missed.status_code == 404 and missed.text == ""


def test_a_record_that_is_not_proxied_or_gone_leads_nowhere(account: Sandbox, origin: int) -> None:
    tunnel = Tunnel(account)
    tunnel.rules({"hostname": HOST, "service": f"http://127.0.0.1:{origin}"})
    assert account.edge(HOST).status_code == 421
    record = tunnel.named(proxied=False)
    assert account.edge(HOST).status_code == 421
    at = f"/zones/{zone(account)}/dns_records/{record['id']}"
    whole = {"type": "CNAME", "name": HOST, "content": record["content"], "ttl": 1, "proxied": True}
    account.call("PATCH", at, whole)
    assert account.edge(HOST).status_code == 200
    account.call("DELETE", at)
    assert account.edge(HOST).status_code == 421
    account.call("POST", f"/zones/{zone(account)}/dns_records/batch", {"posts": [whole]})
    assert account.edge(HOST).status_code == 200


def test_an_origin_that_is_not_there_is_502_and_a_tunnel_that_is_down_530(
    account: Sandbox, origin: int
) -> None:
    tunnel = Tunnel(account)
    tunnel.named()
    assert account.edge(HOST).status_code == 530
    tunnel.rules({"hostname": HOST, "service": f"http://127.0.0.1:{free_port()}"})
    refused = account.edge(HOST)
    assert refused.status_code == 502 and "error code: 502" in refused.text
    tunnel.rules({"hostname": HOST, "service": f"http://127.0.0.1:{origin}"})
    assert account.edge(HOST).status_code == 200
    account.control("PUT", "tunnels", {"tunnel": "dev", "status": "down"})
    down = account.edge(HOST)
    assert down.status_code == 530 and "error code: 1033" in down.text
    assert tunnel.now["status"] == "down"
    (told,) = account.control("PUT", "tunnels", {"tunnel": tunnel.made["id"], "status": "auto"})
    assert told == {
        "id": tunnel.made["id"],
        "name": "dev",
        "status": "healthy",
        "forced": None,
        "hosts": [HOST],
    }
    assert account.edge(HOST).status_code == 200
    account.call("DELETE", f"{tunnel.path}?cascade=true")
    assert account.edge(HOST).status_code == 530


def test_tls_origins_are_verified_unless_told_otherwise(account: Sandbox, tmp_path: Path) -> None:
    certificate = self_signed(tmp_path, "inner.test")
    with http_origin(certificate=certificate) as port:
        tunnel, service = Tunnel(account), f"https://127.0.0.1:{port}"
        tunnel.serve(service)
        assert account.edge(HOST).status_code == 502
        tunnel.rules({"hostname": HOST, "service": service}, originRequest={"noTLSVerify": True})
        assert account.edge(HOST, "/tls").json()["path"] == "/tls"
        trusted = {"caPool": str(certificate), "originServerName": "inner.test"}
        tunnel.rules({"hostname": HOST, "service": service, "originRequest": trusted})
        assert account.edge(HOST, "/ca").json()["path"] == "/ca"


def test_websockets_pass_to_an_http_origin(account: Sandbox) -> None:
    with websocket_origin() as port:
        Tunnel(account).serve(f"http://127.0.0.1:{port}")
        with socket_to(account) as client:
            for message in ("text", b"\x00binary", "x" * 200_000):
                client.send(message)
                assert client.recv(timeout=10) == message


def test_an_origin_that_refuses_an_upgrade_is_heard(account: Sandbox, origin: int) -> None:
    Tunnel(account).serve(f"http://127.0.0.1:{origin}", path="")
    with pytest.raises(InvalidStatus) as refused:
        socket_to(account, path="/status/403")
    assert refused.value.response.status_code == 403
    assert b'"upgrade"' in (refused.value.response.body or b"")


@pytest.mark.parametrize("scheme", ["tcp", "ssh"])
def test_a_stream_is_reached_through_a_websocket(account: Sandbox, scheme: str) -> None:
    with tcp_origin() as port:
        Tunnel(account).serve(f"{scheme}://127.0.0.1:{port}")
        with socket_to(account) as client:
            assert client.recv(timeout=10) == b"hello\n"
            sent = bytes(range(256)) * 4096
            client.send(sent)
            got = b""
            while len(got) < len(sent):
                piece = client.recv(timeout=10)
                assert isinstance(piece, bytes)
                got += piece
            assert got == sent
        assert account.edge(HOST).status_code == 502


def test_a_stream_that_its_server_closes_arrives_whole(account: Sandbox) -> None:
    with dump_origin() as port:
        Tunnel(account).serve(f"tcp://127.0.0.1:{port}")
        with socket_to(account) as client:
            got = b"".join(piece for piece in client if isinstance(piece, bytes))
        assert got == DUMP


def test_a_snapshot_keeps_what_the_edge_serves(account: Sandbox, origin: int) -> None:
    tunnel = Tunnel(account)
    tunnel.serve(f"http://127.0.0.1:{origin}")
    account.control("POST", "snapshot", {"name": "tunnels"})
    account.control("POST", "reset")
    assert account.edge(HOST).status_code == 421
    account.control("POST", "restore", {"name": "tunnels"})
    assert account.edge(HOST).status_code == 200 and tunnel.now["status"] == "healthy"


def test_a_stream_that_is_not_there_is_502(account: Sandbox) -> None:
    Tunnel(account).serve(f"tcp://127.0.0.1:{free_port()}")
    with pytest.raises(InvalidStatus) as refused:
        socket_to(account)
    assert refused.value.response.status_code == 502


def test_a_tunnel_is_as_healthy_as_its_origins(account: Sandbox) -> None:
    tunnel, port = Tunnel(account), free_port()
    with http_origin(port):
        tunnel.serve(f"http://127.0.0.1:{port}")
        up = tunnel.now
        assert up["status"] == "healthy" and up["conns_active_at"] and up["conns_inactive_at"] is None
        (connector,) = account.call("GET", f"{tunnel.path}/connections")
        assert connector["conns"] == up["connections"] and connector["config_version"] == 1
        assert account.call("GET", f"{tunnel.path}/connectors/{connector['id']}") == connector
        tunnel.rules(
            {"hostname": HOST, "service": f"http://127.0.0.1:{port}"},
            {"hostname": "b.example.com", "service": f"tcp://127.0.0.1:{free_port()}"},
        )
        assert tunnel.now["status"] == "degraded"
        tunnel.rules({"hostname": HOST, "service": f"http://127.0.0.1:{port}"})
    account.control("PUT", "tunnels", {"tunnel": "dev", "status": "down"})
    down = tunnel.now
    assert down["status"] == "down" and down["conns_inactive_at"] and down["connections"] == []
    assert account.call("GET", f"{tunnel.path}/connections") == []


def test_a_tunnel_that_serves_is_not_deleted(account: Sandbox, origin: int) -> None:
    tunnel = Tunnel(account)
    tunnel.serve(f"http://127.0.0.1:{origin}")
    assert account.call("DELETE", tunnel.path, expect=400)["code"] == 1022
    account.control("PUT", "clock", {"freeze": True})
    account.call("DELETE", f"{tunnel.path}/connections")
    assert account.call("GET", f"{tunnel.path}/connections") == []
    account.control("PUT", "clock", {"advance": 6})
    assert len(account.call("GET", f"{tunnel.path}/connections")) == 1
    account.call("DELETE", f"{tunnel.path}/connections")
    account.call("DELETE", tunnel.path)
    assert Tunnel(account).now["status"] == "inactive"


def test_a_worker_on_a_route_stands_before_the_tunnel(account: Sandbox, origin: int) -> None:
    from tests.sandbox.upload import deploy

    code = """export default { async fetch(request) {
      const answer = await fetch(request);
      return new Response(await answer.text(), { headers: { "x-through": "worker" } });
    } };"""
    deploy(account, "front", code=code)
    Tunnel(account).serve(f"http://127.0.0.1:{origin}")
    account.call(
        "POST", f"/zones/{zone(account)}/workers/routes", {"pattern": f"{HOST}/api/*", "script": "front"}
    )
    reply = account.edge(HOST, "/api/x")
    assert reply.headers["x-through"] == "worker" and reply.json()["path"] == "/api/x"
    assert "x-through" not in account.edge(HOST, "/other").headers


def test_tunnels_are_there_again_after_the_runtime_died(account: Sandbox, origin: int) -> None:
    import os
    import signal

    Tunnel(account).serve(f"http://127.0.0.1:{origin}")
    before = account.control("GET", "status")["runtime"]
    os.kill(before["pid"], signal.SIGKILL)
    account.call("POST", f"{account.account}/cfd_tunnel", {"name": "another"})
    assert account.control("GET", "status")["runtime"]["pid"] != before["pid"]
    assert account.edge(HOST).status_code == 200


def test_tunnels_carry_tags_while_they_live(account: Sandbox) -> None:
    tunnel = Tunnel(account)
    where = {"resource_type": "cloudflared_tunnel", "resource_id": tunnel.made["id"]}
    account.call("PUT", f"{account.account}/tags", {**where, "tags": {"owner": "me"}})
    (found,) = account.call("GET", f"{account.account}/tags/resources?tag=owner")
    assert found["name"] == "dev"
    account.call("DELETE", tunnel.path)
    assert account.call("GET", f"{account.account}/tags/resources?tag=owner") == []


def test_wrangler_makes_lists_and_deletes_tunnels(account: Sandbox, tmp_path: Path) -> None:
    from tests.sandbox.client import run

    made = run(account, tmp_path, "tunnel", "create", "from-wrangler")
    (tunnel,) = account.call("GET", f"{account.account}/cfd_tunnel?name=from-wrangler")
    assert tunnel["id"] in made and tunnel["config_src"] == "cloudflare"
    assert "from-wrangler" in run(account, tmp_path, "tunnel", "list")
    assert tunnel["id"] in run(account, tmp_path, "tunnel", "info", "from-wrangler")
    run(account, tmp_path, "tunnel", "delete", "from-wrangler", "-y")
    assert account.call("GET", f"{account.account}/cfd_tunnel?is_deleted=false") == []
