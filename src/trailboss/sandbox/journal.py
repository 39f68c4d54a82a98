"""What was asked of the sandbox: method, path, status, milliseconds, headers without their secrets."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

KEEP = 10_000
SECRET_HEADERS = {"authorization", "x-auth-key", "x-auth-email", "cookie", "cf-access-client-secret"}


class Journal:
    """A ring of the last `KEEP` requests in its own SQLite file, so that writing it never waits for the
    account."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._written = asyncio.Event()
        try:
            self._open(path)
        except sqlite3.DatabaseError:
            path.unlink(missing_ok=True)  # a record of the past is not worth refusing to start for
            self._open(path)

    def _open(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=off")
        self._db.execute(
            "create table if not exists requests (id integer primary key autoincrement, at text, method text,"
            " path text, query text, status integer, ms real, route text, fault text, headers text)"
        )

    def write(
        self,
        *,
        at: str,
        method: str,
        path: str,
        query: str,
        status: int,
        ms: float,
        route: str,
        fault: str,
        headers: dict[str, str],
    ) -> None:
        """Note one request; `status` 0 means the connection was dropped without an answer."""
        shown = {name: "<secret>" if name in SECRET_HEADERS else value for name, value in headers.items()}
        cursor = self._db.execute(
            "insert into requests (at, method, path, query, status, ms, route, fault, headers)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (at, method, path, query, status, round(ms, 2), route, fault, json.dumps(shown)),
        )
        self._written.set()
        self._written = asyncio.Event()
        if cursor.lastrowid and cursor.lastrowid % 500 == 0:
            self._db.execute("delete from requests where id <= ?", (cursor.lastrowid - KEEP,))

    def read(self, *, since: int = 0, limit: int = 1000, match: str = "") -> list[dict[str, Any]]:
        """Requests after number `since`, oldest first; `match` is a substring of the path."""
        rows = self._db.execute(
            "select id, at, method, path, query, status, ms, route, fault, headers from requests"
            " where id > ? and instr(path, ?) > 0 order by id limit ?",
            (since, match, limit),
        )
        names = ("id", "at", "method", "path", "query", "status", "ms", "route", "fault")
        return [{**dict(zip(names, row, strict=False)), "headers": json.loads(row[9])} for row in rows]

    async def wait(self, *, since: int, match: str, seconds: float) -> None:
        """Return when there is a request after `since` whose path contains `match`, or after `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.read(since=since, limit=1, match=match):
                    await self._written.wait()

    def clear(self) -> None:
        """Forget everything."""
        self._db.execute("delete from requests")

    def close(self) -> None:
        """Close the file."""
        self._db.close()
