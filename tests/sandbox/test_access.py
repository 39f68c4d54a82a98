"""Access: what the API takes and refuses, and whom the edge lets pass."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    SSHCertificate,
    load_ssh_public_identity,
)
from websockets.exceptions import InvalidURI

from tests.conftest import Sandbox
from tests.sandbox.origins import http_origin, tcp_origin
from tests.sandbox.test_tunnels import HOST, Tunnel, socket_to, zone
from tests.sandbox.upload import deploy, who

EVERYONE: list[dict[str, Any]] = [{"everyone": {}}]


class Access:
    """The account's Access, with its calls."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.root = f"{box.account}/access"

    def post(self, path: str, body: Any, expect: int = 201) -> Any:
        return self.box.call("POST", f"{self.root}/{path}", body, expect=expect)

    def policy(self, decision: str, include: list[Any] | None = None, **fields: Any) -> str:
        body = {"name": decision, "decision": decision, "include": include or EVERYONE, **fields}
        return str(self.post("policies", body)["id"])

    def app(self, *policies: str, expect: int = 201, **fields: Any) -> Any:
        body = {"type": "self_hosted", "name": "dev", "domain": HOST, "policies": list(policies), **fields}
        return self.post("apps", body, expect)

    def token(self, **fields: Any) -> tuple[Any, dict[str, str]]:
        """A service token, and the headers that show it."""
        made = self.post("service_tokens", {"name": "ci", **fields})
        return made, shown(made)

    def login(self, email: str) -> str:
        return str(self.box.control("POST", "access", {"application": HOST, "email": email})["jwt"])


def shown(token: Any) -> dict[str, str]:
    return {"CF-Access-Client-Id": token["client_id"], "CF-Access-Client-Secret": token["client_secret"]}


@pytest.fixture
def access(account: Sandbox) -> Access:
    return Access(account)


@pytest.fixture
def guarded(access: Access) -> Iterator[Access]:
    """A mirror behind a tunnel at HOST."""
    with http_origin() as port:
        Tunnel(access.box).serve(f"http://127.0.0.1:{port}")
        yield access


def claims_of(jwt: str) -> Any:
    body = jwt.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def verify(jwt: str, keys: Any) -> None:
    """As an origin does it, with the published keys."""
    head, body, signature = jwt.split(".")

    def raw(text: str) -> bytes:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    kid = json.loads(raw(head))["kid"]
    key = next(one for one in keys["keys"] if one["kid"] == kid)
    numbers = rsa.RSAPublicNumbers(*(int.from_bytes(raw(key[part]), "big") for part in ("e", "n")))
    numbers.public_key().verify(raw(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), SHA256())


@pytest.mark.parametrize(
    ("fields", "status", "code", "says"),
    [
        ({"domain": "app.example.org"}, 400, 12130, "domain does not belong to zone"),
        ({"tags": ["nowhere"]}, 400, 12130, "tags contain a tag that does not exist"),
        ({"policies": ["3f1e3f3e-0000-4000-8000-000000000000"]}, 400, 12130, "does not exist"),
        ({"session_duration": "a day"}, 400, 12130, "invalid duration"),
        ({"domain": HOST}, 409, 11010, "application_already_exists"),
    ],
)
def test_what_cannot_be_an_application_is_refused(
    access: Access, fields: dict[str, Any], status: int, code: int, says: str
) -> None:
    access.app()
    error = access.app(**{"domain": "new.example.com", **fields}, expect=status)
    assert error["code"] == code and says in error["message"]
    assert len(access.box.call("GET", f"{access.root}/apps")) == 1


def test_an_application_is_of_the_account_or_of_a_zone(access: Access) -> None:
    made = access.app()
    assert len(made["aud"]) == 64 and made["self_hosted_domains"] == [HOST] and made["policies"] == []
    zoned = f"/zones/{zone(access.box)}/access/apps"
    assert access.box.call("GET", zoned) == []
    assert access.box.call("GET", f"{zoned}/{made['id']}", expect=404)["code"] == 11021
    own = {"type": "self_hosted", "domain": "zone.example.com"}
    assert access.box.call("POST", zoned, own, expect=201)["name"] == "zone.example.com"
    assert [one["domain"] for one in access.box.call("GET", f"{access.root}/apps")] == [HOST]
    assert access.box.call("GET", f"{access.root}/apps?page=2") == []


