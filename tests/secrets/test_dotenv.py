from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailboss.errors import SecretError
from trailboss.secrets.dotenv import parse

FILE = Path(".env")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1\nB=2\n", {"A": "1", "B": "2"}),
        ("export A=1", {"A": "1"}),
        ("# nothing\n\n  A = spaced out  # why\n", {"A": "spaced out"}),
        ("A='it # is $HOME'\n", {"A": "it # is $HOME"}),
        ('A="two\\nlines"\nB="really\ntwo"\n', {"A": "two\nlines", "B": "really\ntwo"}),
        ('A=`back "tick"`', {"A": 'back "tick"'}),
        ("A=\nB=", {"A": "", "B": ""}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("\ufeffA=1", {"A": "1"}),
        ("A=1\nA=2", {"A": "2"}),
        ("A: yaml", {"A": "yaml"}),
        ("A=b=c==", {"A": "b=c=="}),
        ("A.b-c=1", {"A.b-c": "1"}),
        ("", {}),
        ("   ", {}),
        ("# only", {}),
        ("A='x' # comment\nB=2", {"A": "x", "B": "2"}),
    ],
)
def test_values(text: str, expected: dict[str, str]) -> None:
    assert {name: entry.value for name, entry in parse(text, FILE).items()} == expected


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("A=1\nwhat is this\n", "TB7001", 2),
        ("A=1\n\nB='open\nC=2", "TB7002", 3),
        ('A="x" trailing', "TB7001", 1),
        ("=1", "TB7001", 1),
    ],
)
def test_errors_have_a_place_and_show_no_value(text: str, code: str, line: int) -> None:
    with pytest.raises(SecretError) as caught:
        parse(text, FILE)
    error = caught.value
    assert error.code == code
    assert error.where is not None and error.where.line == line
    assert "what is this" not in error.message and "open" not in error.message


def test_an_entry_does_not_show_its_value() -> None:
    assert "hunter2" not in repr(parse("A=hunter2", FILE))


@given(text=st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text, FILE)
    except SecretError as error:
        assert error.code in ("TB7001", "TB7002")


@given(value=st.text(st.characters(blacklist_characters="'\\\r", blacklist_categories=["Cs"]), max_size=60))
def test_a_single_quoted_value_is_itself(value: str) -> None:
    assert parse(f"A='{value}'", FILE)["A"].value == value
