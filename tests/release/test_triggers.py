"""Triggers of a Worker that is live: read first, written only when they differ, healed one by one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.release.conftest import Desk
from trailboss.errors import ReleaseError
from trailboss.release.draft import create_draft
from trailboss.release.outcomes import TriggerReport, TriggerState
from trailboss.release.triggers import deploy_triggers
from trailboss.release.triggers.addresses import read_addresses
from trailboss.release.triggers.subdomain import preview_url, wants
from trailboss.release.triggers.zones import candidates

UPDATED, UNCHANGED, FAILED = TriggerState.UPDATED, TriggerState.UNCHANGED, TriggerState.FAILED


@pytest.fixture
def zone(desk: Desk) -> str:
    """The id of example.com; the Workers `hello` and `other` exist."""
    for name in ("hello", "other"):
        desk.run(lambda cloud, name=name: create_draft(cloud, name))  # type: ignore[misc]
    found = desk.account.call("GET", "/zones?name=example.com")
    if not found:
        account = {"id": desk.account.connection.account_id}
        found = [
            desk.account.call("POST", "/zones", {"name": "example.com", "account": account, "type": "full"})
        ]
    return str(found[0]["id"])


def triggers(
    desk: Desk, settings: dict[str, Any], name: str = "hello", **more: Any
) -> dict[str, TriggerReport]:
    reports = desk.run(lambda cloud: deploy_triggers(cloud, name, {"workers_dev": False, **settings}, **more))
    return {report.kind: report for report in reports}


def test_routes_are_replaced_as_a_whole(desk: Desk, zone: str) -> None:
    both = {"routes": ["a.example.com/*", {"pattern": "b.example.com/x*", "zone_name": "example.com"}]}
    assert triggers(desk, both)["routes"].state is UPDATED
    assert triggers(desk, both)["routes"].state is UNCHANGED and desk.writes == []
    assert triggers(desk, {"route": "a.example.com/*"})["routes"].state is UPDATED
    found = desk.account.call("GET", f"/zones/{zone}/workers/routes")
    assert [(item["pattern"], item["script"]) for item in found] == [("a.example.com/*", "hello")]


def test_routes_go_zone_by_zone_with_a_token_for_some_zones(desk: Desk, zone: str) -> None:
    rule = {"effect": "status", "status": 403, "code": 10000, "method": "PUT", "path": "*/scripts/*/routes"}
    desk.account.control("PUT", "faults", [rule])
    assert triggers(desk, {"routes": ["a.example.com/*"]})["routes"].state is UPDATED
    taken = triggers(desk, {"routes": ["a.example.com/*", "c.example.com/*"]}, name="other")["routes"]
    assert taken.state is FAILED and "hello" in str(taken.error)
    nowhere = triggers(desk, {"routes": ["elsewhere.org/*"]})["routes"]
    assert nowhere.state is FAILED and "elsewhere.org" in str(nowhere.error) and nowhere.hint


def test_custom_domains_ask_before_they_override(desk: Desk, zone: str) -> None:
    record = {"type": "A", "name": "app.example.com", "content": "192.0.2.1", "proxied": True, "ttl": 1}
    desk.account.call("POST", f"/zones/{zone}/dns_records", record)
    settings = {"routes": [{"pattern": "app.example.com", "custom_domain": True}]}
    refused = triggers(desk, settings)["custom domains"]
    assert (
        refused.state is FAILED and "app.example.com" in str(refused.error) and "--yes" in str(refused.hint)
    )
    asked: list[str] = []
    done = triggers(desk, settings, confirm=lambda text: not asked.append(text))["custom domains"]
    assert done.state is UPDATED and "DNS records exist" in asked[0]
    assert triggers(desk, settings)["custom domains"].state is UNCHANGED and desk.writes == []


def test_a_custom_domain_of_another_worker(desk: Desk, zone: str) -> None:
    settings = {"routes": [{"pattern": "app.example.com", "custom_domain": True}]}
    assert triggers(desk, settings)["custom domains"].state is UPDATED
    refused = triggers(desk, settings, name="other")["custom domains"]
    assert refused.state is FAILED and "hello" in str(refused.error)
    assert triggers(desk, settings, name="other", confirm=lambda _: True)["custom domains"].state is UPDATED


def test_workers_dev_and_schedules(desk: Desk, zone: str) -> None:
    on: dict[str, Any] = {
        "workers_dev": True,
        "preview_urls": False,
        "triggers": {"crons": ["*/5 * * * *", "0 0 * * *"]},
    }
    first = triggers(desk, on)
    assert (first["workers.dev"].state, first["schedules"].state) == (UPDATED, UPDATED)
    assert first["workers.dev"].targets[0].startswith("http")
    assert {report.state for report in triggers(desk, on).values()} == {UNCHANGED}
    assert triggers(desk, {"triggers": {"crons": []}})["schedules"].state is UPDATED
    assert triggers(desk, {"triggers": {"crons": []}}) == {} and desk.writes == []
    planned = triggers(desk, on, dry_run=True)
    assert planned["schedules"].state is TriggerState.PLANNED and desk.writes == []


def test_what_changes_without_being_mentioned_is_said(desk: Desk, zone: str) -> None:
    triggers(desk, {"workers_dev": True})
    found = desk.run(lambda cloud: deploy_triggers(cloud, "hello", {"routes": ["a.example.com/*"]}))
    assert any("workers_dev is not in the config" in text for report in found for text in report.warnings)


def test_queue_consumers(desk: Desk) -> None:
    desk.write()
    desk.deploy()
    account = desk.account
    queue = account.call("POST", f"{account.account}/queues", {"queue_name": "jobs"})
    consumer: dict[str, Any] = {
        "queue": "jobs",
        "max_batch_size": 5,
        "max_batch_timeout": 2,
        "max_retries": 4,
    }
    settings = {"queues": {"consumers": [consumer]}}
    assert triggers(desk, settings)["queue consumer"].state is UPDATED
    assert triggers(desk, settings)["queue consumer"].state is UNCHANGED and desk.writes == []
    consumer["max_retries"] = 1
    assert triggers(desk, settings)["queue consumer"].state is UPDATED
    found = account.call("GET", f"{account.account}/queues/{queue['queue_id']}/consumers")
    assert len(found) == 1 and found[0]["settings"]["max_retries"] == 1
    assert found[0]["settings"]["max_wait_time_ms"] == 2000


def test_a_queue_that_is_pulled_and_a_dead_letter_queue_that_goes(desk: Desk) -> None:
    desk.write()
    desk.deploy()
    account = desk.account
    queues = {
        name: account.call("POST", f"{account.account}/queues", {"queue_name": name})["queue_id"]
        for name in ("jobs", "pulled")
    }
    jobs: dict[str, Any] = {"queue": "jobs", "dead_letter_queue": "pulled"}
    pulled: dict[str, Any] = {"queue": "pulled", "type": "http_pull", "visibility_timeout_ms": 5000}
    settings = {"queues": {"consumers": [jobs, pulled]}}
    triggers(desk, settings)
    triggers(desk, settings)
    assert desk.writes == []
    del jobs["dead_letter_queue"]
    pulled["max_retries"] = 7
    triggers(desk, settings)
    (first,) = account.call("GET", f"{account.account}/queues/{queues['jobs']}/consumers")
    (second,) = account.call("GET", f"{account.account}/queues/{queues['pulled']}/consumers")
    assert not first.get("dead_letter_queue") and first["script"] == "hello"
    assert (second["type"], second["settings"]["max_retries"]) == ("http_pull", 7)
    assert second["settings"]["visibility_timeout_ms"] == 5000
    triggers(desk, settings)
    assert desk.writes == []


def test_a_queue_the_worker_also_sends_to_is_made_on_the_way(desk: Desk) -> None:
    desk.write(queues={"producers": [{"binding": "JOBS", "queue": "own"}], "consumers": [{"queue": "own"}]})
    report = desk.deploy().workers[0]
    assert {item.kind: item.state for item in report.triggers}["queue consumer"] is UPDATED
    queues = desk.account.call("GET", f"{desk.account.account}/queues?name=own")
    assert [item["script"] for item in queues[0]["consumers"]] == [report.worker]
    assert desk.deploy().workers[0].outcome == "unchanged"


def test_workflows(desk: Desk) -> None:
    code = (
        'import { WorkflowEntrypoint } from "cloudflare:workers";\n'
        "export class Flow extends WorkflowEntrypoint {}\n"
    )
    flow: dict[str, Any] = {"name": "flow", "binding": "FLOW", "class_name": "Flow"}
    flow |= {"schedules": ["0 1 * * *"], "limits": {"steps": 20}}
    desk.write(workflows=[flow])
    file = desk.folder / "index.js"
    file.write_text(code + file.read_text())
    report = desk.deploy().workers[0]
    assert [(item.kind, item.state) for item in report.triggers if item.kind == "workflow"] == [
        ("workflow", UPDATED)
    ]
    assert desk.deploy().workers[0].outcome == "unchanged"
    for key in ("schedules", "limits"):
        del flow[key]
        settings = {"workflows": [flow]}
        assert triggers(desk, settings)["workflow"].state is UPDATED, key
        assert triggers(desk, settings)["workflow"].state is UNCHANGED, key


def test_one_failure_does_not_stop_the_others(desk: Desk, zone: str) -> None:
    rule = {
        "effect": "status",
        "status": 400,
        "code": 10022,
        "method": "PUT",
        "path": "*/scripts/*/routes",
        "times": 1,
    }
    desk.account.control("PUT", "faults", [rule])
    settings = {"routes": ["a.example.com/*"], "triggers": {"crons": ["*/5 * * * *"]}}
    first = triggers(desk, settings)
    assert (first["routes"].state, first["schedules"].state) == (FAILED, UPDATED)
    again = triggers(desk, settings)
    assert (again["routes"].state, again["schedules"].state) == (UPDATED, UNCHANGED)


def test_no_such_worker(desk: Desk) -> None:
    with pytest.raises(ReleaseError) as caught:
        triggers(desk, {})
    assert caught.value.code == "TB4010"


def test_addresses() -> None:
    assert read_addresses({}) is None
    assert read_addresses({"routes": []}) == ()
    assert [item.pattern for item in read_addresses({"route": "a.b/*"}) or ()] == ["a.b/*"]
    host, zoned = (
        read_addresses({"routes": ["https://*.x.example.co.uk:443/p*", {"pattern": "a.b", "zone_name": "b"}]})
        or ()
    )
    assert candidates(host) == ["x.example.co.uk", "example.co.uk", "co.uk"]
    assert candidates(zoned) == ["b"]


def test_workers_dev_rules() -> None:
    assert wants({}) == (True, None)
    assert wants({"routes": ["a.b/*"]}) == (False, None)
    assert wants({"routes": [], "preview_urls": False}) == (True, False)
    assert wants({"workers_dev": True, "route": "a.b/*"}) == (True, None)
    record = {
        "subdomain": {
            "previews_enabled": True,
            "preview_url_suffix": "-w.s.workers.dev",
            "url": "https://w.s.workers.dev",
        }
    }
    assert preview_url(record, "abc") == "https://abc-w.s.workers.dev"
    assert preview_url({"subdomain": {"preview_url_suffix": "-w.s"}}, "abc") is None
