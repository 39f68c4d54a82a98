"""User Workers in dispatch namespaces, and Pages sites: what runs without being a Worker of the account."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx

from tests.conftest import Sandbox
from tests.sandbox.upload import deploy, form

NAMESPACES = "/workers/dispatch/namespaces"
CALLER = """
export default { async fetch(request, env) {
  try { return await env.DISPATCH.get(new URL(request.url).pathname.slice(1)).fetch(request); }
  catch (error) { return new Response(error.message, { status: 404 }); }
} };
"""
USER = "export default { fetch(r, env) { return new Response('I am ' + env.WHO); } };"


def put_user(account: Sandbox, name: str, who: str) -> httpx.Response:
    url = f"{account.connection.api_url}{account.account}{NAMESPACES}/prod/scripts/{name}"
    bindings = [{"name": "WHO", "type": "plain_text", "text": who}]
    return account.http.put(url, files=form(USER, {"bindings": bindings}))


def test_user_workers_run_behind_a_dispatch_binding(account: Sandbox) -> None:
    where = f"{account.account}{NAMESPACES}"
    made = account.call("POST", where, {"name": "prod"})
    assert made["namespace_name"] == "prod"
    assert account.call("GET", f"{where}/prod/scripts/ann", expect=404)["code"] == 10092
    for name in ("ann", "bob"):
        assert put_user(account, name, name).status_code == 200
    binding = {"name": "DISPATCH", "type": "dispatch_namespace", "namespace": "prod"}
    deploy(account, "caller", {"bindings": [binding]}, CALLER)
    assert [account.worker("caller", f"/{name}").text for name in ("ann", "bob")] == ["I am ann", "I am bob"]
    missing = account.worker("caller", "/carol")
    assert (missing.status_code, missing.text) == (404, "Worker not found.")
    put_user(account, "ann", "ann again")
    assert account.worker("caller", "/ann").text == "I am ann again"
    assert [item["id"] for item in account.call("GET", f"{where}/prod/scripts")] == ["ann", "bob"]
    assert [item["id"] for item in account.call("GET", f"{account.account}/workers/scripts")] == ["caller"]
    account.call("DELETE", f"{where}/prod/scripts/ann")
    assert account.worker("caller", "/ann").status_code == 404
    account.call("DELETE", f"{where}/prod")
    assert account.worker("caller", "/bob").status_code == 404


def upload_assets(account: Sandbox, project: str, files: dict[str, str]) -> dict[str, str]:
    """Pages' direct upload; the manifest."""
    api, projects = account.connection.api_url, f"{account.account}/pages/projects"
    token = account.call("GET", f"{projects}/{project}/upload-token")["jwt"]
    own = {"authorization": f"Bearer {token}"}
    hashes = {name: f"{index:032x}" for index, name in enumerate(files)}
    body = json.dumps({"hashes": list(hashes.values())})
    missing = httpx.post(f"{api}/pages/assets/check-missing", content=body, headers=own).json()["result"]
    wanted = [
        {
            "key": hashes[name],
            "value": base64.b64encode(text.encode()).decode(),
            "metadata": {"contentType": "text/html"},
            "base64": True,
        }
        for name, text in files.items()
        if hashes[name] in missing
    ]
    sent = httpx.post(f"{api}/pages/assets/upload", content=json.dumps(wanted), headers=own)
    assert sent.json()["result"]["successful_key_count"] == len(missing)
    assert httpx.post(f"{api}/pages/assets/upsert-hashes", content=body, headers=own).status_code == 200
    return {f"/{name}": value for name, value in hashes.items()}


def publish(account: Sandbox, project: str, manifest: dict[str, str], **more: str) -> Any:
    parts: list[Any] = [("manifest", (None, json.dumps(manifest)))]
    parts += [(name, (None, text)) for name, text in more.items()]
    url = f"{account.connection.api_url}{account.account}/pages/projects/{project}/deployments"
    answer = account.http.post(url, files=parts)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def test_a_pages_site_is_uploaded_and_served(account: Sandbox) -> None:
    projects = f"{account.account}/pages/projects"
    account.call("POST", projects, {"name": "site", "production_branch": "main"})
    assert account.call("POST", projects, {"name": "site"}, expect=409)["code"] == 8000002
    manifest = upload_assets(account, "site", {"index.html": "<h1>home</h1>", "404.html": "<h1>lost</h1>"})
    made = publish(account, "site", manifest, branch="main")
    assert (made["environment"], made["latest_stage"]["status"]) == ("production", "success")
    assert account.edge("site.pages.localhost").text == "<h1>home</h1>"
    lost = account.edge("site.pages.localhost", "/nowhere")
    assert (lost.status_code, lost.text) == (404, "<h1>lost</h1>")
    draft = publish(account, "site", manifest, branch="Feature/X")
    assert draft["aliases"][0].startswith("http://feature-x.site.pages.localhost:")
    assert account.edge("feature-x.site.pages.localhost").text == "<h1>home</h1>"
    listed = account.call("GET", f"{projects}/site/deployments")
    assert [item["id"] for item in listed] == [draft["id"], made["id"]]
    secret = {
        "deployment_configs": {"production": {"env_vars": {"K": {"type": "secret_text", "value": "v"}}}}
    }
    patched = account.call("PATCH", f"{projects}/site", secret)
    assert patched["deployment_configs"]["production"]["env_vars"]["K"] == {
        "type": "secret_text",
        "value": "",
    }
    account.call("DELETE", f"{projects}/site")
    assert account.edge("site.pages.localhost").status_code == 404
    assert account.call("GET", f"{projects}/site", expect=404)["code"] == 8000007
