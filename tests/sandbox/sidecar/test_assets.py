"""Static assets: alone, before a Worker, behind it, with headers, redirects and both not-found ways."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.sidecar.driver import ControlPlane, Sidecar, says, worker

FILES = {
    "index.html": "<h1>home</h1>",
    "about.html": "<h1>about</h1>",
    "docs/index.html": "<h1>docs</h1>",
    "404.html": "<h1>nothing</h1>",
    "style.css": "body {}",
    ".well-known/x.txt": "dot",
    "_headers": "/style.css\n  X-Own: yes\n",
    "_redirects": "/old /about 301\n/moved/* /docs/:splat 302\n",
}
WORKER = """
export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    if (url.pathname === "/through") return env.ASSETS.fetch(new URL("/style.css", url));
    return new Response(`worker ${url.pathname} ${request.cf?.colo?.length}`);
  },
};
"""


@pytest.fixture(scope="module")
def site(folder: Path) -> Path:
    root = folder / "site"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def _assets(site: Path, **config: Any) -> dict[str, Any]:
    return {"directory": str(site), "config": config}


@pytest.fixture(scope="module", autouse=True)
def account(sidecar: Sidecar, folder: Path, site: Path) -> None:
    binding = [{"name": "ASSETS", "type": "assets"}]
    none = {"format": "assets", "main": None, "modules": []}
    first = ["/api/*", "!/api/docs/*"]
    text = {
        "_headers": "/style.css\n  X-From-Config: 1\n",
        "_redirects": "/from-config /about 307\n",
    }
    caller = [{"name": "SITE", "type": "service", "service": "site"}]
    call = "export default { fetch: (r, env) => env.SITE.fetch(new Request('http://site/style.css')) };"
    sidecar.put(
        worker(folder, "site", "", assets=_assets(site, not_found_handling="404-page"), **none),
        worker(folder, "spa", "", assets=_assets(site, not_found_handling="single-page-application"), **none),
        worker(folder, "bare", "", assets=_assets(site, html_handling="none"), **none),
        worker(folder, "text", "", assets=_assets(site, **text), **none),
        worker(folder, "mixed", WORKER, assets=_assets(site), bindings=binding),
        worker(folder, "first", WORKER, assets=_assets(site, run_worker_first=True), bindings=binding),
        worker(folder, "some", WORKER, assets=_assets(site, run_worker_first=first), bindings=binding),
        worker(folder, "caller", call, bindings=caller),
        worker(folder, "plain", says("no assets"), bindings=binding),
    )


def test_files_and_html_handling(sidecar: Sidecar) -> None:
    home = sidecar.get("site")
    assert (home.status, home.text) == (200, "<h1>home</h1>")
    assert home.headers["content-type"].startswith("text/html")
    assert home.headers["etag"]
    assert sidecar.get("site", "/", if_none_match=home.headers["etag"]).status == 304
    assert sidecar.get("site", "/about").text == "<h1>about</h1>"
    moved = sidecar.get("site", "/about.html")
    assert (moved.status, moved.headers["location"]) == (307, "/about")
    assert sidecar.get("site", "/docs/").text == "<h1>docs</h1>"
    assert sidecar.get("bare", "/about.html").text == "<h1>about</h1>"
    assert sidecar.get("bare", "/about").status == 404
    assert sidecar.get("site", "/style.css", method="HEAD").headers["content-type"].startswith("text/css")


def test_headers_and_redirects_files(sidecar: Sidecar) -> None:
    assert sidecar.get("site", "/style.css").headers["x-own"] == "yes"
    old = sidecar.get("site", "/old")
    assert (old.status, old.headers["location"]) == (301, "/about")
    assert sidecar.get("site", "/moved/a/b").headers["location"] == "/docs/a/b"
    assert sidecar.get("site", "/_headers").status == 404


def test_headers_and_redirects_as_configuration(sidecar: Sidecar) -> None:
    assert sidecar.get("text", "/style.css").headers["x-from-config"] == "1"
    assert "x-own" not in sidecar.get("text", "/style.css").headers
    assert sidecar.get("text", "/from-config").status == 307


def test_not_found(sidecar: Sidecar) -> None:
    page = sidecar.get("site", "/nowhere")
    assert (page.status, page.text) == (404, "<h1>nothing</h1>")
    app = sidecar.get("spa", "/nowhere")
    assert (app.status, app.text) == (200, "<h1>home</h1>")


def test_a_worker_beside_its_assets(sidecar: Sidecar) -> None:
    assert sidecar.get("mixed", "/style.css").text == "body {}"
    assert sidecar.get("mixed", "/dynamic").text == "worker /dynamic 3"
    assert sidecar.get("mixed", "/through").text == "body {}"


def test_run_worker_first(sidecar: Sidecar) -> None:
    assert sidecar.get("first", "/style.css").text == "worker /style.css 3"
    assert sidecar.get("first", "/through").text == "body {}"
    assert sidecar.get("some", "/style.css").text == "body {}"
    assert sidecar.get("some", "/api/x").text == "worker /api/x 3"


def test_a_service_binding_reaches_assets(sidecar: Sidecar) -> None:
    assert sidecar.get("caller").text == "body {}"


def test_a_binding_without_assets_still_loads(sidecar: Sidecar) -> None:
    assert sidecar.get("plain").text == "no assets"


HANDLERS = """
import { WorkerEntrypoint } from "cloudflare:workers";
export class Named extends WorkerEntrypoint { hello(name) { return `hello ${name}`; } }
export default class extends WorkerEntrypoint {
  fetch(request) { return new Response(`worker ${new URL(request.url).pathname}`); }
  scheduled(controller) { console.log("ran", controller.cron); }
  queue(batch) { batch.messages[0].ack(); batch.messages[1].retry({ delaySeconds: 4 }); }
  tail(events) { console.log("tailed", events[0].event?.request?.url); }
  add(a, b) { return a + b; }
}
"""
CALLER = """
export default {
  async fetch(request, env) {
    const page = await env.DEFAULT.fetch(new Request("http://site/style.css"));
    return Response.json([await env.DEFAULT.add(1, 2), await env.NAMED.hello("you"), await page.text()]);
  },
};
"""


@pytest.fixture(params=[False, True], ids=["assets first", "worker first"])
def handlers(request: pytest.FixtureRequest, sidecar: Sidecar, folder: Path, site: Path) -> str:
    """A Worker with assets and every handler, its caller and a Worker it tails; what /style.css answers."""
    number = 21 if request.param else 20
    bindings = [
        {"name": "DEFAULT", "type": "service", "service": "events"},
        {"name": "NAMED", "type": "service", "service": "events", "entrypoint": "Named"},
    ]
    sidecar.put(
        worker(folder, "events", HANDLERS, number, assets=_assets(site, run_worker_first=request.param)),
        worker(folder, "asks", CALLER, number, bindings=bindings),
        worker(folder, "seen", says("seen"), number, tail_consumers=[{"service": "events"}]),
    )
    return "worker /style.css" if request.param else "body {}"


def test_events_reach_a_worker_with_assets(sidecar: Sidecar, plane: ControlPlane, handlers: str) -> None:
    plane.traces.clear()
    assert sidecar.get("events", "/style.css").text == handlers
    fired = {"script": "events", "cron": "1 2 3 4 *", "scheduled_time": 1700000000000}
    assert sidecar.done("POST", "/trigger/scheduled", fired)["outcome"] == "ok"
    ran = plane.trace(lambda item: (item["event"] or {}).get("cron") == "1 2 3 4 *")
    assert ran["script"] == "events" and ran["logs"][0]["message"] == ["ran", "1 2 3 4 *"]

    message = {"timestamp": 1700000000000, "attempts": 1, "content_type": "text", "body": "eA=="}
    batch = {"script": "events", "queue": "q", "messages": [{**message, "id": key} for key in "ab"]}
    answer = sidecar.done("POST", "/trigger/queue", batch)
    assert (answer["outcome"], answer["explicit_acks"]) == ("ok", ["a"])
    assert answer["retries"] == [{"id": "b", "delay_seconds": 4}]


def test_calls_and_traces_reach_a_worker_with_assets(
    sidecar: Sidecar, plane: ControlPlane, handlers: str
) -> None:
    plane.traces.clear()
    assert sidecar.get("asks").json == [3, "hello you", handlers]
    sidecar.get("seen", "/watched")
    tailed = plane.trace(lambda item: item["script"] == "events" and "tailed" in str(item["logs"]))
    assert tailed["logs"][0]["message"] == ["tailed", "http://seen.dev.workers.localhost/watched"]
