"""What is not a request: cron, queue batches; and the traces of everything."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.sidecar.driver import ControlPlane, Sidecar, routed, says, version, worker

CODE = """
import { DurableObject } from "cloudflare:workers";
export class Thing extends DurableObject { poke() { console.log("poked"); return 1; } }
const show = (body) => {
  if (body instanceof Map) return `map ${[...body]}`;
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return `bytes ${new Uint8Array(body)}`;
  return JSON.stringify(body);
};
export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    if (url.pathname === "/v8") await env.Q.send(new Map([[1, 2]]), { contentType: "v8" });
    if (url.pathname === "/throw") throw new TypeError("thrown here");
    const thing = env.THING.get(env.THING.idFromName("a"));
    if (url.pathname === "/object") return Response.json(await thing.poke());
    console.log("a line", { n: 1 });
    console.error("an error");
    return new Response("fine", { status: 201 });
  },
  async scheduled(controller) {
    console.log(controller.cron, controller.scheduledTime);
    if (controller.cron === "0 0 1 1 *") throw new Error("cron failed");
  },
  async queue(batch) {
    for (const message of batch.messages) console.log(message.id, message.attempts, show(message.body));
    if (batch.queue === "retry-all") batch.retryAll({ delaySeconds: 3 });
    else if (batch.queue === "failing") throw new Error("batch failed");
    else if (batch.queue === "mixed") {
      batch.messages[0].ack();
      batch.messages[1].retry({ delaySeconds: 7 });
    } else batch.ackAll();
  },
};
"""


@pytest.fixture(scope="module", autouse=True)
def account(sidecar: Sidecar, folder: Path) -> None:
    bindings = [
        {"name": "Q", "type": "queue", "queue_name": "jobs"},
        {
            "name": "THING",
            "type": "durable_object_namespace",
            "class_name": "Thing",
            "namespace_id": "3" * 32,
        },
    ]
    objects = [{"class_name": "Thing", "namespace_id": "3" * 32, "sqlite": True}]
    tail = """
        export default {
          fetch: () => new Response("tail"),
          tail(events) {
            const { request } = events[0].event;
            console.log(events.length, request.url, JSON.stringify(events[0]), request.getUnredacted().url);
          },
        };
    """
    by_class = """
        import { WorkerEntrypoint } from "cloudflare:workers";
        export class Named extends WorkerEntrypoint { name() { return "named"; } }
        export default class extends WorkerEntrypoint {
          fetch() { return new Response("class"); }
          tail([item]) { this.note("of", item.scriptName, item.scriptVersion, item.outcome); }
          note(...said) { console.log(...said); }
        }
    """
    sidecar.put(
        worker(folder, "app", CODE, bindings=bindings, durable_objects=objects),
        worker(folder, "consumer", tail),
        worker(folder, "by-class", by_class),
        worker(
            folder,
            "watched",
            says("watched"),
            tail_consumers=[{"service": "consumer"}, {"service": "by-class"}],
            tag="v1.2",
        ),
    )


def _message(key: str, kind: str, body: bytes, attempts: int = 1) -> dict[str, Any]:
    encoded = base64.b64encode(body).decode()
    return {
        "id": key,
        "timestamp": 1700000000000,
        "attempts": attempts,
        "content_type": kind,
        "body": encoded,
    }


def _batch(sidecar: Sidecar, queue: str, *messages: dict[str, Any]) -> Any:
    return sidecar.done(
        "POST", "/trigger/queue", {"script": "app", "queue": queue, "messages": list(messages)}
    )


def test_cron(sidecar: Sidecar, plane: ControlPlane) -> None:
    fired = {"script": "app", "cron": "*/5 * * * *", "scheduled_time": 1700000000000}
    assert sidecar.done("POST", "/trigger/scheduled", fired)["outcome"] == "ok"
    item = plane.trace(lambda item: (item["event"] or {}).get("cron") == "*/5 * * * *")
    assert item["event"] == {"cron": "*/5 * * * *", "scheduledTime": 1700000000000}
    assert item["logs"][0]["message"] == ["*/5 * * * *", 1700000000000]
    failed = {"script": "app", "cron": "0 0 1 1 *"}
    assert sidecar.done("POST", "/trigger/scheduled", failed)["outcome"] == "exception"
    assert sidecar.control("POST", "/trigger/scheduled", {"script": "none", "cron": "x"}).status == 404


def test_queue_bodies_keep_their_types(sidecar: Sidecar, plane: ControlPlane) -> None:
    sidecar.get("app", "/v8")
    v8 = base64.b64decode(plane.called("/bindings/queue/jobs")[0]["messages"][0]["body"])
    answer = _batch(
        sidecar,
        "kinds",
        _message("j", "json", b'{"a":[1]}', 2),
        _message("t", "text", "ü".encode()),
        _message("b", "bytes", b"\x00\xff"),
        _message("v", "v8", v8),
    )
    assert (answer["outcome"], answer["ack_all"]) == ("ok", True)
    item = plane.trace(lambda item: (item["event"] or {}).get("queue") == "kinds")
    assert item["event"]["batchSize"] == 4
    assert [line["message"] for line in item["logs"]] == [
        ["j", 2, '{"a":[1]}'],
        ["t", 1, '"ü"'],
        ["b", 1, "bytes 0,255"],
        ["v", 1, "map 1,2"],
    ]


def test_queue_outcomes(sidecar: Sidecar) -> None:
    two = (_message("a", "text", b"a"), _message("b", "text", b"b"))
    mixed = _batch(sidecar, "mixed", *two)
    assert (mixed["ack_all"], mixed["explicit_acks"]) == (False, ["a"])
    assert mixed["retries"] == [{"id": "b", "delay_seconds": 7}]
    assert _batch(sidecar, "retry-all", *two)["retry_batch"] == {"retry": True, "delay_seconds": 3}
    assert _batch(sidecar, "failing", *two)["outcome"] == "exception"


def test_a_trace_of_a_request(sidecar: Sidecar, plane: ControlPlane) -> None:
    started = time.time()
    assert sidecar.get("app", "/traced?x=1").status == 201
    item = plane.trace(lambda item: "/traced" in str((item["event"] or {}).get("request")))
    assert time.time() - started < 2
    assert (item["script"], item["scriptName"], item["version"]) == ("app", "app", version(1))
    assert item["scriptVersion"] == {"id": version(1)}
    assert item["outcome"] == "ok" and item["truncated"] is False
    assert item["event"]["response"] == {"status": 201}
    request = item["event"]["request"]
    assert (request["method"], request["url"]) == ("GET", "http://app.dev.workers.localhost/traced?x=1")
    assert request["headers"]["cf-ray"] and request["cf"]["colo"]
    assert [(line["level"], line["message"]) for line in item["logs"]] == [
        ("log", ["a line", {"n": 1}]),
        ("error", ["an error"]),
    ]
    assert abs(item["eventTimestamp"] / 1000 - started) < 60


def test_a_trace_of_an_exception(sidecar: Sidecar, plane: ControlPlane) -> None:
    sidecar.get("app", "/throw")
    item = plane.trace(lambda item: item["outcome"] == "exception" and "/throw" in str(item["event"]))
    (thrown,) = item["exceptions"]
    assert (thrown["name"], thrown["message"]) == ("TypeError", "thrown here")
    assert "index.js:13" in thrown["stack"] and "file:" not in thrown["stack"]


def test_a_trace_of_an_object_call(sidecar: Sidecar, plane: ControlPlane) -> None:
    sidecar.get("app", "/object")
    item = plane.trace(lambda item: (item["event"] or {}).get("rpcMethod") == "poke")
    assert (item["entrypoint"], item["logs"][0]["message"]) == ("Thing", ["poked"])


def test_a_tail_consumer_gets_the_events(sidecar: Sidecar, plane: ControlPlane) -> None:
    sidecar.get("watched", "/seen")
    item = plane.trace(lambda item: item["script"] == "consumer" and bool(item["logs"]))
    url = "http://watched.dev.workers.localhost/seen"
    count, seen, text, unredacted = item["logs"][0]["message"]
    assert (count, seen, unredacted) == (1, url, url)
    told = json.loads(text)
    assert (told["scriptName"], told["outcome"]) == ("watched", "ok")
    assert told["scriptVersion"] == {"id": version(1), "tag": "v1.2"}
    assert (told["event"]["request"]["url"], told["event"]["response"]) == (url, {"status": 200})
    classy = plane.trace(lambda item: item["script"] == "by-class" and bool(item["logs"]))
    assert classy["logs"][0]["message"] == ["of", "watched", told["scriptVersion"], "ok"]
    live = plane.trace(lambda item: item["script"] == "watched")
    assert live["scriptVersion"] == told["scriptVersion"]


def test_listening_is_switched_without_a_reload(sidecar: Sidecar, plane: ControlPlane) -> None:
    swaps = sidecar.done("GET", "/stats")["swaps"]
    sidecar.done("PUT", "/trace", {"scripts": []})
    sidecar.get("watched", "/unheard")
    sidecar.done("PUT", "/trace", {"scripts": ["watched"]})
    sidecar.get("app", "/unheard-too")
    sidecar.get("watched", "/heard")
    plane.trace(lambda item: "/heard" in str(item["event"]))
    sidecar.done("PUT", "/trace", {"scripts": "all"})
    assert not [item for item in plane.traces if "unheard" in str(item["event"])]
    assert sidecar.done("GET", "/stats")["swaps"] == swaps


def test_no_trace_is_lost_in_a_swap(sidecar: Sidecar, plane: ControlPlane, folder: Path) -> None:
    for number in range(2, 6):
        sidecar.put(worker(folder, "late", says("x"), number))
        for part in range(5):
            sidecar.get("late", f"/late-{number}-{part}")
    sidecar.put(worker(folder, "late", says("x"), 9))
    wanted = {f"/late-{number}-{part}" for number in range(2, 6) for part in range(5)}

    def seen() -> bool:
        urls = " ".join(str((item["event"] or {}).get("request", {}).get("url")) for item in plane.traces)
        return all(name in urls for name in wanted)

    plane.wait(seen)


def test_a_split_tail_worker_and_a_dispatched_one(
    sidecar: Sidecar, folder: Path, plane: ControlPlane
) -> None:
    """The version with the larger share is told; the Worker goes by its name in the namespace."""
    tail = "export default { tail([item]) { console.log(JSON.stringify(item)); } };"
    workers = [
        worker(folder, "split", tail, 1),
        worker(folder, "split", tail, 2),
        worker(folder, "hidden", says("hidden"), tail_consumers=[{"service": "split"}, {"service": "gone"}]),
    ]
    dispatch = {"hidden": {"namespace": "customers", "name": "acme"}}
    for shares, told in (({1: 10, 2: 90}, version(2)), ({1: 90, 2: 10}, version(1))):
        sidecar.put(*workers, routing=routed(*workers, shares={"split": shares}, dispatch=dispatch))
        assert sidecar.get("hidden").text == "hidden"
        item = plane.trace(lambda item, told=told: item["script"] == "split" and item["version"] == told)
        seen = json.loads(item["logs"][0]["message"][0])
        assert (seen["scriptName"], seen["dispatchNamespace"]) == ("acme", "customers")
