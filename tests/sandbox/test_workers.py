"""The rules of the Workers API: what is refused with which code, and what the edge does after."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.conftest import Sandbox
from tests.sandbox.upload import ECHO, deploy, form, send, split, version, who

OBJECT = """
import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {}
export default { fetch() { return new Response("ok"); } };
"""


def refusal(answer: httpx.Response) -> tuple[int, int]:
    return answer.status_code, answer.json()["errors"][0]["code"]


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({"bindings": [{"name": "X", "type": "nonsense"}]}, 10021),
        ({"bindings": [{"name": "X"}]}, 10021),
        ({"bindings": [{"name": "X", "type": "inherit"}]}, 10057),
        ({"bindings": [{"name": "X", "type": "plain_text", "text": "1"}] * 2}, 10053),
        ({"bindings": [{"name": "X", "type": "kv_namespace", "namespace_id": "0" * 32}]}, 10041),
        ({"bindings": [{"name": "X", "type": "d1", "id": "nowhere"}]}, 10181),
        ({"bindings": [{"name": "X", "type": "r2_bucket", "bucket_name": "nowhere"}]}, 10085),
        ({"bindings": [{"name": "X", "type": "queue", "queue_name": "nowhere"}]}, 100122),
        ({"bindings": [{"name": "X", "type": "service", "service": "nowhere"}]}, 10143),
        ({"bindings": [{"name": "X", "type": "durable_object_namespace", "class_name": "Y"}]}, 10061),
        ({"migrations": {"new_tag": "v1", "steps": [{"new_classes": ["Y"]}]}}, 10070),
        ({"migrations": {"old_tag": "v0", "new_tag": "v1", "steps": []}}, 10079),
        ({"main_module": "other.js"}, 10021),
        ({"main_module": None}, 10021),
    ],
)
def test_uploads_are_refused(account: Sandbox, metadata: dict[str, Any], code: int) -> None:
    answer = send(account, "PUT", "bad", form(ECHO, metadata))
    assert answer.json()["errors"][0]["code"] == code
    assert account.call("GET", f"{account.account}/workers/scripts") == []


def test_code_is_refused_with_its_place(account: Sandbox) -> None:
    answer = send(account, "PUT", "bad", form("export default {\n  fetch( {}\n}"))
    assert refusal(answer) == (400, 10021)
    assert "index.js:" in answer.json()["messages"][0]["message"]
    assert refusal(send(account, "PUT", "bad", form("export const x = 1;"))) == (400, 10068)


def test_malformed_bodies_are_refused(account: Sandbox) -> None:
    path = f"{account.connection.api_url}{account.account}/workers/scripts/bad"
    for headers, body in (
        ({}, b"x"),
        ({"content-type": "multipart/form-data; boundary=x"}, b"--x\r\nnonsense"),
        ({"content-type": "multipart/form-data; boundary=x"}, b"--x\r\n\r\nno name\r\n--x--\r\n"),
    ):
        assert account.http.put(path, headers=headers, content=body).status_code == 400
    deploy(account, "good")
    deployments = f"{account.account}/workers/scripts/good/deployments"
    for text in ("{", "[]", '{"versions": 1}', '{"versions": [1]}', '{"versions": [{"version_id": "x"}]}'):
        answer = account.http.post(account.connection.api_url + deployments, content=text)
        assert answer.status_code == 400, answer.text


def test_an_oversize_script_is_refused(account: Sandbox) -> None:
    padding = "/*" + "x" * (64 * 2**20) + "*/"
    assert refusal(send(account, "PUT", "big", form(ECHO + padding))) == (413, 10027)


def test_unknown_workers_and_versions(account: Sandbox) -> None:
    scripts = f"{account.account}/workers/scripts"
    assert account.call("GET", f"{scripts}/none/deployments", expect=404)["code"] == 10007
    assert account.call("GET", f"{account.account}/workers/services/none", expect=404)["code"] == 10090
    deploy(account, "there")
    assert account.call("GET", f"{scripts}/there/versions/none", expect=404)["code"] == 10012
    assert account.call("GET", f"{scripts}/there/deployments/none", expect=404)["code"] == 10011


def test_deployments_are_refused(account: Sandbox) -> None:
    first = deploy(account, "app", who("one"))["version_id"]
    second = version(account, "app", who("two"))["id"]
    third = version(account, "app", who("three"))["id"]
    for shares in (
        [(first, 50), (second, 49)],
        [(first, 101), (second, -1)],
        [(first, 50), (first, 50)],
        [(first, 40), (second, 30), (third, 30)],
        [],
    ):
        assert split(account, "app", *shares, expect=400)["code"] == 10210
    assert split(account, "app", ("none", 100), expect=404)["code"] == 10012
    split(account, "app", (first, 0), (second, 100))
    assert account.worker("app").text == "hello from two"


def test_a_split_sends_each_its_share(account: Sandbox) -> None:
    first = deploy(account, "app", who("one"))["version_id"]
    second = version(account, "app", who("two"))["id"]
    split(account, "app", (first, 90), (second, 10))
    with httpx.Client() as client:
        host = {"host": f"app.{account.connection.subdomain}.workers.localhost"}
        seen = Counter(client.get(account.connection.edge_url, headers=host).text for _ in range(300))
    assert 5 <= seen["hello from two"] <= 70


def test_secrets_are_kept_versioned_and_never_shown(account: Sandbox) -> None:
    first = deploy(account, "app", who("one"))["version_id"]
    scripts = f"{account.account}/workers/scripts/app"
    secret = {"name": "KEY", "text": "hidden", "type": "secret_text"}
    account.call("PUT", f"{scripts}/secrets", secret)
    deploy(account, "app", {**who("two"), "keep_bindings": ["secret_text"]})
    answer = account.http.get(f"{account.connection.api_url}{scripts}/settings").text
    assert '"KEY"' in answer and "hidden" not in answer
    assert split(account, "app", (first, 100), expect=400)["code"] == 10220
    split(account, "app", (first, 100), force=True)
    assert account.call("PUT", f"{scripts}/secrets", secret, expect=400)["code"] == 10215
    taken = {"name": "WHO", "text": "x", "type": "secret_text"}
    latest = account.call("GET", f"{scripts}/versions")["items"][0]["id"]
    split(account, "app", (latest, 100))
    assert account.call("PUT", f"{scripts}/secrets", taken, expect=400)["code"] == 10053
    assert account.call("DELETE", f"{scripts}/secrets/NONE", expect=404)["code"] == 10056


def test_bindings_are_inherited(account: Sandbox) -> None:
    deploy(account, "app", who("first"))
    deploy(account, "app", {"bindings": [{"name": "WHO", "type": "inherit"}]})
    assert account.worker("app").text == "hello from first"


def test_previews_follow_workers_dev_by_api_date(account: Sandbox) -> None:
    send(account, "PUT", "app", form(ECHO, who("one")))
    path = f"{account.account}/workers/scripts/app/subdomain"
    old = account.call("POST", path, {"enabled": True})
    assert old == {"enabled": True, "previews_enabled": False}
    dated = {"Cloudflare-Workers-Script-Api-Date": "2025-08-01"}
    assert account.call("POST", path, {"enabled": True}, headers=dated)["previews_enabled"] is True
    assert account.call("POST", path, {"enabled": False}, headers=dated)["previews_enabled"] is False
    assert account.worker("app").status_code == 404


def test_migrations_make_rename_and_delete_namespaces(account: Sandbox) -> None:
    def put(code: str, migrations: dict[str, Any]) -> httpx.Response:
        return send(account, "PUT", "objects", form(code, {"migrations": migrations}))

    assert put(OBJECT, {"new_tag": "v1", "steps": [{"new_sqlite_classes": ["Counter"]}]}).status_code == 200
    spaces = f"{account.account}/workers/durable_objects/namespaces"
    first = account.call("GET", spaces)[0]
    assert refusal(send(account, "PUT", "objects", form(ECHO)))[1] == 10064
    again = {"old_tag": "v1", "new_tag": "v2", "steps": [{"new_classes": ["Counter"]}]}
    assert refusal(put(OBJECT, again))[1] == 10074
    uploaded = send(account, "POST", "objects/versions", form(OBJECT, {"migrations": again}))
    assert refusal(uploaded)[1] == 10211
    renamed = OBJECT.replace("Counter", "Meter")
    step = {"renamed_classes": [{"from": "Counter", "to": "Meter"}]}
    assert put(renamed, {"old_tag": "v1", "new_tag": "v2", "steps": [step]}).status_code == 200
    second = account.call("GET", spaces)[0]
    assert (second["id"], second["class"]) == (first["id"], "Meter")
    old = account.call("GET", f"{account.account}/workers/scripts/objects/versions")["items"][-1]["id"]
    assert split(account, "objects", (old, 100), expect=400)["code"] == 10123
    gone = {"old_tag": "v2", "new_tag": "v3", "deleted_classes": ["Meter"]}
    assert put(ECHO, gone).status_code == 200
    assert account.call("GET", spaces) == []


def test_declared_exports_are_reconciled(account: Sandbox) -> None:
    exports = {"Counter": {"type": "durable-object", "storage": "sqlite"}}
    made = send(account, "PUT", "declared", form(OBJECT, {"exports": exports})).json()["result"]
    assert made["exports_reconciliation"]["created"] == ["Counter"]
    wrong = send(account, "PUT", "declared", form(ECHO, {"exports": exports})).json()["errors"][0]
    assert (wrong["code"], wrong["meta"]["details"][0]["class"]) == (100402, "Counter")


def test_routes_and_domains_reach_the_worker(account: Sandbox) -> None:
    zone = account.call(
        "POST", "/zones", {"name": "shop.example", "account": {"id": account.connection.account_id}}
    )
    deploy(account, "app", who("app"))
    deploy(account, "blog", who("blog"))
    routes = f"/zones/{zone['id']}/workers/routes"
    account.call("POST", routes, {"pattern": "shop.example/*", "script": "app"})
    assert account.call("POST", routes, {"pattern": "shop.example/*"}, expect=409)["code"] == 10020
    assert account.call("POST", routes, {"pattern": "other.example/*"}, expect=400)["code"] == 10022
    assert account.edge("shop.example", "/x").text == "hello from app"
    blog = f"{account.account}/workers/scripts/blog"
    account.call("PUT", f"{blog}/routes", [{"pattern": "shop.example/blog/*", "zone_name": "shop.example"}])
    assert account.edge("shop.example", "/blog/1").text == "hello from blog"
    account.call("PUT", f"{blog}/routes", [])
    assert [item["script"] for item in account.call("GET", routes)] == ["app"]
    origins = [{"hostname": "news.shop.example"}]
    assert account.call("POST", f"{blog}/domains/changeset?replace_state=true", origins)["added"]
    account.call("PUT", f"{blog}/domains/records", {"override_scope": True, "origins": origins})
    assert account.edge("news.shop.example").text == "hello from blog"
    names = [item["name"] for item in account.call("GET", f"/zones/{zone['id']}/dns_records")]
    assert names == ["news.shop.example"]
    domain = account.call("GET", f"{account.account}/workers/domains?service=blog")[0]
    account.call("DELETE", f"{account.account}/workers/domains/{domain['id']}")
    assert account.call("GET", f"/zones/{zone['id']}/dns_records") == []


def test_deleting_asks_when_others_depend_on_it(account: Sandbox) -> None:
    deploy(account, "base", who("base"))
    deploy(account, "user", {"bindings": [{"name": "BASE", "type": "service", "service": "base"}]})
    services = f"{account.account}/workers/services/base"
    references = account.call("GET", f"{account.account}/workers/scripts/base/references")
    assert references["services"]["incoming"][0]["service"] == "user"
    assert account.call("DELETE", services, expect=400)["code"] == 10064
    account.call("DELETE", f"{services}?force=true")
    assert [item["id"] for item in account.call("GET", f"{account.account}/workers/scripts")] == ["user"]


def test_downloaded_code_is_what_was_uploaded(account: Sandbox) -> None:
    deploy(account, "app", who("x"))
    answer = account.http.get(f"{account.connection.api_url}{account.account}/workers/scripts/app")
    assert answer.headers["content-type"].startswith("multipart/form-data")
    assert ECHO.strip() in answer.text


def test_script_settings_make_no_version(account: Sandbox) -> None:
    deploy(account, "app", who("x"))
    scripts = f"{account.account}/workers/scripts/app"
    account.call("PATCH", f"{scripts}/script-settings", {"tags": ["cf:service=app"], "logpush": False})
    assert account.call("GET", f"{scripts}/settings")["tags"] == ["cf:service=app"]
    assert len(account.call("GET", f"{scripts}/versions")["items"]) == 1
    parts = [("settings", (None, json.dumps({"compatibility_date": "2026-03-03"})))]
    account.http.patch(f"{account.connection.api_url}{scripts}/settings", files=parts).raise_for_status()
    assert len(account.call("GET", f"{scripts}/versions")["items"]) == 2


def test_assets_are_asked_for_once(account: Sandbox) -> None:
    session = f"{account.account}/workers/scripts/site/assets-upload-session"
    manifest = {
        "manifest": {"/a.html": {"hash": "a" * 32, "size": 3}, "/b.html": {"hash": "b" * 32, "size": 3}}
    }
    begun = account.call("POST", session, manifest)
    assert sorted(name for bucket in begun["buckets"] for name in bucket) == ["a" * 32, "b" * 32]
    url = f"{account.connection.api_url}{account.account}/workers/assets/upload?base64=true"
    token = {"authorization": f"Bearer {begun['jwt']}"}
    part = ("a" * 32, ("a" * 32, "Zm9v", "text/html"))
    assert httpx.post(url, files=[part], headers=token).status_code == 202
    done = httpx.post(url, files=[("b" * 32, ("b" * 32, "YmFy", "text/html"))], headers=token)
    assert done.status_code == 201
    metadata = {
        "assets": {"jwt": done.json()["result"]["jwt"], "config": {}},
        "compatibility_date": "2026-01-01",
    }
    only = send(account, "PUT", "site", [("metadata", (None, json.dumps(metadata)))])
    assert only.json()["result"]["has_assets"] is True
    account.call("POST", f"{account.account}/workers/scripts/site/subdomain", {"enabled": True})
    assert account.worker("site", "/a").text == "foo"
    assert account.call("POST", session, manifest)["buckets"] == []
    assert httpx.post(url, files=[part], headers={"authorization": "Bearer a.b.c"}).status_code == 403
