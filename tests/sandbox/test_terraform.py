"""What Cloudflare's Terraform provider asks for and needs back, beyond what the SDK and wrangler do."""

from __future__ import annotations

import json

import httpx

from tests.conftest import Sandbox
from tests.sandbox.upload import deploy, send
from trailboss.sandbox.products import permission_groups
from trailboss.sandbox.products.permission_group_ids import KNOWN

AGENT = {
    "user-agent": "terraform-provider-cloudflare/5.22.0 terraform-plugin-framework/1.19.0 terraform/1.14.0"
}


def _get(account: Sandbox, path: str) -> httpx.Response:
    return account.http.get(
        f"{account.connection.api_url}{account.account}/workers/scripts/{path}", headers=AGENT
    )


def test_settings_without_placement_have_an_empty_one(account: Sandbox) -> None:
    deploy(account, "hello")
    answer = _get(account, "hello/settings")
    assert answer.json()["result"]["placement"] == {}, answer.text
    assert "placement" not in account.call("GET", f"{account.account}/workers/scripts/hello/settings")


def test_assets_alone_have_no_content_and_are_named_by_their_part(account: Sandbox) -> None:
    scripts = f"{account.account}/workers/scripts"
    manifest = {"manifest": {"/index.html": {"hash": "a" * 32, "size": 3}}}
    begun = account.call("POST", f"{scripts}/site/assets-upload-session", manifest)
    done = httpx.post(
        f"{account.connection.api_url}{account.account}/workers/assets/upload?base64=true",
        files=[("a" * 32, ("/home/me/site/index.html", "Zm9v", "text/html"))],
        headers={"authorization": f"Bearer {begun['jwt']}"},
    )
    assert done.status_code == 201
    metadata = {"assets": {"jwt": done.json()["result"]["jwt"]}}
    send(account, "PUT", "site", [("metadata", (None, json.dumps(metadata)))]).raise_for_status()
    content = _get(account, "site/content/v2")
    assert (content.status_code, content.content) == (204, b"")


def test_a_bucket_domain_shows_only_what_it_was_given(account: Sandbox) -> None:
    account.control("POST", "seed", {"zones": ["example.com"]})
    zone = account.call("GET", "/zones?name=example.com")[0]["id"]
    account.call("POST", f"{account.account}/r2/buckets", {"name": "files"})
    made = {"domain": "files.example.com", "zoneId": zone, "enabled": True}
    account.call("POST", f"{account.account}/r2/buckets/files/domains/custom", made)
    shown = account.call("GET", f"{account.account}/r2/buckets/files/domains/custom/files.example.com")
    assert not {"minTLS", "ciphers"} & set(shown)


def test_an_empty_token_beside_a_key_is_none(account: Sandbox) -> None:
    key = {
        "authorization": "Bearer",
        "x-auth-key": account.connection.token,
        "x-auth-email": "a@example.com",
    }
    assert httpx.get(f"{account.connection.api_url}/user", headers=key).status_code == 200
    alone = httpx.get(f"{account.connection.api_url}/user", headers={"authorization": "Bearer"})
    assert alone.json()["errors"][0]["code"] == 6003


def test_permission_groups_have_the_ids_that_configurations_name() -> None:
    ids = {name: one for one, name in permission_groups.group_names().items()}
    assert {name: ids[name] for name in KNOWN} == KNOWN
