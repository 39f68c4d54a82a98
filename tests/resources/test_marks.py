"""Marks, and the comparison that follows from them."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import pytest

from trailboss.resources.d1_database import D1Database, ObservedD1Database
from trailboss.resources.marks import UNSET, Mark, differences, identity_of, mark_of, set_fields
from trailboss.resources.protocol import Shared
from trailboss.resources.r2_bucket import R2Bucket
from trailboss.resources.registry import NAMES, kind, kinds


def test_unset_is_not_a_value() -> None:
    observed = ObservedD1Database("db", "u", "eu", "auto")
    assert differences(D1Database("db"), observed) == ()
    (change,) = differences(D1Database("db", jurisdiction=None), observed)
    assert (change.field, change.mark, change.wanted, change.found) == (
        "jurisdiction",
        Mark.REPLACE,
        None,
        "eu",
    )
    assert differences(D1Database("db", primary_location_hint="weur"), observed) == ()
    (change,) = differences(D1Database("db", read_replication="disabled"), observed)
    assert change.mark is Mark.MUTABLE


def test_identity() -> None:
    assert identity_of(D1Database("db", jurisdiction="eu")) == ("db",)
    assert identity_of(R2Bucket("b", "eu")) == ("b", "eu")
    assert set_fields(a=1, b=UNSET, c=None) == {"a": 1, "c": None}
    assert pickle.loads(pickle.dumps(UNSET)) is UNSET


def test_an_unmarked_field_is_a_mistake() -> None:
    @dataclass(frozen=True)
    class Careless:
        name: str = field()

    with pytest.raises(TypeError, match="name"):
        mark_of(fields(Careless)[0])


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_is_shaped_alike(name: str) -> None:
    found: Any = kind(name)
    assert found.name == name
    assert found.scope in ("account", "zone")
    assert found.permissions.read.endswith("Read")
    assert found.permissions.write.endswith("Read" if isinstance(found.ownership, Shared) else "Write")
    module = __import__(type(found).__module__, fromlist=["*"])
    models = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and is_dataclass(value) and value.__module__ == module.__name__
    ]
    assert len(models) == 2
    for model in models:
        assert model.__dataclass_params__.frozen  # type: ignore[attr-defined]
        assert {mark_of(place) for place in fields(model)} >= {Mark.IDENTITY}


def test_the_registry() -> None:
    assert [found.name for found in kinds()] == list(NAMES)
    with pytest.raises(KeyError):
        kind("marks")
