"""The account's state: one SQLite file of JSON records, each with a kind, a key and a parent.

Handlers run on one event loop. A change that touches several records sits in `with store.transaction():`
with no `await` inside, so it is whole or not there, also after a kill.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from trailboss.errors import SandboxError

SCHEMA = """
create table if not exists records (
  sequence integer primary key autoincrement,
  kind text not null, key text not null, parent text not null default '', body text not null,
  unique (kind, key)
);
create index if not exists records_by_parent on records (kind, parent, sequence);
create index if not exists records_by_name on records (kind, json_extract(body, '$.name'));
create index if not exists records_by_title on records (kind, json_extract(body, '$.title'));
create index if not exists records_by_queue_name on records (kind, json_extract(body, '$.queue_name'));
"""
"""Accounts have thousands of records, so what is looked up by name has an index."""

Record = dict[str, Any]
_decode, _encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
_PLAIN = (str, int, float)


class Store:
    """Records by kind and key; `parent` groups them (a script's versions, a zone's routes)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._schemas = [SCHEMA]
        self._open()

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self._db.execute("pragma journal_mode=wal")
            self._db.execute("pragma synchronous=normal")
            for schema in self._schemas:
                self._db.executescript(schema)
            check = self._db.execute("pragma quick_check(1)").fetchone()
        except sqlite3.DatabaseError as error:
            raise _corrupted(self.path, str(error)) from error
        if check != ("ok",):
            raise _corrupted(self.path, str(check[0]))

    def define(self, schema: str) -> None:
        """Add a product's own tables (`create table if not exists ...`); reset empties them."""
        if schema and schema not in self._schemas:
            self._schemas.append(schema)
            self._db.executescript(schema)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Nesting joins the outer one. Never `await` inside."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    def get(self, kind: str, key: str) -> Record | None:
        """The record, or None."""
        row = self._db.execute("select body from records where kind=? and key=?", (kind, key)).fetchone()
        return _decode(row[0]) if row else None

    def put(self, kind: str, key: str, body: Record, *, parent: str = "") -> Record:
        """Write a record; an existing one keeps its place in the order of creation. Returns `body`."""
        self._db.execute(
            "insert into records (kind, key, parent, body) values (?, ?, ?, ?)"
            " on conflict (kind, key) do update set body=excluded.body, parent=excluded.parent",
            (kind, key, parent, _encode(body).decode()),
        )
        return body

    def delete(self, kind: str, key: str) -> bool:
        """Remove a record; whether it was there."""
        return self._db.execute("delete from records where kind=? and key=?", (kind, key)).rowcount > 0

    def delete_all(self, kind: str, parent: str) -> int:
        """Remove every record of a kind below `parent`; how many there were."""
        return self._db.execute("delete from records where kind=? and parent=?", (kind, parent)).rowcount

    def all(self, kind: str, parent: str | None = None, *, newest_first: bool = False) -> list[Record]:
        """Records of a kind in the order of creation, of one parent when given."""
        order = "desc" if newest_first else "asc"
        where, values = _those(kind, parent)
        rows = self._db.execute(f"select body from records where {where} order by sequence {order}", values)  # noqa: S608
        return [_decode(row[0]) for row in rows]

    def find(self, kind: str, **fields: Any) -> Record | None:
        """The first record of a kind whose fields equal these."""
        return next(iter(self.where(kind, **fields)), None)

    def where(self, kind: str, parent: str | None = None, **fields: Any) -> list[Record]:
        """Records of a kind, of one parent when given, whose fields equal these; in the order of creation.
        By `name`, `title` and `queue_name` they are found without reading the others."""
        where, values = _those(kind, parent)
        rest = {}
        for name, value in fields.items():
            if isinstance(value, _PLAIN):
                where, values = f"{where} and json_extract(body, '$.{name}')=?", [*values, value]
            else:
                rest[name] = value
        rows = self._db.execute(f"select body from records where {where} order by sequence", values)  # noqa: S608
        found = [_decode(row[0]) for row in rows]
        return [one for one in found if all(one.get(name) == value for name, value in rest.items())]

    def page(
        self, kind: str, parent: str | None, *, offset: int, limit: int, newest_first: bool = False
    ) -> list[Record]:
        """A part of what `all` gives, without reading the rest."""
        where, values = _those(kind, parent)
        order = "desc" if newest_first else "asc"
        sql = f"select body from records where {where} order by sequence {order} limit ? offset ?"  # noqa: S608
        return [_decode(row[0]) for row in self._db.execute(sql, [*values, limit, offset])]

    def count(self, kind: str, parent: str | None = None) -> int:
        """How many records of a kind there are."""
        where, values = _those(kind, parent)
        row = self._db.execute(f"select count(*) from records where {where}", values).fetchone()  # noqa: S608
        return int(row[0])

    def execute(self, sql: str, values: Iterable[Any] = ()) -> sqlite3.Cursor:
        """Run one statement on a product's own tables."""
        return self._db.execute(sql, tuple(values))

    def clear(self) -> None:
        """Empty every table."""
        with self.transaction():
            names = self._db.execute("select name from sqlite_master where type='table'").fetchall()
            for (name,) in names:
                if not name.startswith("sqlite_"):
                    self._db.execute(f'delete from "{name}"')  # noqa: S608 names come from the schema

    def checkpoint(self) -> None:
        """Move everything into the one file, so that it may be copied."""
        self._db.execute("pragma wal_checkpoint(truncate)")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def reopen(self) -> None:
        """Read the file anew after it was replaced."""
        self._open()


def _those(kind: str, parent: str | None) -> tuple[str, list[Any]]:
    return ("kind=?", [kind]) if parent is None else ("kind=? and parent=?", [kind, parent])


def _corrupted(path: Path, detail: str) -> SandboxError:
    return SandboxError(
        "TB5005",
        f"the sandbox's state in {path} is damaged: {detail}",
        hint="Run `trailboss sandbox start --reset` to begin with an empty sandbox.",
    )
