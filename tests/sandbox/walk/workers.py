"""Life stories of Workers: uploads, versions, settings, addresses, platforms, workflows."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.sandbox.upload import ECHO, form, who
from tests.sandbox.walk.walker import Walk

JAVASCRIPT = "application/javascript+module"
ROOM = """
import { DurableObject, WorkflowEntrypoint } from "cloudflare:workers";
export class Room extends DurableObject {}
export class Flow extends WorkflowEntrypoint { async run() {} }
export default { fetch() { return new Response("room"); } };
"""


def _upload(walk: Walk, name: str, code: str = ECHO, **metadata: Any) -> None:
    meta: Any = {"main_module": "index.js", "compatibility_date": "2026-01-01", **metadata}
    part = ("index.js", code.encode(), JAVASCRIPT)
    walk.sdk.workers.scripts.update(name, metadata=meta, files=[part], **walk.here)


def scripts(walk: Walk) -> None:
    product, here = walk.sdk.workers.scripts, walk.here
    _upload(walk, "app", **who("one"))
    assert [item.id for item in product.list(**here)] == ["app"]
    assert list(product.search(name="app", **here))
    product.get("app", **here)
    product.content.get("app", **here)
    part = ("index.js", ECHO.encode(), JAVASCRIPT)
    product.content.update("app", metadata={"main_module": "index.js"}, files=[part], **here)
    _settings(walk)
    _secrets(walk)
    _versions(walk)
    _addresses(walk)
    product.delete("app", **here)


def _settings(walk: Walk) -> None:
    product, here = walk.sdk.workers.scripts, walk.here
    product.script_and_version_settings.edit("app", settings={"compatibility_date": "2026-02-01"}, **here)
    assert product.script_and_version_settings.get("app", **here) is not None
    product.settings.edit("app", logpush=True, **here)
    assert product.settings.get("app", **here) is not None
    product.schedules.update("app", body=[{"cron": "*/5 * * * *"}], **here)
    assert product.schedules.get("app", **here) is not None
    tail = product.tail.create("app", **here)
    assert tail is not None and len(walk.plain("GET", "workers/scripts/app/tails")) == 1
    product.tail.delete(tail.id, script_name="app", **here)
    account = walk.sdk.workers.account_settings
    account.update(green_compute=True, default_usage_model="standard", **here)
    assert account.get(**here) is not None
    walk.plain("PUT", "triggers/app", json=[])


def _secrets(walk: Walk) -> None:
    product, here = walk.sdk.workers.scripts.secrets, walk.here
    product.update("app", name="KEY", text="x", type="secret_text", **here)
    product.bulk_update("app", secrets={"B": {"name": "B", "text": "y", "type": "secret_text"}}, **here)
    assert {item.name for item in product.list("app", **here)} == {"KEY", "B"}
    assert product.get("KEY", script_name="app", **here) is not None
    product.delete("KEY", script_name="app", **here)


def _versions(walk: Walk) -> None:
    product, here = walk.sdk.workers.scripts, walk.here
    path = "workers/scripts/app"
    made = walk.plain("POST", f"{path}/versions", files=form(metadata=who("two")))["id"]
    assert walk.plain("GET", f"{path}/versions/{made}")["id"] == made
    assert len(list(product.versions.list("app", **here))) > 2
    share: Any = [{"version_id": made, "percentage": 100}]
    first = walk.plain("GET", f"{path}/deployments")["deployments"][0]["id"]
    product.deployments.create("app", strategy="percentage", versions=share, **here)
    product.deployments.get(first, script_name="app", **here)
    product.deployments.delete(first, script_name="app", **here)


def _addresses(walk: Walk) -> None:
    workers, here, zone = walk.sdk.workers, walk.here, {"zone_id": walk.zone_id}
    workers.scripts.subdomain.create("app", enabled=True, previews_enabled=True, **here)
    assert workers.scripts.subdomain.get("app", **here).enabled
    workers.scripts.subdomain.delete("app", **here)
    made = workers.routes.create(pattern="example.com/a/*", script="app", **zone).id
    workers.routes.update(made, pattern="example.com/b/*", script="app", **zone)
    assert workers.routes.get(made, **zone).pattern == "example.com/b/*"
    assert [item.id for item in workers.routes.list(**zone)] == [made]
    walk.plain("PUT", "workers/scripts/app/routes", json=["example.com/b/*"])
    workers.routes.delete(made, **zone)
    domains = workers.domains
    domain = domains.update(hostname="app.example.com", service="app", **zone, **here).id
    assert domain is not None and domains.get(domain, **here) is not None
    assert [item.id for item in domains.list(**here)] == [domain]
    walk.plain("GET", "workers/domains/records")
    walk.plain("GET", f"workers/domains/records/{domain}")
    origins = [{"hostname": "app.example.com"}]
    walk.plain("POST", "workers/scripts/app/domains/changeset", json=origins)
    walk.plain("PUT", "workers/scripts/app/domains/records", json={"origins": origins})
    domains.delete(domain, **here)


def services(walk: Walk) -> None:
    """The older face of Workers, and what is refused of a Worker."""
    _upload(walk, "old")
    _refused(walk)
    root = "workers/services/old"
    walk.plain("GET", root)
    walk.plain("GET", f"{root}/environments/production")
    for part in ("bindings", "routes", "subdomain"):
        walk.plain("GET", f"{root}/environments/production/{part}")
    walk.plain("GET", "workers/scripts/old/references")
    walk.plain("GET", "workers/tails/by-consumer/old")
    walk.plain("DELETE", root)


def subdomain(walk: Walk) -> None:
    product, here = walk.sdk.workers.subdomains, walk.here
    name = product.get(**here).subdomain
    assert walk.plain("GET", "workers/subdomains/unheard-of", status=404)["code"] == 10032
    product.delete(**here)
    product.update(subdomain=name, **here)


def newer_workers(walk: Walk) -> None:
    product, here = walk.sdk.workers.beta.workers, walk.here
    made = product.create(name="newer", **here).id
    settings: Any = {"observability": {}, "subdomain": {}, "tail_consumers": [], "logpush": False}
    product.edit(made, name="newer", tags=["a"], **settings, **here)
    product.update(made, name="newer", tags=["b"], **here)
    assert product.get(made, **here).tags == ["b"]
    assert [item.name for item in product.list(**here)] == ["newer"]
    code = base64.b64encode(ECHO.encode()).decode()
    module: Any = {"name": "index.js", "content_type": JAVASCRIPT, "content_base64": code}
    version = product.versions.create(made, main_module="index.js", modules=[module], **here).id
    assert product.versions.get(version, worker_id=made, **here).id == version
    assert len(list(product.versions.list(made, **here))) == 1
    secret = {"env": {"KEY": {"type": "secret_text", "text": "x"}}}
    walk.plain("PATCH", f"workers/workers/{made}/versions/latest", json=secret)
    product.delete(made, **here)


def assets(walk: Walk) -> None:
    product, here = walk.sdk.workers.scripts.assets.upload, walk.here
    files = {"/a.txt": {"hash": "a" * 32, "size": 1}, "/b.txt": {"hash": "b" * 32, "size": 1}}
    session = product.create("site", manifest=files, **here)  # type: ignore[arg-type]
    assert session is not None
    bearer = {"authorization": f"Bearer {session.jwt}"}
    part = {"a" * 32: ("a" * 32, base64.b64encode(b"a"), "text/plain")}
    root = "workers/assets/upload"
    walk.plain("POST", root, params={"base64": "true"}, files=part, headers=bearer, status=202)
    walk.plain("POST", f"{root}/{'b' * 32}", content=b"b", headers=bearer, status=201)


def platforms(walk: Walk) -> None:
    spaces, here = walk.sdk.workers_for_platforms.dispatch.namespaces, walk.here
    spaces.create(name="tenants", **here)
    assert spaces.get("tenants", **here) is not None
    assert len(list(spaces.list(**here))) == 1
    at: dict[str, Any] = {"dispatch_namespace": "tenants", **here}
    users = spaces.scripts
    part = ("index.js", ECHO.encode(), JAVASCRIPT)
    users.update("one", metadata={"main_module": "index.js"}, files=[part], **at)
    assert users.get("one", **at) is not None
    users.content.get("one", **at)
    users.settings.get("one", **at)
    list(users.bindings.get("one", **at))
    users.asset_upload.create("one", manifest={"/a.txt": {"hash": "c" * 32, "size": 1}}, **at)
    root = "workers/dispatch/namespaces/tenants"
    assert len(walk.plain("GET", f"{root}/scripts")) == 1
    users.delete("one", **at)
    walk.plain("PUT", root, json={"name": "renters"})
    spaces.delete("renters", **here)


def durable_objects_and_workflows(walk: Walk) -> None:
    sdk, here = walk.sdk, walk.here
    binding = {"type": "durable_object_namespace", "name": "ROOM", "class_name": "Room"}
    steps: Any = {"new_tag": "v1", "new_sqlite_classes": ["Room"]}
    _upload(walk, "room", ROOM, bindings=[binding], migrations=steps)
    (space,) = sdk.durable_objects.namespaces.list(**here)
    assert list(sdk.durable_objects.namespaces.objects.list(str(space.id), **here)) == []
    flows = sdk.workflows
    flows.update("flow", class_name="Flow", script_name="room", **here)
    assert flows.get("flow", **here) is not None
    assert [item.name for item in flows.list(**here)] == ["flow"]
    assert len(list(flows.versions.list("flow", **here))) == 1
    _instances(walk)
    flows.delete("flow", **here)
    sdk.workers.scripts.delete("room", force=True, **here)


def _instances(walk: Walk) -> None:
    flows, at = walk.sdk.workflows, {"workflow_name": "flow", **walk.here}
    version = next(iter(flows.versions.list("flow", **walk.here))).id
    assert flows.versions.get(version, **at) is not None
    walk.plain("GET", f"workflows/flow/versions/{version}/graph", status=501)
    made = flows.instances.create("flow", instance_id="one", **walk.here)
    assert made.id == "one"
    flows.instances.bulk("flow", body=[{"instance_id": "two"}], **walk.here)
    assert {item.id for item in flows.instances.list("flow", **walk.here)} == {"one", "two"}
    assert walk.plain("GET", "workflows/flow/instances/one")["trigger"]["source"] == "api"
    flows.instances.events.create("go", instance_id="one", body={"n": 1}, **at)
    flows.instances.status.edit("one", status="restart", **at)
    walk.plain("GET", "workflows/flow/instances/one/step", status=501)


def _refused(walk: Walk) -> None:
    """What the sandbox does not emulate says so in an envelope."""
    preview = "edge-preview"
    walk.plain("GET", f"workers/subdomain/{preview}", status=501)
    walk.plain("GET", f"workers/scripts/old/subdomain/{preview}", status=501)
    walk.plain("POST", f"workers/scripts/old/{preview}", status=501)
    walk.plain("GET", f"/zones/{walk.zone_id}/workers/{preview}", status=501)
    for rest in ("previews", "previews/one"):
        walk.plain("GET", f"workers/workers/old/{rest}", status=501)


def pages(walk: Walk) -> None:
    product, here, root = walk.sdk.pages, walk.here, "pages/projects"
    walk.plain("POST", root, json={"name": "site", "production_branch": "main"})
    walk.plain("PATCH", f"{root}/site", json={"production_branch": "trunk"})
    assert walk.plain("GET", f"{root}/site")["production_branch"] == "trunk"
    assert len(walk.plain("GET", root)) == 1
    token = product.projects.get_upload_token("site", **here)
    assert token is not None
    bearer: Any = {"extra_headers": {"Authorization": f"Bearer {token.jwt}"}}
    key = "d" * 32
    product.assets.check_missing(hashes=[key], **bearer)
    file: Any = {"key": key, "value": "aGk=", "base64": True, "metadata": {"contentType": "text/plain"}}
    product.assets.upload(body=[file], **bearer)
    product.assets.upsert_hashes(hashes=[key], **bearer)
    _deployments(walk, f"{root}/site/deployments", {"/a.txt": key})
    product.projects.delete("site", **here)


def _deployments(walk: Walk, path: str, manifest: dict[str, str]) -> None:
    deployments = walk.sdk.pages.projects.deployments
    form = {"manifest": (None, json.dumps(manifest)), "branch": (None, "feature")}
    made = walk.plain("POST", path, files=form)["id"]
    assert walk.plain("GET", f"{path}/{made}")["id"] == made
    assert len(walk.plain("GET", path)) == 1
    at: dict[str, Any] = {"project_name": "site", **walk.here}
    assert deployments.history.logs.get(made, **at).total == 0
    deployments.delete(made, **at)


STORIES = (
    scripts,
    services,
    subdomain,
    newer_workers,
    assets,
    platforms,
    durable_objects_and_workflows,
    pages,
)
