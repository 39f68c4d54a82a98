"""What a token needs: exactly that is enough for an apply, and one group less is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Trailboss
from tests.cli.test_json_output import check
from tests.conftest import Sandbox

SETTINGS = """name = "shop"
[zones]
main = "shop.example"
[environments.staging]
[resources.queue.jobs]
[resources.dns_record."www.shop.example"]
type = "CNAME"
content = "shop.example"
[resources.zone_setting.security_level]
value = "high"
"""
NEEDED = [
    "Queues Write",
    "Tag Write",
    "Workers KV Storage Write",
    "Workers Scripts Write",
    "DNS Write",
    "Zone Read",
    "Zone Settings Write",
]
STAGING = ("--env", "staging")
WithToken = Callable[..., None]


@pytest.fixture
def shop(tmp_path: Path, target: Sandbox) -> Path:
    """A project with things of the account and of a zone."""
    (tmp_path / "wrangler.jsonc").write_text(
        '{"name": "shop", "main": "x.js", "compatibility_date": "2026-11-01",'
        ' "kv_namespaces": [{"binding": "CACHE"}]}'
    )
    (tmp_path / "x.js").write_text("export default {}")
    (tmp_path / "trailboss.toml").write_text(SETTINGS)
    account = target.connection.account_id
    target.call("POST", "/zones", {"name": "shop.example", "account": {"id": account}, "type": "full"})
    return tmp_path


@pytest.fixture
def with_token(target: Sandbox, monkeypatch: pytest.MonkeyPatch) -> WithToken:
    """Every command acts with a new token that has the named groups on the account and its zones."""
    groups = {one["name"]: one["id"] for one in target.call("GET", "/user/tokens/permission_groups")}

    def act(*names: str, owner: str = "/user") -> None:
        resources = {f"com.cloudflare.api.account.{target.connection.account_id}": "*"}
        user = {f"com.cloudflare.api.user.{target.call('GET', '/user')['id']}": "*"}
        policies = [
            {"effect": "allow", "permission_groups": [{"id": groups[name]}], "resources": where}
            for name in names
            for where in (user if name == "API Tokens Read" else resources,)
        ]
        made = target.call("POST", f"{owner}/tokens", {"name": "t", "policies": policies})
        monkeypatch.delenv("TRAILBOSS_TARGET", raising=False)
        monkeypatch.setenv("CLOUDFLARE_API_BASE_URL", target.connection.api_url)
        monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", target.connection.account_id)
        monkeypatch.setenv("CLOUDFLARE_API_TOKEN", made["value"])

    return act


def rights(trailboss: Trailboss) -> dict[str, str]:
    """What doctor says of the token's permissions."""
    checks = trailboss("doctor", *STAGING, "--json").json["checks"]
    found = next((one for one in checks if one["name"] == "Rights"), {"checks": str(checks)})
    return dict(found)


def test_what_is_needed_is_enough(trailboss: Trailboss, shop: Path, with_token: WithToken) -> None:
    document = trailboss("token", "permissions", *STAGING, "--json").json
    check("trailboss token permissions", document, set())
    assert [one["name"] for one in document["permissions"]] == NEEDED
    assert document["permissions"][-3]["zones"] == ["shop.example"]
    with_token(*NEEDED, "API Tokens Read")
    assert rights(trailboss)["state"] == "ok", rights(trailboss)
    applied = trailboss("apply", *STAGING, "--json")
    assert applied.status == 0, applied
    assert trailboss("plan", *STAGING, "--exit-code").status == 0


def test_reading_needs_less(trailboss: Trailboss, shop: Path, with_token: WithToken) -> None:
    read = [one["name"] for one in trailboss("token", "permissions", "--read", "--json").json["permissions"]]
    assert read == [name.replace("Write", "Read") for name in NEEDED]
    with_token(*read)
    assert trailboss("plan", *STAGING, "--exit-code").status == 3
    refused = trailboss("apply", *STAGING, "--json")
    assert refused.status == 1
    told = rights(trailboss)
    assert (told["state"], "cannot see what it may write" in told["message"]) == ("ok", True)


@pytest.mark.parametrize("owner", ["/user", "account"])
def test_what_is_missing_is_named(
    trailboss: Trailboss, target: Sandbox, shop: Path, with_token: WithToken, owner: str
) -> None:
    own = ("API Tokens Read", "/user") if owner == "/user" else ("Account API Tokens Read", target.account)
    with_token(*[name for name in NEEDED if name not in ("Queues Write", "DNS Write")], own[0], owner=own[1])
    told = rights(trailboss)
    assert (told["state"], told["message"]) == ("fail", "the token lacks Queues Write, DNS Write")
    planned = trailboss("plan", *STAGING, "--json")
    assert planned.status == 1
    assert "the permission group '" in planned.error["hint"]


def test_a_write_that_is_refused_names_its_group(
    trailboss: Trailboss, shop: Path, with_token: WithToken
) -> None:
    with_token(*[name.replace("Queues Write", "Queues Read") for name in NEEDED])
    refused = trailboss("apply", *STAGING, "--resource", "queue.jobs", "--json")
    assert (refused.status, "'Queues Write'" in refused.error["hint"]) == (1, True), refused


def test_a_token_that_cannot_see_itself(trailboss: Trailboss, shop: Path, with_token: WithToken) -> None:
    with_token(*[name for name in NEEDED if name != "Queues Write"])
    assert rights(trailboss)["message"] == "the token lacks Queues Read"
    assert "Queues Write" in trailboss("token", "permissions").out
