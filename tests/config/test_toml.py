"""TOML: values, the place of every key, and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from trailboss.config.document import parse_document
from trailboss.config.source import Source
from trailboss.config.toml import Date
from trailboss.errors import ConfigError

FILE = Path("wrangler.toml")
TEXT = (
    '''# top
name = "a" # not = a key
"quoted key".'b.c' = [1, {x = 2, y = [3]}, """
]"""]
when = 1979-05-27 07:32:00

[[kv]]
id = 'it'''
    + """'
[[kv]]
[kv.deep]
z = true
[ env . "stag.ing" ]
vars.A = "1"
"""
)


def read(text: str) -> Any:
    return parse_document(Source(FILE, text))


def test_every_key_has_its_place() -> None:
    document = read(TEXT)
    places = {
        ("name",): "2:1",
        ("quoted key",): "3:1",
        ("quoted key", "b.c"): "3:14",
        ("quoted key", "b.c", 1, "y", 0): "3:39",
        ("quoted key", "b.c", 2): "3:44",
        ("when",): "5:1",
        ("kv", 0, "id"): "8:1",
        ("kv", 1): "9:1",
        ("kv", 1, "deep", "z"): "11:1",
        ("env", "stag.ing"): "12:1",
        ("env", "stag.ing", "vars", "A"): "13:6",
    }
    assert {keys: str(document.locate(*keys)) for keys in places} == {
        keys: f"wrangler.toml:{place}" for keys, place in places.items()
    }
    assert document.data["when"] == "1979-05-27T07:32:00"
    assert isinstance(document.data["when"], Date)


KEYS = st.text(st.sampled_from("ab-_ .\"'é1"), min_size=1, max_size=5)
SCALARS = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(codec="utf-8"), max_size=8)
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(KEYS, v, max_size=3), max_leaves=12
)


@settings(deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_no_key_goes_unnoticed(value: dict[str, Any]) -> None:
    try:
        text = tomlkit.dumps(value)
        data = read(text).data
    except (ConfigError, ValueError, TypeError):
        return  # tomlkit wrote something that is not TOML

    def check(path: tuple[Any, ...], here: Any) -> None:
        assert document.has(*path)
        for key, inner in (
            here.items() if isinstance(here, dict) else enumerate(here) if isinstance(here, list) else ()
        ):
            check((*path, key), inner)

    document = read(text)
    check((), data)


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("a", "TB1005", "1:2"),
        ("a = 1\nb = yes", "TB1005", "2:5"),
        ("a = 1\na = 2", "TB1005", "2:6"),
        ('a = "x', "TB1005", "1:7"),
        ("[a", "TB1005", "1:3"),
        ("a = \x00", "TB1005", "1:5"),
        ("a = 2026-02-30", "TB1005", "1:5"),
        ("a = " + "9" * 5000, "TB1007", "1:1"),
        ("a = " + "[" * 5000, "TB1006", "1:1"),
        ("a" + ".a" * 200 + " = 1", "TB1006", "1:1"),
    ],
)
def test_refusals_point_at_the_place(text: str, code: str, place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert (caught.value.code, str(caught.value.where)) == (code, f"wrangler.toml:{place}")


def test_an_empty_file_is_an_empty_table() -> None:
    assert read("").data == {}
