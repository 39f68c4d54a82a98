"""JSON with comments: what is accepted, what is refused and where the refusal points."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailboss.config.document import parse_document
from trailboss.config.source import Source
from trailboss.errors import ConfigError

FILE = Path("wrangler.jsonc")


def read(text: str) -> Any:
    return parse_document(Source(FILE, text))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@settings(deadline=None)
@given(st.dictionaries(st.text(), VALUES), st.sampled_from([None, 2, "\t"]), st.booleans())
def test_reads_what_json_writes(value: dict[str, Any], indent: Any, ascii_only: bool) -> None:
    try:
        text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
        text.encode()
    except UnicodeEncodeError:
        return
    if any("\ud800" <= letter <= "\udfff" for letter in json.dumps(value, ensure_ascii=False)):
        return
    assert read(text).data == value


def test_comments_trailing_commas_and_positions() -> None:
    document = read('{ // one\n  "a": [1, { "b": null, }, /* two */ ],\r\n\t"c": -1.50e2, }\n// end')
    assert document.data == {"a": [1, {"b": None}], "c": -150}
    assert str(document.locate("a", 1, "b")) == "wrangler.jsonc:2:14"
    assert str(document.locate("c")) == "wrangler.jsonc:3:2"
    assert str(document.locate("a", 1, "missing")) == "wrangler.jsonc:2:12"
    assert str(document.locate("missing")) == "wrangler.jsonc:1:1"


def test_numbers_are_javascripts() -> None:
    data = read('{"a": 12345678901234567890, "b": 1.0, "c": 1e3, "d": 0.1}').data
    assert data == {"a": 1.2345678901234567e19, "b": 1, "c": 1000, "d": 0.1}
    assert isinstance(data["b"], int)


def test_a_key_written_twice_is_a_warning_and_the_last_counts() -> None:
    document = read('{"a": 1,\n "a": 2}')
    assert document.data == {"a": 2}
    assert document.warnings == ['wrangler.jsonc:2:2: the key "a" is written twice; the last one counts']


@pytest.mark.parametrize(
    ("text", "code", "place", "message"),
    [
        ("", "TB1004", "1:1", "empty"),
        ("  // only a comment", "TB1004", "1:20", "empty"),
        ("[]", "TB1008", "1:1", "object"),
        ("{", "TB1004", "1:2", "ends inside an object"),
        ('{"a"', "TB1004", "1:5", "colon"),
        ('{"a":', "TB1004", "1:6", "ends where a value"),
        ('{"a": 1', "TB1004", "1:8", "comma"),
        ('{"a": 1\n "b": 2}', "TB1004", "2:2", "comma is missing"),
        ('{"a": [1,,2]}', "TB1004", "1:10", "not a value"),
        ("{a: 1}", "TB1004", "1:2", "key"),
        ("{'a': 1}", "TB1004", "1:2", "key"),
        ('{"a": yes}', "TB1004", "1:7", "'yes'"),
        ('{"a": "x\n"}', "TB1004", "1:7", "never closed"),
        ('{"a": "\x00"}', "TB1004", "1:8", "control character"),
        ('{"a": \x00}', "TB1004", "1:7", "not a value"),
        (r'{"a": "\x"}', "TB1004", "1:8", "escape"),
        (r'{"a": "\u12"}', "TB1004", "1:8", "four hexadecimal"),
        (r'{"a": "\ud800"}', "TB1004", "1:7", "surrogate"),
        ('{"a": 01}', "TB1004", "1:7", "number"),
        ('{"a": 1e999}', "TB1007", "1:7", "too large"),
        ('{"a": ' + "9" * 5000 + "}", "TB1007", "1:7", "too large"),
        ('{"a": 1} x', "TB1004", "1:10", "follow"),
        ('{"a": 1 /* ', "TB1004", "1:9", "never closed"),
        ('{"a": ' + "[" * 100_000, "TB1006", "1:106", "deep"),
        ('{"a":' * 5000, "TB1006", "1:501", "deep"),
    ],
)
def test_refusals_point_at_the_place(text: str, code: str, place: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read(text)
    assert (caught.value.code, str(caught.value.where)) == (code, f"wrangler.jsonc:{place}")
