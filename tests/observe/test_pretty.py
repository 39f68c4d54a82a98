from __future__ import annotations

import json
from typing import Any

import pytest

from trailboss.observe.events import decode
from trailboss.observe.items import Connected, Gap, Overload, Received, Unreadable
from trailboss.observe.pretty import as_json, as_text


def received(**fields: Any) -> Received:
    frame = json.dumps(
        {"outcome": "ok", "scriptName": "w", "eventTimestamp": 0, "exceptions": [], "logs": [], **fields}
    )
    return Received("w", decode(frame), frame)


@pytest.mark.parametrize(
    ("event", "begins"),
    [
        (
            {"request": {"url": "https://a/", "method": "GET"}, "response": {"status": 200}},
            "GET https://a/ 200 - Ok @ 19",
        ),
        ({"cron": "* * * * *", "scheduledTime": 0}, '"* * * * *" - Ok @ '),
        ({"queue": "q", "batchSize": 1}, "Queue q (1 message) - Ok"),
        ({"queue": "q", "batchSize": 3}, "Queue q (3 messages) - Ok"),
        ({"mailFrom": "a@b", "rcptTo": "c@d", "rawSize": 5}, "Email from:a@b to:c@d size:5 - Ok"),
        ({"scheduledTime": "2026-01-01"}, "Alarm - Ok"),
        ({"rpcMethod": "add"}, "Math.add - Ok"),
        ({"consumedEvents": [{"scriptName": "a"}, {"scriptName": "b"}]}, "Tailing a,b - Ok"),
        (None, "Unknown Event - Ok"),
        ({}, "Unknown Event - Ok"),
    ],
)
def test_headlines(event: dict[str, Any] | None, begins: str) -> None:
    assert as_text(received(event=event, entrypoint="Math")).startswith(begins.replace("@ 19", "@ "))


def test_logs_and_exceptions() -> None:
    item = received(
        outcome="exception",
        event=None,
        scriptVersion={"id": "12345678-aaaa"},
        logs=[{"message": ["two\nlines", {"a": 1}], "level": "warn", "timestamp": 0}],
        exceptions=[
            {
                "name": "Error",
                "message": "no",
                "timestamp": 0,
                "stack": "Error: no\n    at fetch (index.js:1:2)",
            }
        ],
        truncated=True,
    )
    lines = as_text(item, prefix="w  ").split("\n")
    assert lines[0].startswith("w  Unknown Event - Exception Thrown @ ") and lines[0].endswith("[12345678]")
    assert lines[1:] == [
        "w    (warn) two",
        'w      lines {"a": 1}',
        "w    ✘ Error: no",
        "w      at fetch (index.js:1:2)",
        "w    (the rest of the logs was cut off by Cloudflare)",
    ]


def test_json_is_what_came() -> None:
    item = received(event=None, somethingNew=[1])
    assert json.loads(as_json(item)) == json.loads(item.frame) and "\n" not in as_json(item)
    gap = json.loads(as_json(Gap("w", 1, 2.5, "lost")))
    assert gap == {"trailboss": {"kind": "gap", "worker": "w", "since": 1, "until": 2.5, "reason": "lost"}}


def test_everything_else_has_a_line() -> None:
    assert as_text(Connected("w", "t", "")) == "Connected to w, waiting for logs..."
    assert "gap of 1.5 s" in as_text(Gap("w", 1, 2.5, "lost")) and "lost" in as_text(Gap("w", 1, 2.5, "lost"))
    assert as_text(Overload("w", True, "Too many")) == "-- Too many --"
    assert "not JSON" in as_text(Unreadable("w", "junk", "not JSON"))
