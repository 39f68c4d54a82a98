"""API tokens: their life, and that their policies are enforced."""

from __future__ import annotations

import hashlib
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conftest import Sandbox
from trailboss.sandbox.callers import allowed
from trailboss.sandbox.products.permission_groups import (
    ACCOUNT,
    OPEN,
    RULES,
    SINGLE,
    USER,
    ZONE,
    group_id,
    group_names,
    groups,
    needed,
)
from trailboss.sandbox.routes import API, discover


def policy(account: Sandbox, *names: str, effect: str = "allow", on: str = "") -> dict[str, Any]:
    resources = {on or f"{ACCOUNT}.{account.connection.account_id}": "*"}
    found = [{"id": group_id(name)} for name in names]
    return {"effect": effect, "permission_groups": found, "resources": resources}


def make(
    account: Sandbox, *policies: dict[str, Any], root: str = "/user/tokens", **more: Any
) -> dict[str, Any]:
    made = account.call("POST", root, {"name": "t", "policies": list(policies), **more})
    assert isinstance(made, dict)
    return made


def status(account: Sandbox, token: str, method: str, path: str, **more: Any) -> int:
    headers = {"authorization": f"Bearer {token}"}
    response = httpx.request(method, account.connection.api_url + path, headers=headers, **more)
    if response.status_code == 403:
        assert response.json()["errors"][0]["code"] == 10000
    return response.status_code


def test_a_tokens_life(account: Sandbox) -> None:
    made = make(account, policy(account, "Workers KV Storage Read"))
    spaces, path = f"{account.account}/storage/kv/namespaces", f"/user/tokens/{made['id']}"
    assert status(account, made["value"], "GET", spaces) == 200
    shown = account.call("GET", path)
    assert "value" not in shown and "digest" not in shown and shown["last_used_on"]
    assert [one["name"] for one in account.call("GET", "/user/tokens")] == ["sandbox", "t"]
    rolled = account.call("PUT", f"{path}/value", {})
    assert status(account, made["value"], "GET", spaces) == 403
    assert status(account, rolled, "GET", spaces) == 200
    changed = {"name": "t2", "status": "disabled", "policies": [policy(account, "D1 Read")]}
    assert account.call("PUT", path, changed)["status"] == "disabled"
    assert status(account, rolled, "GET", spaces) == 403
    account.call("DELETE", path)
    assert account.call("GET", path, expect=404)["code"] == 1003


def test_the_sandboxs_own_token_has_everything(account: Sandbox) -> None:
    (own,) = account.call("GET", f"{account.account}/tokens")
    assert len(own["policies"][0]["permission_groups"]) == len(groups())
    assert account.call("DELETE", f"/user/tokens/{own['id']}", expect=403)["code"] == 1004
    assert account.call("GET", f"{account.account}/tokens/verify") == {"id": own["id"], "status": "active"}


@pytest.mark.parametrize(
    ("names", "method", "path", "body", "wanted"),
    [
        (["Workers KV Storage Read"], "GET", "A/storage/kv/namespaces", None, 200),
        (["Workers KV Storage Read"], "POST", "A/storage/kv/namespaces", {"title": "x"}, 403),
        (["Workers KV Storage Write"], "POST", "A/storage/kv/namespaces", {"title": "x"}, 200),
        (["Workers KV Storage Write"], "GET", "A/storage/kv/namespaces", None, 200),
        (["D1 Write"], "GET", "A/storage/kv/namespaces", None, 403),
        (["Workers Scripts Write"], "GET", "A/workflows", None, 200),
        (["Workers Tail Read"], "POST", "A/workers/scripts/x/tails", {}, 404),
        (["Workers Scripts Write"], "POST", "A/workers/scripts/x/tails", {}, 403),
        (["Tag Read"], "GET", "A/tags/keys", None, 200),
        (["DNS Read"], "GET", "Z/dns_records", None, 200),
        (["Zone Read"], "GET", "Z/dns_records", None, 403),
        (["Zone Read"], "GET", "/zones", None, 200),
        (["DNS Read"], "GET", "/zones", None, 403),
        (["DNS Read"], "GET", "/accounts", None, 200),
        (["DNS Read"], "GET", "/user/tokens/verify", None, 200),
        (["DNS Read"], "GET", "/user", None, 403),
        (["User Details Read"], "GET", "/user", None, 200),
    ],
)
def test_policies_are_enforced(
    account: Sandbox, names: list[str], method: str, path: str, body: Any, wanted: int
) -> None:
    zone = account.call("GET", "/zones")[0]["id"]
    token = make(account, policy(account, *names))["value"]
    real = path.replace("A/", f"{account.account}/").replace("Z/", f"/zones/{zone}/")
    assert status(account, token, method, real, json=body) == wanted