def test_policies_are_linked_made_and_dropped_with_their_application(access: Access) -> None:
    shared = access.policy("bypass")
    inline = {"name": "own", "decision": "deny", "include": EVERYONE}
    app = access.app(shared, inline)  # type: ignore[arg-type]
    assert [(one["name"], one["precedence"]) for one in app["policies"]] == [("bypass", 1), ("own", 2)]
    path = f"{access.root}/apps/{app['id']}"
    own = f"{path}/policies"
    taken = access.box.call("POST", own, {**inline, "precedence": 2}, expect=400)
    assert "precedences must be unique" in taken["message"]
    third = access.box.call("POST", own, {**inline, "name": "third"}, expect=201)
    assert third["precedence"] == 3 and third["reusable"] is False
    moved = access.box.call("PUT", f"{own}/{third['id']}", {**inline, "name": "third", "precedence": 9})
    assert moved["precedence"] == 9
    assert access.box.call("GET", f"{access.root}/policies/{shared}")["app_count"] == 1
    assert access.box.call("DELETE", f"{access.root}/policies/{shared}", expect=400)["code"] == 12130
    kept = access.box.call("PUT", path, {"type": "self_hosted", "domain": HOST, "name": "new"})
    assert kept["name"] == "new" and len(kept["policies"]) == 3
    again = access.box.call("PUT", path, {"type": "self_hosted", "domain": HOST, "policies": [shared]})
    assert [one["id"] for one in again["policies"]] == [shared]
    assert access.box.call("GET", f"{own}/{third['id']}", expect=404)["code"] == 12135
    access.box.call("DELETE", path, expect=202)
    access.box.call("DELETE", f"{access.root}/policies/{shared}", expect=202)


def test_what_is_named_by_a_rule_must_exist_and_stays(access: Access) -> None:
    nothing = {"group": {"id": "3f1e3f3e-0000-4000-8000-000000000000"}}
    body = {"name": "a", "decision": "allow", "include": [nothing]}
    assert "unknown id" in access.post("policies", body, 400)["message"]
    nowhere = {**body, "include": [{"ip": {"ip": "300.0.0.1"}}]}
    assert "no IP address" in access.post("policies", nowhere, 400)["message"]
    token, _ = access.token()
    group = access.post("groups", {"name": "bots", "include": [{"service_token": {"token_id": token["id"]}}]})
    policy = access.policy("non_identity", [{"group": {"id": group["id"]}}])
    refused = access.box.call("DELETE", f"{access.root}/service_tokens/{token['id']}", expect=400)
    assert refused["code"] == 12139
    access.box.call("DELETE", f"{access.root}/groups/{group['id']}", expect=400)
    access.box.call("DELETE", f"{access.root}/policies/{policy}", expect=202)
    access.box.call("DELETE", f"{access.root}/groups/{group['id']}", expect=202)
    access.box.call("DELETE", f"{access.root}/service_tokens/{token['id']}")


def test_a_secret_is_shown_once(access: Access) -> None:
    token, _ = access.token(duration="24h")
    path = f"{access.root}/service_tokens/{token['id']}"
    assert token["client_id"].endswith(".access") and len(token["client_secret"]) == 64
    kept = access.box.call("GET", path)
    assert "client_secret" not in kept and not any("sha256" in name for name in kept)
    turned = access.box.call("PUT", path, {"name": "cd", "client_secret_version": 2})
    assert turned["client_secret"] != token["client_secret"] and turned["name"] == "cd"
    access.box.control("PUT", "clock", {"advance": 3600})
    assert access.box.call("POST", f"{path}/refresh")["expires_at"] > kept["expires_at"]


