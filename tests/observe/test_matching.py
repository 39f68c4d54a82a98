from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailboss.errors import UsageError
from trailboss.observe.events import Event, Fault, Log, ScriptVersion, decode
from trailboss.observe.matching import read_matcher, said
from trailboss.observe.server_filters import ServerFilters

GOOD = Event(
    outcome="ok",
    event={
        "request": {"url": "https://a.example/api/users?x=1", "method": "GET"},
        "response": {"status": 200},
    },
    logs=[Log(["asked", {"n": 1}], "log"), Log(["careful"], "warn")],
    script_version=ScriptVersion("abcdef12-0000", "rc1"),
)
BAD = Event(
    outcome="exception",
    event={"request": {"url": "https://a.example/healthz", "method": "POST"}, "response": {"status": 503}},
    exceptions=[Fault("TypeError", "x is undefined")],
)
CRON = Event(outcome="ok", event={"cron": "* * * * *", "scheduledTime": 0})


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", [GOOD, BAD, CRON]),
        ("status:200", [GOOD]),
        ("status:5xx", [BAD]),
        ("status:>=200", [GOOD, BAD]),
        ("status:<500 status:503", [GOOD, BAD]),
        ("status:5xx method:GET", []),
        ("method:get method:post", [GOOD, BAD]),
        ("path:/api", [GOOD]),
        ("path:/api/*", [GOOD]),
        ("path:*/users", [GOOD]),
        ("path:/users", []),
        ("level:warn", [GOOD, BAD]),
        ("level:error", [BAD]),
        ("level:debug", [GOOD, BAD]),
        ("outcome:exception", [BAD]),
        ("outcome:OK", [GOOD, CRON]),
        ("version:abcdef", [GOOD]),
        ("version:rc1", [GOOD]),
        ("undefined", [BAD]),
        ('{"n":', [GOOD]),
        ("-healthz", [GOOD, CRON]),
        ("-status:200 -status:503", [CRON]),
        ("https://a.example", [GOOD, BAD]),
    ],
)
def test_words(words: str, expected: list[Event]) -> None:
    matches = read_matcher(words.split())
    assert [event for event in (GOOD, BAD, CRON) if matches(event)] == expected


@pytest.mark.parametrize(
    ("word", "code"), [("colour:red", "TB9503"), ("level:loud", "TB9504"), ("status:abc", "TB9504")]
)
def test_refusals(word: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_matcher([word])
    assert caught.value.code == code and caught.value.hint


@given(words=st.lists(st.text(max_size=20), max_size=5))
def test_any_words_match_or_are_refused(words: list[str]) -> None:
    try:
        matches = read_matcher(words)
    except UsageError:
        return
    assert all(isinstance(matches(event), bool) for event in (GOOD, BAD, CRON))


def test_what_a_console_call_said() -> None:
    assert said(["a", 1, {"b": None}]) == 'a 1 {"b": null}'
    assert said("plain") == "plain"


@given(frame=st.one_of(st.text(max_size=80), st.binary(max_size=80)))
def test_any_frame_is_an_event_or_refused(frame: str | bytes) -> None:
    try:
        decode(frame)
    except ValueError:
        return


def test_filters_on_the_wire_are_wranglers() -> None:
    asked = ServerFilters(("error",), ("get",), "X-A: b", 0.5, ("self",), "needle", "id")
    wire = asked.as_wire()
    assert [next(iter(item)) for item in wire] == [
        *("sampling_rate", "outcome", "method", "header", "client_ip", "query", "scriptVersion")
    ]
    assert wire[2] == {"method": ["GET"]} and wire[3] == {"header": {"key": "X-A", "query": "b"}}
    assert ServerFilters(header="X-A").as_wire() == [{"header": {"key": "X-A"}}]
    assert ServerFilters().as_wire() == []
    for wrong in (
        ServerFilters(sampling_rate=0),
        ServerFilters(sampling_rate=2),
        ServerFilters(status=("bad",)),
    ):
        with pytest.raises(UsageError):
            wrong.as_wire()