def test_resources_and_denials(account: Sandbox) -> None:
    zone = account.call("GET", "/zones")[0]["id"]
    own, other = f"{ZONE}.{zone}", f"{ZONE}.{'0' * 32}"
    nested = policy(account, "DNS Read")
    nested["resources"] = {f"{ACCOUNT}.{account.connection.account_id}": {f"{ZONE}.*": "*"}}
    cases: list[tuple[list[dict[str, Any]], int]] = [
        ([policy(account, "DNS Read", on=own)], 200),
        ([policy(account, "DNS Read", on=other)], 403),
        ([nested], 200),
        ([policy(account, "DNS Read"), policy(account, "DNS Read", effect="deny", on=own)], 403),
    ]
    for policies, wanted in cases:
        assert (
            status(account, make(account, *policies)["value"], "GET", f"/zones/{zone}/dns_records") == wanted
        )
    token = make(account, nested)["value"]
    assert status(account, token, "GET", f"{account.account}/storage/kv/namespaces") == 403


def test_dates_and_owners(account: Sandbox) -> None:
    grant, verify = policy(account, "D1 Read"), "/user/tokens/verify"
    day = "2027-01-01T02:00:00+02:00"
    made = make(account, grant, expires_on=day)
    assert status(account, made["value"], "GET", f"{account.account}/d1/database") == 200
    account.control("PUT", "clock", {"freeze": 1_798_761_600 + 60})
    assert status(account, made["value"], "GET", f"{account.account}/d1/database") == 403
    headers = {"authorization": f"Bearer {made['value']}"}
    told = httpx.get(account.connection.api_url + verify, headers=headers).json()["result"]
    assert (told["status"], told["expires_on"][:19]) == ("expired", "2027-01-01T00:00:00")
    account.control("PUT", "clock", {"reset": True})
    early = make(account, grant, not_before="2999-01-01T00:00:00Z")["value"]
    assert status(account, early, "GET", f"{account.account}/d1/database") == 403
    owned = make(account, grant, policy(account, "User Details Read"), root=f"{account.account}/tokens")[
        "value"
    ]
    assert status(account, owned, "GET", f"{account.account}/tokens/verify") == 200
    assert status(account, owned, "GET", verify) == 401
    assert status(account, owned, "GET", "/user") == 403
    assert status(account, owned, "GET", f"{account.account}/d1/database") == 200


@pytest.mark.parametrize(
    "change",
    [
        {"policies": []},
        {"policies": [{"effect": "allow", "permission_groups": [{"id": "0" * 32}], "resources": {"a": "*"}}]},
        {"policies": [{"effect": "allow", "permission_groups": [], "resources": {"a": "*"}}]},
        {"name": ""},
        {"expires_on": "soon"},
    ],
)
def test_tokens_that_are_refused(account: Sandbox, change: dict[str, Any]) -> None:
    body = {"name": "t", "policies": [policy(account, "D1 Read")], **change}
    assert account.call("POST", "/user/tokens", body, expect=400)["code"] == 1001


def test_a_token_is_an_s3_key(account: Sandbox) -> None:
    for name in ("files", "other"):
        account.call("POST", f"{account.account}/r2/buckets", {"name": name})
    bucket = f"com.cloudflare.edge.r2.bucket.{account.connection.account_id}_default_files"
    reading = make(account, policy(account, "Workers R2 Storage Bucket Item Read", on=bucket))
    writing = make(account, policy(account, "Workers R2 Storage Write"))

    def client(token: dict[str, Any]) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=account.connection.s3["endpoint"],
            region_name="auto",
            aws_access_key_id=token["id"],
            aws_secret_access_key=hashlib.sha256(token["value"].encode()).hexdigest(),
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    client(writing).put_object(Bucket="files", Key="a", Body=b"x")
    assert client(reading).get_object(Bucket="files", Key="a")["Body"].read() == b"x"
    for refused in (
        lambda: client(reading).put_object(Bucket="files", Key="b", Body=b"x"),
        lambda: client(reading).list_objects_v2(Bucket="other"),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            refused()


def test_the_groups_are_of_one_piece() -> None:
    names = set(group_names().values())
    assert len(names) == len(groups()) and len(group_names()) == len(groups())
    areas = {area for rows in RULES.values() for _, some in rows for area in some}
    assert {area for area in areas if area not in SINGLE and f"{area} Write" not in names} == set()
    wanted = "Workers Scripts Write, Workers KV Storage Write, Workers Routes Write, D1 Write, Queues Write"
    assert set(wanted.split(", ")) <= names
    assert allowed([], frozenset({"x"}), lambda name: True) is False


def test_every_route_asks_for_a_group() -> None:
    """But those any token may call; and what the account's row of last resort answers is known."""
    resort = set()
    for router in discover():
        for route in router.routes:
            scope, _, rest = route.path.removeprefix(API + "/").partition("/")
            below = rest.partition("/")[2]
            if route.open or not below:
                continue
            if scope in ("accounts", "zones"):
                found = needed(ACCOUNT if scope == "accounts" else ZONE, below, "GET")
                assert found or below in OPEN, route.path
                if found == needed(ACCOUNT, "", "GET"):
                    resort.add(below.split("/")[0])
    assert resort <= {"logs"}, "give these a row in permission_groups.py"
    assert needed(USER, "accounts", "GET") == frozenset()
