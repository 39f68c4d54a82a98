"""Small helpers to upload Workers the way clients do, without any of our own upload code."""

from __future__ import annotations

import json
from typing import Any

import httpx

from tests.conftest import Sandbox

ECHO = """
export default {
  async fetch(request, env) { console.log("seen", env.WHO); return new Response(`hello from ${env.WHO}`); },
  async scheduled(event, env) { console.log("cron", event.cron); },
};
"""


def form(code: str = ECHO, metadata: dict[str, Any] | None = None, **modules: str) -> list[Any]:
    """wrangler's layout: metadata without a content type, then a part per module."""
    meta = {"main_module": "index.js", "compatibility_date": "2026-01-01", **(metadata or {})}
    parts: list[Any] = [
        ("metadata", (None, json.dumps(meta))),
        ("index.js", ("index.js", code, "application/javascript+module")),
    ]
    parts += [(name, (name, text, "application/javascript+module")) for name, text in modules.items()]
    return parts


def who(text: str) -> dict[str, Any]:
    """Metadata with the one variable ECHO shows."""
    return {"bindings": [{"name": "WHO", "type": "plain_text", "text": text}]}


def send(
    account: Sandbox, method: str, path: str, files: list[Any], *, strict: bool = True
) -> httpx.Response:
    """One multipart request to `/workers/scripts/<path>`."""
    query = "?excludeScript=true&bindings_inherit=strict" if strict else ""
    url = f"{account.connection.api_url}{account.account}/workers/scripts/{path}{query}"
    return account.http.request(method, url, files=files)


def deploy(account: Sandbox, name: str, metadata: dict[str, Any] | None = None, code: str = ECHO) -> Any:
    """PUT the script and switch workers.dev on; the upload's result."""
    answer = send(account, "PUT", name, form(code, metadata))
    assert answer.status_code == 200, answer.text
    both = {"enabled": True, "previews_enabled": True}
    account.call("POST", f"{account.account}/workers/scripts/{name}/subdomain", both)
    return answer.json()["result"]


def version(account: Sandbox, name: str, metadata: dict[str, Any] | None = None, code: str = ECHO) -> Any:
    """POST a version; its result."""
    answer = send(account, "POST", f"{name}/versions", form(code, metadata))
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def split(
    account: Sandbox, name: str, *shares: tuple[str, float], force: bool = False, expect: int = 200
) -> Any:
    """POST a deployment."""
    versions = [{"version_id": version_id, "percentage": share} for version_id, share in shares]
    path = f"{account.account}/workers/scripts/{name}/deployments{'?force=true' if force else ''}"
    return account.call("POST", path, {"strategy": "percentage", "versions": versions}, expect=expect)