def test_nobody_passes_without_a_policy_that_lets_them(guarded: Access) -> None:
    box = guarded.box
    assert box.edge(HOST).status_code == 200
    app = guarded.app(guarded.policy("allow"))
    asked = box.edge(HOST, "/a?b=c")
    assert asked.status_code == 302 and asked.headers["cf-access-aud"] == app["aud"]
    where = httpx.URL(asked.headers["location"])
    assert where.host == "test.cloudflareaccess.com" and where.path == f"/cdn-cgi/access/login/{HOST}"
    assert dict(where.params) == {"kid": app["aud"], "redirect_url": "/a?b=c"}
    assert box.edge(where.host, where.path).status_code == 501
    _, headers = guarded.token()
    assert box.edge(HOST, headers=headers).status_code == 302, "allow is for people"
    wrong = {**headers, "CF-Access-Client-Secret": "0" * 64}
    assert box.edge(HOST, headers=wrong).status_code == 403
    box.call("DELETE", f"{guarded.root}/apps/{app['id']}", expect=202)
    assert box.edge(HOST).status_code == 200


def test_a_service_token_passes_where_a_policy_names_it(guarded: Access) -> None:
    box = guarded.box
    token, headers = guarded.token()
    _, other = guarded.token()
    include = [{"service_token": {"token_id": token["id"]}}]
    app = guarded.app(guarded.policy("non_identity", include), service_auth_401_redirect=True)
    reply = box.edge(HOST, headers={**headers, "cf-access-jwt-assertion": "forged"})
    seen = reply.json()["headers"]
    assert "cf-access-client-id" not in seen and "cf-access-client-secret" not in seen
    claims = claims_of(seen["cf-access-jwt-assertion"])
    assert claims["common_name"] == token["client_id"] and claims["aud"] == [app["aud"]]
    verify(seen["cf-access-jwt-assertion"], box.edge(HOST, "/cdn-cgi/access/certs").json())
    cookie = reply.headers["set-cookie"].partition(";")[0]
    assert box.edge(HOST, headers={"cookie": cookie}).status_code == 200
    assert box.edge(HOST).status_code == 401
    assert box.edge(HOST, headers=other).status_code == 401
    box.call("POST", f"{guarded.root}/apps/{app['id']}/revoke_tokens", expect=202)
    assert box.edge(HOST, headers={"cookie": cookie}).status_code == 401


def test_tokens_end_with_time_rotation_and_deletion(guarded: Access) -> None:
    box = guarded.box
    box.control("PUT", "clock", {"freeze": True})
    token, old = guarded.token(duration="1h")
    app = guarded.app(guarded.policy("non_identity", [{"any_valid_service_token": {}}]))
    path = f"{guarded.root}/service_tokens/{token['id']}"
    until = {"previous_client_secret_expires_at": "2099-01-01T00:00:00Z"}
    new = shown(box.call("POST", f"{path}/rotate", until))
    assert [box.edge(HOST, headers=one).status_code for one in (old, new)] == [200, 200]
    newest = shown(box.call("POST", f"{path}/rotate", {}))
    assert [box.edge(HOST, headers=one).status_code for one in (old, new, newest)] == [403, 403, 200]
    box.control("PUT", "clock", {"advance": 3601})
    _settled(box, newest, 403)
    box.call("POST", f"{path}/refresh")
    assert box.edge(HOST, headers=newest).status_code == 200
    box.call("PUT", path, {"enabled": False})
    assert box.edge(HOST, headers=newest).status_code == 403
    assert box.call("GET", f"{guarded.root}/apps/{app['id']}")["domain"] == HOST


def _settled(box: Sandbox, headers: dict[str, str], status: int) -> None:
    """The edge hears of an expiry a moment after the clock has struck."""
    for _ in range(200):
        if box.edge(HOST, headers=headers).status_code == status:
            return
    raise AssertionError(f"never {status}")


def test_the_closest_application_decides(guarded: Access) -> None:
    box = guarded.box
    guarded.app(guarded.policy("deny"), domain="*.example.com")
    guarded.app(guarded.policy("bypass"), domain=f"{HOST}/open")
    guarded.app(
        guarded.policy("bypass", exclude=[{"ip": {"ip": "127.0.0.0/8"}}]), domain=f"{HOST}/open/*/shut"
    )
    assert box.edge(HOST).status_code == 302
    assert box.edge(HOST, "/open").status_code == box.edge(HOST, "/open/a").status_code == 200
    assert box.edge(HOST, "/opened").status_code == 302
    assert box.edge(HOST, "/open/b/shut").status_code == 302
    assert box.edge(f"{HOST}.localhost").status_code == 302


