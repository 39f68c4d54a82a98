"""Notifications: policies are checked, webhooks tested and called, secrets never shown."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.conftest import Sandbox
from trailboss.sandbox.products.alert_delivery import concerns, kind_of, loopback
from trailboss.sandbox.products.alert_types import CATALOGUE, FILTERS, REQUIRED, TYPES


class Receiver:
    """A webhook on this machine: what it got, and what it answers."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], Any]] = []
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.got.append((headers, json.loads(body)))
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def root(account: Sandbox) -> str:
    return f"{account.account}/alerting/v3"


def policy(hook: str, **changes: Any) -> dict[str, Any]:
    mechanisms = {"webhooks": [{"id": hook}], "email": [{"id": "ops@example.com"}]}
    wanted = {"name": "p", "alert_type": "tunnel_health_event", "enabled": True, "mechanisms": mechanisms}
    return {**wanted, **changes}


def test_a_webhook_is_tested_and_hides_its_secret(account: Sandbox, root: str, receiver: Receiver) -> None:
    hooks = f"{root}/destinations/webhooks"
    wanted = {"name": "h", "url": receiver.url, "secret": "hush"}
    made = account.call("POST", hooks, wanted)
    assert set(made) == {"id"}
    ((headers, body),) = receiver.got
    assert headers["cf-webhook-auth"] == "hush" and set(body) == {"text"}
    shown = account.http.get(f"{account.connection.api_url}{hooks}")
    assert "hush" not in shown.text and shown.json()["result"][0]["last_success"]
    receiver.status = 500
    error = account.call("POST", hooks, {**wanted, "name": "other"}, expect=400)
    assert error["code"] == 0 and "500" in error["message"]
    assert len(account.call("GET", hooks)) == 1
    receiver.status = 204
    account.call("PUT", f"{hooks}/{made['id']}", {"name": "h2", "url": receiver.url})
    assert receiver.got[-1][0]["cf-webhook-auth"] == "hush"


@pytest.mark.parametrize(
    ("url", "code"),
    [("ftp://example.com", 17100), ("nonsense", 17100), ("https://example.com:8443/x", 17100)],
)
def test_addresses_that_cannot_be_called(account: Sandbox, root: str, url: str, code: int) -> None:
    error = account.call("POST", f"{root}/destinations/webhooks", {"name": "h", "url": url}, expect=400)
    assert error["code"] == code


def test_nobody_off_this_machine_is_called(account: Sandbox, root: str) -> None:
    made = account.call(
        "POST", f"{root}/destinations/webhooks", {"name": "h", "url": "https://example.com/x"}
    )
    hook = account.call("GET", f"{root}/destinations/webhooks/{made['id']}")
    assert hook["last_success"] is hook["last_failure"] is None
    assert loopback("http://a.workers.localhost:1/") and loopback("http://[::1]/")
    assert not loopback("http://10.0.0.1/") and not loopback("https://localhost.example.com/")
    assert kind_of("https://hooks.slack.com/x") == "slack" and kind_of("https://slack.com/x") == "generic"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"alert_type": "no_such_alert"}, 17100),
        ({"mechanisms": {}}, 17102),
        ({"mechanisms": {"webhooks": [{"id": "0" * 32}]}}, 17102),
        ({"mechanisms": {"pagerduty": [{"id": "0" * 32}]}}, 17102),
        ({"alert_type": "billing_usage_alert"}, 17103),
        ({"filters": {"new_status": ["SIDEWAYS"]}}, 17103),
    ],
)
def test_policies_that_are_refused(account: Sandbox, root: str, change: dict[str, Any], code: int) -> None:
    hook = account.call("POST", f"{root}/destinations/webhooks", {"name": "h", "url": "https://example.com"})
    error = account.call("POST", f"{root}/policies", policy(hook["id"], **change), expect=400)
    assert error["code"] == code
    account.call("POST", f"{root}/policies", policy(hook["id"]))


def test_an_alert_reaches_whom_it_concerns(account: Sandbox, root: str, receiver: Receiver) -> None:
    hook = account.call("POST", f"{root}/destinations/webhooks", {"name": "h", "url": receiver.url})["id"]
    wanted = policy(hook, filters={"new_status": ["TUNNEL_STATUS_TYPE_DOWN"]})
    made = account.call("POST", f"{root}/policies", wanted)["id"]
    account.call("POST", f"{root}/policies", policy(hook, enabled=False))
    receiver.got.clear()
    down = {"alert_type": "tunnel_health_event", "data": {"new_status": "TUNNEL_STATUS_TYPE_DOWN"}}
    up = {"alert_type": "tunnel_health_event", "data": {"new_status": "TUNNEL_STATUS_TYPE_HEALTHY"}}
    account.control("POST", "seed", {"alerts": [down, up]})
    ((_, body),) = receiver.got
    assert (body["policy_id"], body["alert_event"]) == (made, "ALERT_STATE_EVENT_START")
    assert set(body) >= {"name", "text", "data", "ts", "account_id", "policy_name", "alert_correlation_id"}
    history = account.call("GET", f"{root}/history")
    assert [(one["mechanism_type"], one["policy_id"]) for one in history] == [
        ("webhook", made),
        ("email", made),
    ]
    assert account.call("GET", f"{root}/history?since=2999-01-01T00:00:00Z") == []
    silence = {"policy_id": made, "start_time": "2020-01-01T00:00:00Z", "end_time": "2999-01-01T00:00:00Z"}
    account.call("POST", f"{root}/silences", [silence])
    assert account.control("POST", "seed", {"alerts": [down]}) == {"alerts": []}


def test_workers_alerts_are_there_though_the_sdk_lacks_them(account: Sandbox, root: str) -> None:
    email = {"email": [{"id": "ops@example.com"}]}
    made = account.call("POST", f"{root}/policies", policy("", alert_type="workers_alert", mechanisms=email))
    account.call("PUT", f"{root}/policies/{made['id']}", {"enabled": False})
    shown = account.call("GET", f"{root}/policies/{made['id']}")
    assert (shown["alert_type"], shown["enabled"], shown["mechanisms"]) == ("workers_alert", False, email)
    account.call("DELETE", f"{root}/policies/{made['id']}")
    account.call("GET", f"{root}/policies/{made['id']}", expect=404)


def test_the_catalogue_is_of_one_piece() -> None:
    assert FILTERS.keys() <= TYPES and REQUIRED.keys() <= FILTERS.keys()
    assert all(set(names) <= FILTERS[kind].keys() for kind, names in REQUIRED.items())
    assert len(" ".join(CATALOGUE.values()).split()) == len(TYPES)
    off = {"enabled": False, "alert_type": "x", "filters": {}}
    assert not concerns(off, {"alert_type": "x"}) and concerns({**off, "enabled": True}, {"alert_type": "x"})
