"""Every type of binding: it loads, and it does what it does at Cloudflare or says why it cannot."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.sidecar.driver import ControlPlane, Sidecar, routed, version, worker

CODE = """
import { DurableObject, WorkerEntrypoint, WorkflowEntrypoint } from "cloudflare:workers";
export class Counter extends DurableObject {
  async add() {
    const count = ((await this.ctx.storage.get("count")) ?? 0) + 1;
    await this.ctx.storage.put("count", count);
    return count;
  }
}
export class Flow extends WorkflowEntrypoint {
  async run(event, step) {
    return await step.do("only step", async () => `ran ${event.payload.name}`);
  }
}
export class Api extends WorkerEntrypoint {
  hello(name) { return `hello ${name} from VERSION with ${JSON.stringify(this.ctx.props)}`; }
  nested() { return { twice: (n) => n * 2 }; }
}
async function finished(instance) {
  for (;;) {
    const status = await instance.status();
    if (status.status === "complete" || status.status === "errored") return status;
    await scheduler.wait(10);
  }
}
const USES = {
  version: (env) => "VERSION",
  vars: ({ TEXT, SECRET, JSON_VALUE }) => ({ TEXT, SECRET, JSON_VALUE }),
  metadata: (env) => env.METADATA,
  counter: (env) => env.COUNTER.get(env.COUNTER.idFromName("one")).add(),
  other: (env) => env.OTHER.get(env.OTHER.idFromName("one")).add(),
  flow: async (env) => (await finished(await env.FLOW.create({ params: { name: "it" } }))).output,
  service: async (env) => (await env.SELF.fetch("http://self/version")).json(),
  rpc: (env) => env.API.hello("you"),
  nested: async (env) => { using api = await env.API.nested(); return api.twice(21); },
  queue: async (env) => {
    await env.QUEUE.send({ a: 1 });
    await env.QUEUE.send("text", { contentType: "text", delaySeconds: 5 });
    await env.QUEUE.sendBatch([
      { body: new Uint8Array([1, 2]), contentType: "bytes" },
      { body: new Map([[1, 2]]), contentType: "v8", delaySeconds: 9 },
    ]);
    return null;
  },
  secret: (env) => env.STORED.get(),
  key: async (env) => (await crypto.subtle.sign("HMAC", env.KEY, new Uint8Array([1]))).byteLength,
  ratelimit: async (env) => {
    const allowed = [];
    for (let n = 0; n < 3; n += 1) allowed.push((await env.LIMIT.limit({ key: "k" })).success);
    return allowed;
  },
  vectorize: (env) => env.VECTORS.query([1, 2, 3], { topK: 2 }),
  upsert: (env) => env.VECTORS.upsert([{ id: "a", values: [1, 2, 3] }]),
  ai: (env) => env.AI.run("@cf/meta/llama", { prompt: "hi" }),
  analytics: (env) => env.POINTS.writeDataPoint({ blobs: ["a"], doubles: [1], indexes: ["i"] }),
  email: async (env) => typeof env.EMAIL.send,
  images: (env) => typeof env.IMAGES.input,
  dispatch: async (env) => (await env.DISPATCH.get("tenant").fetch("http://x/")).status,
  loader: async (env) => {
    const modules = { "m.js": "export default { fetch() { return new Response('loaded'); } }" };
    const code = { compatibilityDate: "2026-01-01", mainModule: "m.js", modules };
    const made = env.LOADER.get("id", () => code);
    return (await made.getEntrypoint().fetch("http://x/")).text();
  },
  hyperdrive: ({ DATABASE }) => ({ user: DATABASE.user, database: DATABASE.database }),
  unavailable: async (env, name) => env[name].fetch("http://x/"),
  unavailableCall: async (env, name) => env[name].anything(1),
};
export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    try {
      const use = USES[url.pathname.slice(1)] ?? (() => "VERSION");
      return Response.json((await use(env, url.searchParams.get("name"))) ?? null);
    } catch (error) {
      return new Response(`${error.name}: ${error.message}`, { status: 599 });
    }
  },
};
"""
OTHER = """
import { DurableObject } from "cloudflare:workers";
export class Shared extends DurableObject { add() { return "other's object"; } }
export default { fetch() { return new Response("other"); } };
"""
UNAVAILABLE = ["browser", "mtls_certificate", "vpc_service", "flagship", "media", "something_new"]


def _bindings() -> list[dict[str, Any]]:
    key = base64.b64encode(b"k" * 32).decode()
    hmac = {"name": "HMAC", "hash": "SHA-256"}
    kinds: list[dict[str, Any]] = [
        {"name": "TEXT", "type": "plain_text", "text": "plain"},
        {"name": "SECRET", "type": "secret_text", "text": "hidden"},
        {"name": "JSON_VALUE", "type": "json", "json": {"a": [1, None]}},
        {"name": "METADATA", "type": "version_metadata"},
        {
            "name": "COUNTER",
            "type": "durable_object_namespace",
            "class_name": "Counter",
            "namespace_id": "1" * 32,
        },
        {
            "name": "OTHER",
            "type": "durable_object_namespace",
            "class_name": "Shared",
            "script_name": "other",
        },
        {"name": "FLOW", "type": "workflow", "workflow_name": "flow", "class_name": "Flow"},
        {"name": "SELF", "type": "service", "service": "app"},
        {"name": "API", "type": "service", "service": "app", "entrypoint": "Api", "props": {"p": 1}},
        {"name": "NOBODY", "type": "service", "service": "not-deployed"},
        {"name": "QUEUE", "type": "queue", "queue_name": "jobs"},
        {
            "name": "STORED",
            "type": "secrets_store_secret",
            "store_id": "s",
            "secret_name": "n",
            "text": "kept",
        },
        {
            "name": "KEY",
            "type": "secret_key",
            "algorithm": hmac,
            "format": "raw",
            "usages": ["sign"],
            "key_base64": key,
        },
        {"name": "LIMIT", "type": "ratelimit", "namespace_id": "7", "simple": {"limit": 2, "period": 60}},
        {"name": "VECTORS", "type": "vectorize", "index_name": "docs"},
        {"name": "AI", "type": "ai"},
        {"name": "POINTS", "type": "analytics_engine", "dataset": "points"},
        {"name": "EMAIL", "type": "send_email"},
        {"name": "IMAGES", "type": "images"},
        {"name": "STREAM", "type": "stream"},
        {"name": "PIPE", "type": "pipelines", "pipeline": "p"},
        {"name": "DISPATCH", "type": "dispatch_namespace", "namespace": "tenants"},
        {"name": "LOADER", "type": "worker_loader"},
        {
            "name": "DATABASE",
            "type": "hyperdrive",
            "id": "h",
            "localConnectionString": "postgres://me:pw@127.0.0.1:5999/app",
        },
        {"name": "NODATABASE", "type": "hyperdrive", "id": "h2"},
    ]
    return kinds + [{"name": f"NO_{kind}", "type": kind} for kind in UNAVAILABLE]


def _app(folder: Path, number: int) -> dict[str, Any]:
    return worker(
        folder,
        "app",
        CODE.replace("VERSION", f"v{number}"),
        number,
        bindings=_bindings(),
        tag="release",
        durable_objects=[{"class_name": "Counter", "namespace_id": "1" * 32, "sqlite": True}],
        workflows=[{"name": "flow", "class_name": "Flow"}],
    )


def _other(folder: Path) -> dict[str, Any]:
    shared = [{"class_name": "Shared", "namespace_id": "2" * 32, "sqlite": False}]
    return worker(folder, "other", OTHER, durable_objects=shared)


@pytest.fixture(scope="module", autouse=True)
def account(sidecar: Sidecar, plane: ControlPlane, folder: Path) -> None:
    plane.answers["/bindings/vectorize/docs/query"] = {"count": 1, "matches": [{"id": "a", "score": 1}]}
    plane.answers["/bindings/vectorize/docs/upsert"] = {"mutationId": "m"}
    plane.answers["/bindings/ai/run"] = {"response": "an answer"}
    sidecar.put(_app(folder, 1), _other(folder))


def _use(sidecar: Sidecar, name: str, query: str = "") -> Any:
    reply = sidecar.get("app", f"/{name}{query}")
    assert reply.status == 200, reply.text
    return reply.json


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vars", {"TEXT": "plain", "SECRET": "hidden", "JSON_VALUE": {"a": [1, None]}}),
        ("other", "other's object"),
        ("flow", "ran it"),
        ("service", "v1"),
        ("rpc", 'hello you from v1 with {"p":1}'),
        ("nested", 42),
        ("secret", "kept"),
        ("key", 32),
        ("ratelimit", [True, True, False]),
        ("vectorize", {"count": 1, "matches": [{"id": "a", "score": 1}]}),
        ("upsert", {"mutationId": "m"}),
        ("ai", {"response": "an answer"}),
        ("analytics", None),
        ("email", "function"),
        ("images", "function"),
        ("loader", "loaded"),
        ("hyperdrive", {"user": "me", "database": "app"}),
    ],
)
def test_a_binding_works(sidecar: Sidecar, name: str, expected: Any) -> None:
    assert _use(sidecar, name) == expected


def test_version_metadata(sidecar: Sidecar) -> None:
    found = _use(sidecar, "metadata")
    assert (found["id"], found["tag"]) == (version(1), "release") and found["timestamp"]


@pytest.mark.parametrize("name", [*(f"NO_{kind}" for kind in UNAVAILABLE), "NOBODY", "NODATABASE"])
@pytest.mark.parametrize("use", ["unavailable", "unavailableCall"])
def test_what_cannot_run_says_so(sidecar: Sidecar, name: str, use: str) -> None:
    reply = sidecar.get("app", f"/{use}?name={name}")
    assert reply.status == 599
    assert "BindingUnavailableError" in reply.text and f'"{name}"' in reply.text


def test_a_tenant_that_is_not_there(sidecar: Sidecar) -> None:
    assert "Worker not found." in sidecar.get("app", "/dispatch").text


def test_queue_messages_reach_the_broker(sidecar: Sidecar, plane: ControlPlane) -> None:
    _use(sidecar, "queue")
    sent = [message for body in plane.called("/bindings/queue/jobs") for message in body["messages"]]
    assert [message["content_type"] for message in sent] == ["json", "text", "bytes", "v8"]
    assert [message["delay_seconds"] for message in sent] == [0, 5, 0, 9]
    assert [base64.b64decode(message["body"]) for message in sent[:3]] == [b'{"a":1}', b"text", b"\x01\x02"]


def test_the_binding_calls_carry_the_token_and_the_model(sidecar: Sidecar, plane: ControlPlane) -> None:
    _use(sidecar, "ai")
    headers = next(headers for path, _, headers in plane.calls if path.startswith("/bindings/ai/run"))
    assert headers["authorization"] == "Bearer side-car-token"
    assert headers["cf-consn-model-id"] == "@cf/meta/llama"


def test_objects_outlive_reloads_and_versions(sidecar: Sidecar, folder: Path) -> None:
    first = _use(sidecar, "counter")
    both = [_app(folder, 1), _app(folder, 2), _other(folder)]
    sidecar.put(*both, routing=routed(*both, shares={"app": {1: 30, 2: 70}}))
    counts = [_use(sidecar, "counter") for _ in range(6)]
    assert counts == list(range(first + 1, first + 7))
    header = {"Cloudflare-Workers-Version-Overrides": f'app="{version(1)}"'}
    assert sidecar.get("app", "/counter", **header).json == first + 7


def test_a_service_binding_follows_the_deployment(sidecar: Sidecar, folder: Path) -> None:
    both = [_app(folder, 1), _app(folder, 2), _other(folder)]
    sidecar.put(*both, routing=routed(*both, shares={"app": {1: 50, 2: 50}}))
    assert {_use(sidecar, "service") for _ in range(40)} == {"v1", "v2"}
    assert {_use(sidecar, "rpc") for _ in range(40)} == {
        'hello you from v1 with {"p":1}',
        'hello you from v2 with {"p":1}',
    }
    assert _use(sidecar, "nested") == 42
    sidecar.put(*both, routing=routed(*both, shares={"app": {1: 0, 2: 100}}))
    assert {_use(sidecar, "service") for _ in range(10)} == {"v2"}
