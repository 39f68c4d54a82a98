"""Workflows over the API: real instances, seen by the Worker's binding too; schedules that fire."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.sandbox.upload import ECHO, deploy, split
from trailboss.sandbox.workers import cron

CODE = """
import { WorkflowEntrypoint } from "cloudflare:workers";
export class Flow extends WorkflowEntrypoint {
  async run(event, step) {
    if (event.payload.fail) throw new Error("as asked");
    const said = await step.do("say", async () => `hello ${event.payload.who ?? "nobody"}`);
    if (event.payload.wait) await step.waitForEvent("wait", { type: "go", timeout: "1 hour" });
    return said;
  }
}
export default {
  async fetch(request, env) {
    const made = await env.FLOW.create({ params: { who: "binding" } });
    return Response.json({ id: made.id, seen: (await (await env.FLOW.get(made.id)).status()).status });
  },
};
"""
BINDING = {"type": "workflow", "name": "FLOW", "workflow_name": "flow", "class_name": "Flow"}


@pytest.fixture
def flow(account: Sandbox) -> str:
    deploy(account, "app", {"bindings": [BINDING]}, CODE)
    path = f"{account.account}/workflows/flow"
    account.call("PUT", path, {"script_name": "app", "class_name": "Flow"})
    return path


def until(account: Sandbox, path: str, wanted: Callable[[Any], bool]) -> Any:
    """What the path answers once it is as wanted."""
    end = time.monotonic() + 20
    while not wanted(found := account.call("GET", path)):
        assert time.monotonic() < end, found
    return found


def test_an_instance_runs_to_its_end(account: Sandbox, flow: str) -> None:
    made = account.call("POST", f"{flow}/instances", {"instance_id": "one", "params": {"who": "api"}})
    assert (made["id"], made["trigger_source"]) == ("one", "api")
    done = until(account, f"{flow}/instances/one", lambda it: it["status"] == "complete")
    assert (done["output"], done["success"], done["params"]) == ("hello api", True, {"who": "api"})
    assert account.call("POST", f"{flow}/instances", {"instance_id": "one"}, expect=409)["code"] == 10202
    assert account.call("GET", f"{flow}/instances/two", expect=404)["code"] == 10201
    account.call("POST", f"{flow}/instances", {"instance_id": "bad", "params": '{"fail": true}'})
    failed = until(account, f"{flow}/instances/bad", lambda it: it["status"] == "errored")
    assert failed["error"]["message"] == "as asked" and failed["success"] is False
    counts = account.call("GET", flow)["instances"]
    assert (counts["complete"], counts["errored"]) == (1, 1)
    assert [one["id"] for one in account.call("GET", f"{flow}/instances/?status=errored")] == ["bad"]


def test_the_binding_sees_the_same_instances(account: Sandbox, flow: str) -> None:
    made = account.worker("app").json()
    found = until(account, f"{flow}/instances/{made['id']}", lambda it: it["status"] == "complete")
    assert (found["output"], found["trigger"]["source"]) == ("hello binding", "binding")


def test_waiting_events_and_statuses(account: Sandbox, flow: str) -> None:
    one = f"{flow}/instances/w"
    account.call("POST", f"{flow}/instances", {"instance_id": "w", "params": {"wait": True}})
    until(account, one, lambda it: it["status"] in ("waiting", "running"))
    account.call("POST", f"{one}/events/go", {"n": 1})
    until(account, one, lambda it: it["status"] == "complete")
    account.call("PATCH", f"{one}/status", {"status": "restart"})
    until(account, one, lambda it: it["status"] in ("waiting", "running"))
    assert account.call("PATCH", f"{one}/status", {"status": "terminate"})["status"] == "terminated"
    account.call("PATCH", f"{one}/status", {"status": "fly"}, expect=400)
    account.call("DELETE", flow)
    account.call("GET", one, expect=404)


def test_a_schedule_fires_on_the_sandboxs_clock(account: Sandbox, flow: str) -> None:
    body = {"script_name": "app", "class_name": "Flow", "schedules": [{"cron": "*/5 * * * *"}]}
    account.call("PUT", flow, {**body, "limits": {"steps": 10}})
    shown = account.call("GET", flow)
    assert shown["schedules"][0]["cron"] == "*/5 * * * *" and shown["schedules"][0]["next_instance"]
    assert account.call("GET", f"{flow}/versions")[0]["limits"] == {"steps": 10}
    account.control("PUT", "clock", {"advance": 300})
    found = until(account, f"{flow}/instances", lambda it: len(it) > 0)
    assert found[0]["trigger_source"] == "cron"
    wrong = {**body, "schedules": [{"cron": "every day"}]}
    assert account.call("PUT", flow, wrong, expect=400)["code"] == 10100
    many = {**body, "schedules": [{"cron": f"{n % 60} {n // 60} * * *"} for n in range(101)]}
    assert account.call("PUT", flow, many, expect=400)["code"] == 10100


def test_the_hidden_worker_is_hidden(account: Sandbox, flow: str) -> None:
    assert [one["id"] for one in account.call("GET", f"{account.account}/workers/scripts")] == ["app"]
    account.call("PUT", f"{account.account}/workflows/second", {"script_name": "app", "class_name": "Flow"})
    account.call("POST", f"{account.account}/workflows/second/instances", {"instance_id": "x"})
    until(account, f"{account.account}/workflows/second/instances/x", lambda it: it["status"] == "complete")


def test_what_is_due() -> None:
    entries = [("a", "*/10 * * * *"), ("b", "5 * * * *")]
    assert cron.due(entries, 0, 1200) == [
        (300, "b", "5 * * * *"),
        *((n, "a", "*/10 * * * *") for n in (600, 1200)),
    ]
    assert cron.next_moment(entries, 0) == 300 and cron.next_moment([], 0) is None


def test_a_workflow_may_name_a_class_that_the_live_version_lacks(account: Sandbox) -> None:
    flow = (
        'import { WorkflowEntrypoint } from "cloudflare:workers"; '
        "export class Flow extends WorkflowEntrypoint {}"
    )
    deploy(account, "hello")
    made = account.call(
        "PUT", f"{account.account}/workflows/early", {"script_name": "hello", "class_name": "Nobody"}
    )
    assert made["class_name"] == "Nobody"
    assert account.worker("hello").status_code == 200
    account.call("DELETE", f"{account.account}/workflows/early")
    deploy(account, "hello", code=f"{ECHO}\n{flow}")
    account.call("PUT", f"{account.account}/workflows/flow", {"script_name": "hello", "class_name": "Flow"})
    split(account, "hello", (_first_version(account), 100))
    assert account.worker("hello").status_code == 200


def _first_version(account: Sandbox) -> str:
    versions = account.call("GET", f"{account.account}/workers/scripts/hello/versions")["items"]
    return str(versions[-1]["id"])
