"""What wranglers of several ages, and their own tests, rely on beyond the documented API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.sandbox.upload import ECHO, deploy, form, send, split, version, who
from trailboss.sandbox.routes.mtls_certificates import distinguished_name


def triggers(items: list[dict[str, Any]]) -> list[str]:
    return [item["annotations"]["workers/triggered_by"] for item in items]


def test_annotations_say_what_made_a_version_and_a_deployment(account: Sandbox) -> None:
    scripts = f"{account.account}/workers/scripts/app"
    assert deploy(account, "app", who("1"))["startup_time_ms"] == 0
    split(account, "app", (version(account, "app", who("2"))["id"], 100))
    account.call("PUT", f"{scripts}/secrets", {"name": "S", "text": "x", "type": "secret_text"})
    versions = account.call("GET", f"{scripts}/versions")["items"]
    deployments = account.call("GET", f"{scripts}/deployments")["deployments"]
    assert triggers(versions) == ["secret", "version_upload", "upload"]
    assert triggers(deployments) == ["secret", "deployment", "upload"]
    assert deployments[-1]["annotations"]["workers/message"] == "Automatic deployment on upload."
    split(account, "app", (versions[-1]["id"], 100), force=True)
    assert triggers(account.call("GET", f"{scripts}/deployments")["deployments"])[0] == "deployment"
    refused = split(account, "app", (versions[-1]["id"], 100), expect=200)
    assert refused["versions"][0]["percentage"] == 100


def test_the_secrets_that_changed_end_the_message(account: Sandbox) -> None:
    first = deploy(account, "app", who("1"))["version_id"]
    secrets = f"{account.account}/workers/scripts/app/secrets"
    for name in ("A", "B"):
        account.call("PUT", secrets, {"name": name, "text": "x", "type": "secret_text"})
    message = split(account, "app", (first, 100), expect=400)["message"]
    assert message.endswith("The following secrets have changed: A, B")


def test_every_worker_is_asked_for_its_own_assets(account: Sandbox) -> None:
    manifest = {"manifest": {"/a.txt": {"hash": "a" * 32, "size": 5}}}
    api = account.connection.api_url
    for name in ("one", "two"):
        path = f"{account.account}/workers/scripts/{name}/assets-upload-session"
        session = account.call("POST", path, manifest)
        assert session["buckets"] == [["a" * 32]]
        sent = account.http.post(
            f"{api}{account.account}/workers/assets/upload?base64=true",
            files=[("a" * 32, ("a" * 32, "aGVsbG8=", "text/plain"))],
            headers={"authorization": f"Bearer {session['jwt']}"},
        )
        assert sent.status_code == 201
        assert account.call("POST", path, manifest)["buckets"] == []


def test_a_service_worker_finds_its_blobs_by_the_parts_name(account: Sandbox) -> None:
    code = "addEventListener('fetch', (e) => e.respondWith(new Response(__a_txt + bytes() + typeof WASM)));\n"
    code += "const bytes = () => new TextDecoder().decode(DATA);\nconst early = __a_txt.length;"
    bindings = [
        {"name": "__a_txt", "type": "text_blob", "part": "__a_txt"},
        {"name": "DATA", "type": "data_blob", "part": "DATA"},
        {"name": "WASM", "type": "wasm_module", "part": "WASM"},
    ]
    metadata = {"body_part": "worker.js", "bindings": bindings, "compatibility_date": "2024-01-01"}
    parts: list[Any] = [
        ("metadata", (None, json.dumps(metadata))),
        ("worker.js", ("worker.js", code, "application/javascript")),
        ("__a_txt", ("./files/a.txt", "text", "text/plain")),
        ("DATA", ("./files/b.bin", b"data", "application/octet-stream")),
        ("WASM", ("./files/c.wasm", b"\0asm\1\0\0\0", "application/wasm")),
    ]
    answer = send(account, "PUT", "old", parts)
    assert answer.status_code == 200, answer.text
    account.call("POST", f"{account.account}/workers/scripts/old/subdomain", {"enabled": True})
    assert account.worker("old").text == "textdataobject"


def test_settings_keep_bindings_that_are_only_named(account: Sandbox) -> None:
    (space,) = account.control("POST", "seed", {"kv_namespaces": ["cache"]})["kv_namespaces"]
    bindings = [{"name": "KV", "type": "kv_namespace", "namespace_id": space["id"]}, *who("1")["bindings"]]
    deploy(account, "app", {"bindings": bindings})
    wanted = [{"name": "KV", "type": "kv_namespace"}, {"name": "WHO", "type": "plain_text"}]
    secret = {"name": "S", "type": "secret_text", "text": "hidden"}
    url = f"{account.connection.api_url}{account.account}/workers/scripts/app/settings"
    parts = [("settings", (None, json.dumps({"bindings": [*wanted, secret]})))]
    answer = account.http.patch(url, files=parts)
    assert answer.status_code == 200, answer.text
    found = {item["name"]: item for item in answer.json()["result"]["bindings"]}
    assert found["KV"]["namespace_id"] == space["id"]
    assert found["WHO"]["text"] == "1"
    assert found["S"] == {"name": "S", "type": "secret_text"}


def test_a_tail_is_deleted(account: Sandbox) -> None:
    deploy(account, "app", who("1"))
    tails = f"{account.account}/workers/scripts/app/tails"
    for _ in range(3):
        tail = account.call("POST", tails, {"filters": []})
        account.worker("app")
        assert account.call("DELETE", f"{tails}/{tail['id']}") is None
    assert account.call("DELETE", f"{tails}/{tail['id']}", expect=404)["code"] == 10059


@pytest.mark.parametrize("product", ["agent-memory", "ai-search"])
def test_namespaces_by_name(account: Sandbox, product: str) -> None:
    where = f"{account.account}/{product}/namespaces"
    account.call("GET", f"{where}/notes", expect=404)
    made = account.call("POST", where, {"name": "notes"})
    account.call("POST", where, {"name": "notes"}, expect=409)
    assert account.call("GET", f"{where}/notes") == made
    assert [item["name"] for item in account.call("GET", where)] == ["notes"]
    kind = f"{product.replace('-', '_')}" + ("_namespace" if product == "ai-search" else "")
    bound = {"bindings": [{"name": "N", "type": kind, "namespace": "notes"}]}
    assert send(account, "PUT", "app", form(ECHO, bound)).status_code == 200
    account.call("DELETE", f"{where}/notes")
    assert send(account, "PUT", "app", form(ECHO, bound)).status_code == 404


def test_issuers_are_written_as_cloudflare_does() -> None:
    name = ((("commonName", "Root CA"),), (("countryName", "US"),), (("organizationName", "A, B"),))
    assert distinguished_name(name) == "CN=Root CA,O=A\\, B,C=US"