def test_rules_are_any_of_all_of_and_none_of(guarded: Access) -> None:
    box = guarded.box
    group = guarded.post("groups", {"name": "here", "include": [{"ip": {"ip": "127.0.0.1"}}]})["id"]
    here = [{"group": {"id": group}}]
    country: dict[str, Any] = {"geo": {"country_code": "US"}}
    guarded.app(guarded.policy("bypass", here, require=[country], exclude=[{"geo": {"country_code": "DE"}}]))
    assert box.edge(HOST).status_code == 200
    assert box.edge(HOST, headers={"x-trailboss-cf": '{"country":"DE"}'}).status_code == 302
    nowhere = {"name": "here", "include": [{"ip": {"ip": "10.0.0.0/8"}}]}
    box.call("PUT", f"{guarded.root}/groups/{group}", nowhere)
    assert box.edge(HOST).status_code == 302


def test_a_token_in_one_header_and_a_preflight_pass_where_asked(guarded: Access) -> None:
    box = guarded.box
    _, headers = guarded.token()
    service = guarded.policy("non_identity", [{"any_valid_service_token": {}}])
    guarded.app(service, read_service_tokens_from_header="Authorization", options_preflight_bypass=True)
    both = json.dumps({name.lower(): value for name, value in headers.items()})
    seen = box.edge(HOST, headers={"Authorization": both})
    assert seen.status_code == 200 and "authorization" not in seen.json()["headers"]
    preflight = {"origin": "https://a.example", "access-control-request-method": "PUT"}
    assert box.edge(HOST, method="OPTIONS", headers=preflight).status_code == 200
    assert box.edge(HOST, method="OPTIONS").status_code == 302


def test_access_stands_before_workers_too(access: Access) -> None:
    box = access.box
    deploy(box, "app", who("me"))
    name = f"app.{box.connection.subdomain}.workers.dev"
    access.app(access.policy("allow"), domain=name)
    assert box.worker("app").status_code == 302
    assert box.edge(name).status_code == 302


def test_destinations_may_be_workers_and_their_previews(access: Access) -> None:
    box = access.box
    for name in ("app", "other"):
        deploy(box, name, who("me"))
    versions = box.call("GET", f"{box.account}/workers/scripts/app/versions")["items"]
    preview = f"{versions[0]['id'][:8]}-app"
    worker = box.call("GET", f"{box.account}/workers/workers/app")["id"]

    def answers() -> list[int]:
        return [box.worker(name).status_code for name in ("app", preview, "other")]

    def guard(kind: str, **fields: str) -> Any:
        destinations = [{"type": kind, **fields}]
        body = {"type": "self_hosted", "domain": "", "name": kind, "destinations": destinations}
        return access.post("apps", {**body, "policies": [access.policy("deny")]})

    first = guard("preview_worker", worker_id=worker)
    assert answers() == [200, 302, 200]
    box.call("DELETE", f"{access.root}/apps/{first['id']}", expect=202)
    guard("all_preview_workers")
    assert answers() == [200, 302, 200]
    guard("worker", worker_id=worker)
    assert answers() == [302, 302, 200]
    guard("all_workers")
    assert answers() == [302, 302, 302]
    missing = [{"type": "worker", "worker_id": "0" * 32}]
    assert access.app(domain="", destinations=missing, expect=400)["code"] == 12130


def test_a_worker_reaches_guarded_names_and_the_teams_keys(guarded: Access) -> None:
    box = guarded.box
    code = """export default { async fetch(request) {
      const { to, ...headers } = await request.json();
      const answer = await fetch(to, { headers, redirect: "manual" });
      return new Response(await answer.text(), { status: answer.status });
    } };"""
    deploy(box, "caller", code=code)
    _, headers = guarded.token()
    guarded.app(guarded.policy("non_identity", [{"any_valid_service_token": {}}]))
    assert box.worker("caller", method="POST", json={"to": f"https://{HOST}/x"}).status_code == 302
    passed = box.worker("caller", method="POST", json={"to": f"https://{HOST}/x", **headers}).json()
    certs = {"to": "https://test.cloudflareaccess.com/cdn-cgi/access/certs"}
    verify(
        passed["headers"]["cf-access-jwt-assertion"], box.worker("caller", method="POST", json=certs).json()
    )
    assert passed["headers"]["x-forwarded-proto"] == "https"


