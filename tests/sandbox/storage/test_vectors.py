"""The vector index alone: three metrics against plain arithmetic, filters, namespaces, delayed visibility."""

import math
import random

import pytest

from trailboss.sandbox.products.vector_filter import FilterError, matches, normalise
from trailboss.sandbox.products.vectors import VISIBLE_AFTER, VectorIndexes
from trailboss.sandbox.store import Store


@pytest.fixture
def indexes(tmp_path):
    store = Store(tmp_path / "state.sqlite")
    yield VectorIndexes(store)
    store.close()


def _write(indexes, operation, body, known=None):
    indexes.queue("i", "m", operation, body, 0.0)
    return indexes.settle("i", VISIBLE_AFTER, known or {})


def test_a_write_is_seen_only_after_its_moment(indexes):
    indexes.queue("i", "mutation-1", "insert", [{"id": "a", "values": [1.0, 0.0]}], 100.0)
    indexes.settle("i", 100.0, {})
    assert indexes.count("i") == 0
    assert indexes.mark("i") == (None, None)
    indexes.settle("i", 100.0 + VISIBLE_AFTER, {})
    assert indexes.count("i") == 1
    assert indexes.mark("i") == ("mutation-1", 100.0 + VISIBLE_AFTER)


def test_insert_keeps_the_first_and_upsert_the_last(indexes):
    _write(indexes, "insert", [{"id": "a", "values": [1.0]}, {"id": "a", "values": [2.0]}])
    assert indexes.get("i", ["a", "missing"]) == [{"id": "a", "values": [1.0]}]
    _write(indexes, "upsert", [{"id": "a", "values": [3.0], "namespace": "n", "metadata": {"k": 1}}])
    assert indexes.get("i", ["a"]) == [{"id": "a", "values": [3.0], "namespace": "n", "metadata": {"k": 1}}]
    _write(indexes, "delete", ["a"])
    assert indexes.count("i") == 0


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "dot-product"])
def test_the_nearest_are_those_plain_arithmetic_finds(indexes, metric):
    chance = random.Random(7)
    vectors = {f"v{n:03}": [chance.uniform(-1, 1) for _ in range(16)] for n in range(200)}
    _write(indexes, "insert", [{"id": name, "values": values} for name, values in vectors.items()])
    target = [chance.uniform(-1, 1) for _ in range(16)]

    def plain(values):
        dot = sum(a * b for a, b in zip(values, target, strict=True))
        if metric == "dot-product":
            return -dot
        if metric == "euclidean":
            return math.dist(values, target)
        return -dot / (math.hypot(*values) * math.hypot(*target))

    expected = sorted(vectors, key=lambda name: plain(vectors[name]))[:10]
    assert [name for _, name in indexes.query("i", metric, target, top=10)] == expected


def test_a_filter_sees_only_what_was_indexed_when_written(indexes):
    _write(indexes, "insert", [{"id": "early", "values": [1.0], "metadata": {"colour": "red"}}])
    known = _write(indexes, "index", {"propertyName": "colour", "indexType": "string"})
    assert known == {"colour": "string"}
    _write(indexes, "insert", [{"id": "late", "values": [1.0], "metadata": {"colour": "red"}}], known)
    found = indexes.query("i", "cosine", [1.0], top=5, wanted=normalise({"colour": "red"}))
    assert [name for _, name in found] == ["late"]
    assert _write(indexes, "unindex", {"propertyName": "colour"}, known) == {}


def test_namespaces_separate(indexes):
    _write(indexes, "insert", [{"id": "a", "values": [1.0], "namespace": "x"}, {"id": "b", "values": [1.0]}])
    assert [name for _, name in indexes.query("i", "cosine", [1.0], top=5, namespace="x")] == ["a"]
    assert len(indexes.query("i", "cosine", [1.0], top=5)) == 2


def test_identifiers_are_paged_in_order(indexes):
    _write(indexes, "insert", [{"id": f"{n:02}", "values": [1.0]} for n in range(5)])
    assert indexes.page("i", "", 2) == ["00", "01"]
    assert indexes.page("i", "01", 9) == ["02", "03", "04"]
    indexes.drop("i")
    assert indexes.page("i", "", 9) == []


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ({"n": {"$gt": 3, "$lte": 5}}, True),
        ({"n": {"$lt": 5}}, False),
        ({"s": {"$in": ["a", "b"]}}, True),
        ({"s": {"$nin": ["a", "b"]}}, False),
        ({"s": {"$ne": "z"}}, True),
        ({"b": True}, True),
        ({"b": 1}, False),
        ({"deep.key": "x"}, True),
        ({"s": {"$gte": "a"}}, True),
        ({"s": {"$gt": 1}}, False),
        ({"missing": {"$ne": 1}}, True),
        ({"missing": 1}, False),
    ],
)
def test_every_operator(wanted, kept):
    assert matches({"n": 5, "s": "a", "b": True, "deep.key": "x"}, normalise(wanted)) is kept


@pytest.mark.parametrize(
    "wanted",
    [
        [],
        {"": 1},
        {"$a": 1},
        {"a": {"$near": 1}},
        {"a": {"$in": "x"}},
        {"a": {}},
        {"a": {"$eq": {}}},
        {"a": "x" * 2100},
    ],
)
def test_what_cannot_be_meant_is_refused(wanted):
    with pytest.raises(FilterError):
        normalise(wanted)
