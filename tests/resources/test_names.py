"""Names and numbers that Cloudflare would refuse."""

from __future__ import annotations

from typing import Any

import pytest

from trailboss.resources.d1_database import D1Database
from trailboss.resources.kv_namespace import KVNamespace
from trailboss.resources.queue import Queue
from trailboss.resources.r2_bucket import R2Bucket
from trailboss.resources.registry import kind
from trailboss.resources.vectorize_index import VectorizeIndex


@pytest.mark.parametrize(
    ("name", "spec", "part"),
    [
        ("kv_namespace", KVNamespace("x" * 513), "513 characters"),
        ("d1_database", D1Database("a b"), "'a b' is not possible"),
        ("d1_database", D1Database("a", read_replication="on"), "auto or disabled, not 'on'"),
        ("r2_bucket", R2Bucket("Not_A_Bucket"), "3 to 63"),
        ("r2_bucket", R2Bucket("bucket", storage_class="Cold"), "InfrequentAccess"),
        ("queue", Queue("-jobs"), "beginning with a letter or digit"),
        ("queue", Queue("jobs", delivery_delay=86_401), "from 0 to 86400"),
        ("vectorize_index", VectorizeIndex("1"), "beginning with a letter"),
        ("vectorize_index", VectorizeIndex("v", 1537, "cosine"), "from 1 to 1536"),
    ],
)
def test_refused(name: str, spec: Any, part: str) -> None:
    [problem] = kind(name).problems(spec)
    assert part in problem


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        ("kv_namespace", KVNamespace("Any title, with ünïcode")),
        ("d1_database", D1Database("Orders_1.old-2")),
        ("r2_bucket", R2Bucket("a-1", storage_class="Standard")),
        ("queue", Queue("jobs", delivery_delay=0)),
        ("vectorize_index", VectorizeIndex("v_1", preset="@cf/baai/bge-base-en-v1.5")),
    ],
)
def test_allowed(name: str, spec: Any) -> None:
    assert list(kind(name).problems(spec)) == []
