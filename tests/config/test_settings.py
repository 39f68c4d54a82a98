"""The published schema of trailboss.toml, and how environments are merged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.config.samples import PROJECT
from trailboss.config.merging import merge
from trailboss.config.said import OPEN
from trailboss.config.settings import Settings, json_schema, schema_text

SCHEMA = Path(__file__).parents[2] / "schema" / "trailboss.schema.json"
TABLES = st.recursive(
    st.integers() | st.lists(st.integers()), lambda v: st.dictionaries(st.sampled_from("abc"), v)
)


def test_the_published_schema_is_current() -> None:
    assert SCHEMA.read_text() == schema_text(), "call trailboss.config.settings.schema_text() and save it"


def test_the_schema_accepts_what_we_accept() -> None:
    validator = Draft202012Validator(json_schema())
    Draft202012Validator.check_schema(json_schema())
    assert validator.is_valid(tomlkit.parse(PROJECT).unwrap())
    assert not validator.is_valid({"relese": {}})
    assert not validator.is_valid({"environments": {"a": {"protected": "x"}}})


def test_every_field_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())


@settings(deadline=None)
@given(TABLES, TABLES, TABLES)
def test_merging(a: Any, b: Any, c: Any) -> None:
    assert merge(a, a) == a
    assert merge(merge(a, b), b) == merge(a, b)
    merged = merge({"k": a, "only": c}, {"k": b})
    assert merged == {"k": merge(a, b), "only": c}


def test_what_is_said_to_be_open_is() -> None:
    fields = Settings.model_fields
    assert {name for name in OPEN if fields[name].annotation != dict[str, Any]} == set()
