"""D1 Time Travel: every recorded state of a database file, cut into pages that states share.

A state is recorded after a change is noticed, and costs only its changed pages. Restoring writes the file
back while nothing has it open. Source: https://developers.cloudflare.com/d1/reference/time-travel/
"""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from trailboss.sandbox.products.files import fingerprint
from trailboss.sandbox.store import Store

SCHEMA = """
create table if not exists d1_pages (hash blob primary key, data blob not null) without rowid;
create table if not exists d1_moments (
  sequence integer primary key autoincrement, database text not null, bookmark text not null unique,
  at real not null, pages blob not null
);
create index if not exists d1_moments_by_time on d1_moments (database, at, sequence);
"""

PAGE = 4096
HASH = 16
KEPT = 200
"""Moments per database; the oldest go first."""
RETENTION = 30 * 86400.0


class NoHistory(LookupError):
    """No state of the database is known at that time or bookmark."""


class History:
    """The recorded moments of all databases."""

    def __init__(self, store: Store) -> None:
        store.define(SCHEMA)
        self._store = store
        self._seen: dict[str, tuple[int, ...]] = {}
        self.cost = 0.0
        """Seconds the last recording took."""

    def changed(self, database: str, path: Path) -> bool:
        """Whether the file looks different from when it was last recorded."""
        return self._seen.get(database) != fingerprint(path)

    def record(self, database: str, path: Path, now: float) -> str:
        """Note the present state, if it is new. Returns the bookmark of the present state."""
        before = fingerprint(path)
        if self._seen.get(database) != before or not self._last(database):
            pages = list(self._store_pages(path))
            manifest = b"".join(pages)
            last = self._last(database)
            if last is None or last[1] != manifest:
                self._note(database, manifest, now)
            self._seen[database] = before
        latest = self._last(database)
        assert latest is not None
        return latest[0]

    def _last(self, database: str) -> tuple[str, bytes] | None:
        row = self._store.execute(
            "select bookmark, pages from d1_moments where database=? order by sequence desc limit 1",
            (database,),
        ).fetchone()
        return (row[0], row[1]) if row else None

    def _store_pages(self, path: Path) -> Iterator[bytes]:
        if not path.exists():
            return
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "copy"
            with (
                closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)) as source,
                closing(sqlite3.connect(copy)) as target,
            ):
                source.backup(target)
            with copy.open("rb") as file, self._store.transaction():
                while page := file.read(PAGE):
                    name = hashlib.blake2b(page, digest_size=HASH).digest()
                    self._store.execute("insert or ignore into d1_pages values (?,?)", (name, page))
                    yield name

    def _note(self, database: str, manifest: bytes, now: float) -> None:
        with self._store.transaction():
            count = self._store.execute("select coalesce(max(sequence), 0) + 1 from d1_moments").fetchone()[0]
            digest = hashlib.blake2b(manifest + database.encode(), digest_size=16).hexdigest()
            bookmark = f"{count:08x}-{len(manifest) // HASH:08x}-{int(now):08x}-{digest}"
            self._store.execute(
                "insert into d1_moments (database, bookmark, at, pages) values (?,?,?,?)",
                (database, bookmark, now, manifest),
            )
            self._prune(database, now)

    def _prune(self, database: str, now: float) -> None:
        dropped = self._store.execute(
            "delete from d1_moments where database=?1 and (at<?2 or sequence not in"
            " (select sequence from d1_moments where database=?1 order by sequence desc limit ?3))",
            (database, now - RETENTION, KEPT),
        ).rowcount
        if dropped:
            self._collect()

    def _collect(self) -> None:
        used: set[bytes] = set()
        for (pages,) in self._store.execute("select pages from d1_moments"):
            used.update(_names(pages))
        for (name,) in self._store.execute("select hash from d1_pages").fetchall():
            if name not in used:
                self._store.execute("delete from d1_pages where hash=?", (name,))

    def at(self, database: str, moment: float) -> str:
        """The bookmark of the state at a time.

        Raises:
            NoHistory: the database has no state that old.
        """
        row = self._store.execute(
            "select bookmark from d1_moments where database=? and at<=?"
            " order by at desc, sequence desc limit 1",
            (database, moment),
        ).fetchone()
        if row is None:
            raise NoHistory(database)
        return str(row[0])

    def check(self, database: str, bookmark: str) -> bytes:
        """The pages of a bookmark: an own one, else the newest not after it.

        Raises:
            NoHistory: nothing that old.
        """
        row = self._store.execute(
            "select pages from d1_moments where database=? and bookmark<=? order by bookmark desc limit 1",
            (database, bookmark),
        ).fetchone()
        if row is None:
            raise NoHistory(bookmark)
        return bytes(row[0])

    def write(self, manifest: bytes, path: Path) -> None:
        """Put a state in place of the file. Nothing may have it open."""
        path.parent.mkdir(parents=True, exist_ok=True)
        for suffix in ("-wal", "-shm", "-journal"):
            path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
        if not manifest:
            path.unlink(missing_ok=True)
            return
        staging = path.with_name(f".{path.name}.restore")
        with staging.open("wb") as file:
            for name in _names(manifest):
                row = self._store.execute("select data from d1_pages where hash=?", (name,)).fetchone()
                file.write(row[0])
        staging.replace(path)

    def drop(self, database: str) -> None:
        """Forget a deleted database: its history goes with it."""
        with self._store.transaction():
            self._store.execute("delete from d1_moments where database=?", (database,))
            self._collect()
        self._seen.pop(database, None)

    def forget(self) -> None:
        """The store was emptied or replaced."""
        self._seen.clear()


def _names(manifest: bytes) -> Iterator[bytes]:
    return (manifest[at : at + HASH] for at in range(0, len(manifest), HASH))
