"""Databases, buckets, namespaces, queues, indexes: where they may be, and what is chosen once for all."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.plan.inprocess import Account, DirectCloud
from tests.plan.test_contract import OPTIONS, done, resource, wanting
from trailboss.plan.apply import apply
from trailboss.plan.plan import Plan, make
from trailboss.plan.shown import shown
from trailboss.resources.d1_database import D1Database
from trailboss.resources.kv_namespace import KVNamespace
from trailboss.resources.queue import Queue
from trailboss.resources.r2_bucket import R2Bucket
from trailboss.resources.registry import kind
from trailboss.resources.vectorize_index import VectorizeIndex


@pytest.mark.parametrize(
    ("name", "spec", "said"),
    [
        ("kv_namespace", KVNamespace("cache", "mars"), "jurisdiction is eu, us or fedramp, not 'mars'"),
        ("d1_database", D1Database("db", "fedramp-high"), "jurisdiction is eu, us or fedramp"),
        ("d1_database", D1Database("db", primary_location_hint="europe"), "primary_location_hint is wnam"),
        ("r2_bucket", R2Bucket("files", "mars"), "jurisdiction is default, eu, us, fedramp or fedramp-high"),
        ("r2_bucket", R2Bucket("files", location_hint="europe"), "location_hint is wnam"),
        ("queue", Queue("jobs", jurisdiction="mars"), "jurisdiction is eu, us or fedramp"),
    ],
)
def test_places_that_cloudflare_does_not_have(name: str, spec: Any, said: str) -> None:
    [problem] = kind(name).problems(spec)
    assert problem.startswith(said)


def planned(tmp_path: Path, name: str, before: Any, after: Any) -> Plan:
    """The plan for `after` once `before` is there, which a second plan agrees with."""

    async def life() -> Plan:
        cloud = DirectCloud(Account(tmp_path))
        await apply(cloud, wanting(resource(name, "it", before)), OPTIONS)
        assert done(await make(cloud, wanting(resource(name, "it", before)))) == []
        return await make(cloud, wanting(resource(name, "it", after)))

    return asyncio.run(life())


@pytest.mark.parametrize(
    ("name", "before", "hint"),
    [
        ("d1_database", D1Database("db", primary_location_hint="weur"), "primary_location_hint"),
        ("r2_bucket", R2Bucket("files", location_hint="weur"), "location_hint"),
    ],
)
def test_a_hint_counts_once(tmp_path: Path, name: str, before: Any, hint: str) -> None:
    """A plan does not promise an update that Cloudflare has no call for."""
    assert done(planned(tmp_path, name, before, replace(before, **{hint: "apac"}))) == []

    async def first() -> Plan:
        return await make(DirectCloud(Account(tmp_path / "new")), wanting(resource(name, "it", before)))

    [change] = shown(asyncio.run(first())).changes
    assert [(one.field, one.after) for one in change.fields if one.field == hint] == [(hint, "weur")]


def test_a_queue_stays_where_it_is(tmp_path: Path) -> None:
    [change] = planned(
        tmp_path, "queue", Queue("jobs", jurisdiction="eu"), Queue("jobs", jurisdiction="us")
    ).changes
    assert (change.action, change.loses) == ("replace", "the queue and its data")


@pytest.mark.parametrize(
    ("preset", "action"),
    [
        ("cohere/embed-multilingual-v2.0", "none"),
        ("@cf/baai/bge-large-en-v1.5", "replace"),
        ("new/model", "none"),
    ],
)
def test_a_preset_of_another_length_needs_a_new_index(tmp_path: Path, preset: str, action: str) -> None:
    before = VectorizeIndex("docs", preset="@cf/baai/bge-base-en-v1.5")
    [change] = planned(tmp_path, "vectorize_index", before, replace(before, preset=preset)).changes
    assert change.action == action
    if action == "replace":
        assert (change.fields[0].wanted, change.fields[0].found) == (preset, "768 dimensions")