def test_streams_are_guarded(access: Access) -> None:
    with tcp_origin() as port:
        Tunnel(access.box).serve(f"ssh://127.0.0.1:{port}")
        access.app(access.policy("non_identity", [{"any_valid_service_token": {}}]))
        with pytest.raises(InvalidURI, match="cdn-cgi/access/login"):  # it follows the redirect
            socket_to(access.box)
        _, headers = access.token()
        with socket_to(access.box, **headers) as client:
            assert client.recv(timeout=10) == b"hello\n"


def test_a_token_of_the_control_plane_is_what_a_login_gives(guarded: Access) -> None:
    box = guarded.box
    app = guarded.app(guarded.policy("allow", [{"email_domain": {"domain": "example.com"}}]))
    jwt = guarded.login("ann@example.com")
    seen = box.edge(HOST, headers={"cf-access-token": jwt}).json()["headers"]
    assert seen["cf-access-authenticated-user-email"] == "ann@example.com"
    assert seen["cf-access-jwt-assertion"] == jwt and "cf-access-token" not in seen
    cookie = {"cookie": f"a=b; CF_Authorization={jwt}"}
    assert box.edge(HOST, "/cdn-cgi/access/get-identity", headers=cookie).json()["email"] == "ann@example.com"
    stranger = {"cf-access-token": guarded.login("ann@elsewhere.test")}
    assert box.edge(HOST, headers=stranger).status_code == 403
    box.call("POST", f"{guarded.root}/keys/rotate")
    assert box.edge(HOST, headers=cookie).status_code == 302
    assert app["aud"] == claims_of(jwt)["aud"][0]


def test_an_application_signs_short_lived_ssh_certificates(guarded: Access) -> None:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    box = guarded.box
    app = guarded.app(guarded.policy("allow"))
    jwt = guarded.login("ann@example.com")
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    public = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    def sign(token: str) -> httpx.Response:
        body = {"public_key": public, "jwt": token, "issuer": "https://test.cloudflareaccess.com"}
        return box.edge(HOST, "/cdn-cgi/access/cert_sign", method="POST", json=body)

    assert sign(jwt).status_code == 400
    authority = box.call("POST", f"{guarded.root}/apps/{app['id']}/ca")
    assert (
        authority["public_key"].endswith(" open-ssh-ca@cloudflareaccess.org")
        and "private_key" not in authority
    )
    certificate = load_ssh_public_identity(sign(jwt).json()["certificate"].encode())
    assert isinstance(certificate, SSHCertificate)
    certificate.verify_cert_signature()
    assert certificate.valid_principals == [b"ann"] and certificate.key_id == b"ann@example.com"
    signer = certificate.signature_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    assert authority["public_key"].startswith(signer)
    assert sign("a.b.c").status_code == 401


def test_tags_hang_on_applications_and_groups(access: Access) -> None:
    group = access.post("groups", {"name": "all", "include": EVERYONE})
    inline = {"name": "own", "decision": "deny", "include": EVERYONE}
    app = access.app(inline)  # type: ignore[arg-type]
    policy = app["policies"][0]["id"]
    for kind, identifier in (("access_application", app["id"]), ("access_group", group["id"])):
        where = {"resource_type": kind, "resource_id": identifier, "tags": {"of": kind}}
        assert access.box.call("PUT", f"{access.box.account}/tags", where)["tags"] == {"of": kind}
    where = {
        "resource_type": "access_application_policy",
        "resource_id": policy,
        "access_application_id": app["id"],
        "tags": {"of": "policy"},
    }
    access.box.call("PUT", f"/zones/{zone(access.box)}/tags", where)
    tagged = access.box.call("GET", f"{access.box.account}/tags/resources?tag=of")
    assert {one["name"] for one in tagged} == {"all", "dev", "own"}
