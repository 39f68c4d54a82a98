"""The edge: which Worker and which version answers, and what a request looks like to it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.sandbox.sidecar.driver import ControlPlane, Sidecar, routed, says, version, worker

ECHO = """
export default {
  async fetch(request) {
    const body = request.body === null ? null : await request.text();
    const { url, method, cf } = request;
    return Response.json(
      { url, method, cf, headers: Object.fromEntries(request.headers), body },
      { headers: [["set-cookie", "a=1"], ["set-cookie", "b=2"], ["x-own", "yes"]] },
    );
  },
};
"""

CALLER = """
export default {
  async fetch(request) {
    const target = new URL(request.url).searchParams.get("to");
    const answer = await fetch(target ?? request.url);
    return new Response(await answer.text(), { status: answer.status });
  },
};
"""
OLD = """
addEventListener("fetch", (event) => {
  const { url, cf } = event.request;
  event.respondWith(new Response(`${GREETING} ${cf.colo.length} ${new URL(url).host}`));
});
"""
OLD_BINDINGS = [{"name": "GREETING", "type": "plain_text", "text": "hello"}]


@pytest.fixture(scope="module", autouse=True)
def account(sidecar: Sidecar, folder: Path) -> None:
    workers = [
        worker(folder, "echo", ECHO),
        worker(folder, "app", says("one"), 1),
        worker(folder, "app", says("two"), 2),
        worker(folder, "my-app", says("dashed")),
        worker(folder, "off", says("off")),
        worker(folder, "caller", CALLER),
        worker(folder, "old", OLD, format="service-worker", bindings=OLD_BINDINGS),
        worker(folder, "breaks", "export default { fetch() { throw new Error('boom'); } };"),
        worker(folder, "five", "export default { fetch: () => new Response('mine', { status: 500 }) };"),
    ]
    routing = routed(*workers, shares={"app": {1: 100, 2: 0}})
    routing["scripts"]["off"] |= {"workers_dev": False, "previews": False}
    routing["scripts"]["app"]["aliases"] = {"beta": version(2)}
    routing["hosts"] = [
        {"hostname": "shop.example.com", "script": "app", "enabled": True},
        {"hostname": "closed.example.com", "script": "app", "enabled": False},
    ]
    routing["routes"] = [
        {"pattern": "*.example.org/*", "script": "app"},
        {"pattern": "www.example.org/api/*", "script": "echo"},
        {"pattern": "www.example.org/api/none/*", "script": None},
        {"pattern": "*example.net/exact", "script": "my-app"},
    ]
    sidecar.put(*workers, routing=routing)


def test_a_request_looks_as_it_does_behind_cloudflare(sidecar: Sidecar) -> None:
    host = "echo.dev.workers.localhost:8480"
    reply = sidecar.get(host, "/path?q=1", cf_connecting_ip="6.6.6.6", accept_encoding="br")
    seen = reply.json
    assert seen["url"] == "http://echo.dev.workers.localhost:8480/path?q=1"
    assert {"colo", "country", "city", "asn", "tlsVersion", "httpProtocol", "timezone"} <= seen["cf"].keys()
    assert seen["cf"]["clientAcceptEncoding"] == "br"
    headers = seen["headers"]
    assert headers["cf-connecting-ip"] == headers["x-real-ip"] == "127.0.0.1"
    assert headers["cf-visitor"] == '{"scheme":"http"}'
    assert headers["x-forwarded-proto"] == "http"
    assert headers["cf-ipcountry"] == "US"
    assert headers["cf-ray"] == reply.headers["cf-ray"]
    assert not [name for name in headers if name.startswith("mf-")]
    assert reply.headers["server"] == "cloudflare"
    assert reply.headers.get_all("set-cookie") == ["a=1", "b=2"]


def test_another_place_can_be_asked_for(sidecar: Sidecar) -> None:
    seen = sidecar.get("echo", x_trailboss_cf='{"country":"FR","city":"Paris"}').json
    assert (seen["cf"]["country"], seen["cf"]["city"], seen["headers"]["cf-ipcountry"]) == (
        "FR",
        "Paris",
        "FR",
    )


def test_a_tls_proxy_before_the_sandbox_is_believed(sidecar: Sidecar) -> None:
    seen = sidecar.get("shop.example.com", x_forwarded_proto="https")
    assert seen.text == "one"
    seen = sidecar.get("echo", x_forwarded_proto="https").json
    assert seen["url"].startswith("https://echo.dev.")


def test_bodies_and_methods_pass(sidecar: Sidecar) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        seen = sidecar.get("echo", method=method, body=b"some body").json
        assert (seen["method"], seen["body"]) == (method, "some body")
    head = sidecar.get("echo", method="HEAD")
    assert (head.status, head.body, head.headers["x-own"]) == (200, b"", "yes")


def test_hosts(sidecar: Sidecar) -> None:
    assert sidecar.get("app.dev.workers.dev").text == "one"
    assert sidecar.get("APP.dev.Workers.Localhost:1").text == "one"
    assert sidecar.get("my-app").text == "dashed"
    assert sidecar.get("shop.example.com").text == "one"
    assert sidecar.get("shop.example.com.localhost:8480").text == "one"


def test_the_most_specific_route_wins(sidecar: Sidecar) -> None:
    assert sidecar.get("www.example.org", "/").text == "one"
    assert sidecar.get("www.example.org", "/api/x?y").json["url"] == "http://www.example.org/api/x?y"
    assert sidecar.get("www.example.org", "/api/none/x").status == 523
    assert sidecar.get("example.org", "/").status == 421
    assert sidecar.get("example.net", "/exact?q").text == "dashed"
    assert sidecar.get("a.example.net", "/exact").text == "dashed"
    assert sidecar.get("example.net", "/exact/no").status == 523


def test_the_edge_says_why_nobody_answers(sidecar: Sidecar) -> None:
    disabled = sidecar.get("off")
    assert (disabled.status, disabled.text.split("\n")[0]) == (404, "error code: 1042")
    assert sidecar.get("nobody").status == 404
    assert sidecar.get("closed.example.com").status == 404
    unknown = sidecar.get("something.localhost", accept="application/json")
    assert unknown.json["error"]["reason"] == "unknown-host"
    foreign = sidecar.get("evil.test", accept="text/html")
    assert foreign.status == 421 and foreign.text.startswith("<!DOCTYPE html>")


def test_previews(sidecar: Sidecar, plane: ControlPlane, folder: Path) -> None:
    assert sidecar.get("22222222-app").text == "two"
    assert sidecar.get("beta-app").text == "two"
    assert sidecar.get("11111111-off").status == 404
    assert sidecar.get("33333333-app").status == 404
    plane.previews["app", "33333333"] = [worker(folder, "app", says("three"), 3)]
    assert sidecar.get("33333333-app").text == "three"
    assert sidecar.get("33333333-app").text == "three"
    assert len([call for call in plane.called("/preview") if call["version"] == "33333333"]) == 2


def test_a_service_worker(sidecar: Sidecar) -> None:
    assert sidecar.get("old").text == "hello 3 old.dev.workers.localhost"


def test_a_worker_fetches_the_accounts_own_names(sidecar: Sidecar) -> None:
    assert sidecar.get("caller", "/?to=http://app.dev.workers.localhost:8480/").text == "one"
    assert sidecar.get("caller", "/?to=https://shop.example.com/").text == "one"
    echoed = sidecar.get("caller", "/?to=https://echo.dev.workers.dev/x").json
    assert echoed["url"] == "https://echo.dev.workers.dev/x"
    assert "cf-worker" in echoed["headers"]


def test_a_worker_that_fetches_itself_is_stopped(sidecar: Sidecar) -> None:
    reply = sidecar.get("caller", "/forever")
    assert (reply.status, reply.text.split("\n")[0]) == (500, "error code: 1019")


def test_an_exception_gives_cloudflares_page(sidecar: Sidecar) -> None:
    reply = sidecar.get("breaks")
    assert (reply.status, reply.text.split("\n")[0]) == (500, "error code: 1101")
    own = sidecar.get("five")
    assert (own.status, own.text) == (500, "mine")


def test_the_override_header_beats_the_percentages(sidecar: Sidecar) -> None:
    override = f'other="x", app="{version(2)}"'
    header = "Cloudflare-Workers-Version-Overrides"
    assert sidecar.get("app", **{header: override}).text == "two"
    assert sidecar.get("app", **{header: f'app="{version(3)}"'}).text == "one"
    assert sidecar.get("app", **{header: "not a dictionary"}).text == "one"


def test_weights_change_without_a_reload(sidecar: Sidecar, folder: Path) -> None:
    workers = [worker(folder, "app", says("one"), 1), worker(folder, "app", says("two"), 2)]
    sidecar.put(*workers, routing=routed(*workers, shares={"app": {1: 50, 2: 50}}))
    swaps = sidecar.done("GET", "/stats")["swaps"]
    seen = Counter(sidecar.get("app").text for _ in range(200))
    assert min(seen["one"], seen["two"]) > 60
    sidecar.done("PUT", "/routing", routed(*workers, shares={"app": {1: 0, 2: 100}}))
    assert {sidecar.get("app").text for _ in range(20)} == {"two"}
    assert sidecar.done("GET", "/stats")["swaps"] == swaps


def test_an_affinity_key_stays_with_its_version(sidecar: Sidecar, folder: Path) -> None:
    workers = [worker(folder, "app", says("one"), 1), worker(folder, "app", says("two"), 2)]
    sidecar.put(*workers, routing=routed(*workers, shares={"app": {1: 50, 2: 50}}))
    key = "Cloudflare-Workers-Version-Key"
    first = [sidecar.get("app", **{key: f"user-{n}"}).text for n in range(60)]
    again = [sidecar.get("app", **{key: f"user-{n}"}).text for n in range(60)]
    assert first == again
    assert {"one", "two"} == set(first)


def test_counts_per_version(sidecar: Sidecar, folder: Path) -> None:
    sidecar.put(worker(folder, "app", says("one"), 1))
    sidecar.done("DELETE", "/stats")
    for _ in range(3):
        sidecar.get("app")
    stats = sidecar.done("GET", "/stats")
    assert stats["scripts"]["app"][version(1)]["statuses"] == {"200": 3}
    assert stats["in_flight"] == 0
