"""An exact vector index over SQLite: what Vectorize v2 promises, for as many vectors as a laptop tests with.

Writes are mutations: they are queued with the moment they become visible and take effect when someone looks
after that moment, as Cloudflare's write-ahead log does. A query walks the rows one by one: memory stays flat.
"""

from __future__ import annotations

import heapq
import json
import math
import operator
from array import array
from collections.abc import Iterator
from typing import Any

from trailboss.sandbox.products import vector_filter
from trailboss.sandbox.store import Store

SCHEMA = """
create table if not exists vectors (
  index_name text not null, id text not null, namespace text, vals blob not null, norm real not null,
  metadata text, indexed text not null default '{}', primary key (index_name, id)
) without rowid;
create table if not exists vector_mutations (
  sequence integer primary key autoincrement, index_name text not null, mutation text not null,
  operation text not null, body text not null, visible_at real not null
);
create table if not exists vector_marks (
  index_name text primary key, mutation text, at real
);
"""

VISIBLE_AFTER = 0.3
"""Seconds of the sandbox's clock until a write is seen. Cloudflare takes seconds to minutes."""


class VectorIndexes:
    """The vectors of every index of the account; an index's configuration is the route's record."""

    def __init__(self, store: Store) -> None:
        store.define(SCHEMA)
        self._store = store

    def queue(self, index: str, mutation: str, operation: str, body: Any, now: float) -> None:
        """Note a write, visible `VISIBLE_AFTER` later: insert, upsert, delete, index or unindex."""
        self._store.execute(
            "insert into vector_mutations (index_name, mutation, operation, body, visible_at)"
            " values (?,?,?,?,?)",
            (index, mutation, operation, json.dumps(body, separators=(",", ":")), now + VISIBLE_AFTER),
        )

    def settle(self, index: str, now: float, metadata_indexes: dict[str, str]) -> dict[str, str]:
        """Apply the mutations that are due, in order; returns the metadata indexes as they are then."""
        indexes = dict(metadata_indexes)
        with self._store.transaction():
            due = self._store.execute(
                "select sequence, mutation, operation, body, visible_at from vector_mutations"
                " where index_name=? and visible_at<=? order by sequence",
                (index, now),
            ).fetchall()
            for sequence, mutation, operation, body, visible_at in due:
                self._apply(index, operation, json.loads(body), indexes)
                self._store.execute("delete from vector_mutations where sequence=?", (sequence,))
                self._store.execute(
                    "insert into vector_marks (index_name, mutation, at) values (?,?,?)"
                    " on conflict (index_name)"
                    " do update set mutation=excluded.mutation, at=excluded.at",
                    (index, mutation, visible_at),
                )
        return indexes

    def _apply(self, index: str, operation: str, body: Any, indexes: dict[str, str]) -> None:
        if operation in {"insert", "upsert"}:
            for vector in body:
                self._write(index, vector, indexes, replace=operation == "upsert")
        elif operation == "delete":
            for identifier in body:
                self._store.execute("delete from vectors where index_name=? and id=?", (index, identifier))
        elif operation == "index":
            indexes[body["propertyName"]] = body["indexType"]
        else:
            indexes.pop(body["propertyName"], None)

    def _write(self, index: str, vector: dict[str, Any], indexes: dict[str, str], *, replace: bool) -> None:
        values = array("f", vector["values"])
        metadata = vector.get("metadata")
        indexed = {
            name: kept
            for name, kind in indexes.items()
            if (kept := vector_filter.indexed_value(vector_filter.look_up(metadata, name), kind)) is not None
        }
        self._store.execute(
            f"insert or {'replace' if replace else 'ignore'} into vectors values (?,?,?,?,?,?,?)",  # noqa: S608
            (
                index,
                vector["id"],
                vector.get("namespace"),
                values.tobytes(),
                math.sqrt(_dot(values, values)),
                None if metadata is None else json.dumps(metadata, separators=(",", ":")),
                json.dumps(indexed, separators=(",", ":")),
            ),
        )

    def count(self, index: str) -> int:
        """How many vectors are visible."""
        return int(
            self._store.execute("select count(*) from vectors where index_name=?", (index,)).fetchone()[0]
        )

    def mark(self, index: str) -> tuple[str | None, float | None]:
        """The last mutation that took effect, and when."""
        row = self._store.execute(
            "select mutation, at from vector_marks where index_name=?", (index,)
        ).fetchone()
        return (row[0], row[1]) if row else (None, None)

    def get(self, index: str, identifiers: list[str]) -> list[dict[str, Any]]:
        """The visible vectors among these, with values."""
        found = []
        for identifier in identifiers:
            row = self._store.execute(
                "select id, namespace, vals, metadata from vectors where index_name=? and id=?",
                (index, identifier),
            ).fetchone()
            if row:
                found.append(_vector(row[0], row[1], row[3], row[2]))
        return found

    def page(self, index: str, after: str, count: int) -> list[str]:
        """Up to `count` identifiers greater than `after`, in order."""
        rows = self._store.execute(
            "select id from vectors where index_name=? and id>? order by id limit ?", (index, after, count)
        )
        return [row[0] for row in rows]

    def query(
        self,
        index: str,
        metric: str,
        vector: list[float],
        *,
        top: int,
        namespace: str | None = None,
        wanted: dict[str, dict[str, Any]] | None = None,
    ) -> list[tuple[float, str]]:
        """The `top` nearest as (score, id), best first; for euclidean the score is the distance."""
        target = array("f", vector)
        norm = math.sqrt(_dot(target, target))
        best = heapq.nsmallest if metric == "euclidean" else heapq.nlargest
        rows = self._rows(index, namespace, wanted or {})
        scores = (
            (_score(metric, target, norm, memoryview(blob).cast("f"), length), name)
            for name, blob, length in rows
        )
        return best(top, scores, key=lambda pair: pair[0])

    def _rows(
        self, index: str, namespace: str | None, wanted: dict[str, dict[str, Any]]
    ) -> Iterator[tuple[str, bytes, float]]:
        sql = "select id, vals, norm, indexed from vectors where index_name=?"
        values: list[Any] = [index]
        if namespace is not None:
            sql += " and namespace=?"
            values.append(namespace)
        for identifier, blob, length, indexed in self._store.execute(sql, values):
            if not wanted or vector_filter.matches(json.loads(indexed), wanted):
                yield identifier, blob, length

    def drop(self, index: str) -> None:
        """Forget everything about an index."""
        with self._store.transaction():
            for table in ("vectors", "vector_mutations", "vector_marks"):
                self._store.execute(f"delete from {table} where index_name=?", (index,))  # noqa: S608


def _score(metric: str, target: array[float], norm: float, other: Any, length: float) -> float:
    if metric == "euclidean":
        return math.dist(target, other)
    product = _dot(target, other)
    if metric == "dot-product":
        return product
    return product / (norm * length) if norm and length else 0.0


def _dot(left: Any, right: Any) -> float:
    return float(sum(map(operator.mul, left, right)))


def _vector(identifier: str, namespace: str | None, metadata: str | None, values: bytes) -> dict[str, Any]:
    shape: dict[str, Any] = {"id": identifier, "values": list(memoryview(values).cast("f"))}
    if namespace is not None:
        shape["namespace"] = namespace
    if metadata is not None:
        shape["metadata"] = json.loads(metadata)
    return shape
