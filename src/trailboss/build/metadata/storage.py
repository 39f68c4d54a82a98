"""Where data lives: KV, D1, R2, queues, Vectorize, Hyperdrive, pipelines, Analytics Engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trailboss.build.metadata.table import Family, Fields, listed, plain, some


def _producers(value: Any) -> Iterator[tuple[str, str, Fields]]:
    for entry in (value or {}).get("producers") or ():
        yield entry["binding"], "queue", {**entry, "queue_name": entry.get("queue")}


def _kv(name: str, fields: Fields) -> dict[str, Any]:
    return {"name": name, "type": "kv_namespace", "namespace_id": fields["id"], **some(fields, "raw")}


def _d1(name: str, fields: Fields) -> dict[str, Any]:
    wire = {"name": name, "type": "d1", "id": fields["database_id"]}
    if fields.get("database_internal_env") is not None:
        wire["internalEnv"] = fields["database_internal_env"]
    return {**wire, **some(fields, "raw")}


def _queue(name: str, fields: Fields) -> dict[str, Any]:
    return {"type": "queue", "name": name, **some(fields, "queue_name", "delivery_delay", "raw")}


def _pipeline(name: str, fields: Fields) -> dict[str, Any]:
    key = "stream" if fields.get("stream") else "pipeline"
    return {"name": name, "type": "pipelines", key: fields[key]}


FAMILY = Family(
    read={
        "kv_namespaces": listed("kv_namespace"),
        "d1_databases": listed("d1"),
        "r2_buckets": listed("r2_bucket"),
        "queues": _producers,
        "vectorize": listed("vectorize"),
        "hyperdrive": listed("hyperdrive"),
        "pipelines": listed("pipeline"),
        "analytics_engine_datasets": listed("analytics_engine"),
        "k2": listed("k2"),
    },
    wire={
        "kv_namespace": _kv,
        "d1": _d1,
        "r2_bucket": plain("r2_bucket", "bucket_name", "jurisdiction", "raw"),
        "queue": _queue,
        "vectorize": plain("vectorize", "index_name", "raw"),
        "hyperdrive": plain("hyperdrive", "id"),
        "pipeline": _pipeline,
        "analytics_engine": plain("analytics_engine", "dataset"),
        "k2": plain("k2", "stream"),
    },
)
