"""Analytics Engine's data points: kept in SQLite, read by SELECT and nothing else.

A query runs on a connection of its own that can only read, and sees one table per dataset. The dialect is
SQLite's with the most used of ClickHouse's functions; what else a query uses is refused by name.
Source: https://developers.cloudflare.com/analytics/analytics-engine/sql-reference/
"""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trailboss.sandbox.store import Store

WIDTH = 20
BLOBS = [f"blob{number}" for number in range(1, WIDTH + 1)]
DOUBLES = [f"double{number}" for number in range(1, WIDTH + 1)]
COLUMNS = ["timestamp", "dataset", "index1", *BLOBS, *DOUBLES, "_sample_interval"]
SCHEMA = f"""
create table if not exists data_points (
  timestamp text not null, dataset text not null, index1 text not null,
  {", ".join(f"{name} text not null" for name in BLOBS)},
  {", ".join(f"{name} real not null" for name in DOUBLES)}, _sample_interval integer not null
);
create index if not exists data_points_dataset on data_points (dataset, timestamp);
"""
SECONDS = 5.0
MOST_ROWS = 10_000
LONGEST = 10_000_000
"""Bytes of one value."""
UNITS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400, "WEEK": 604800}
FORBIDDEN = {"load_extension", "randomblob", "zeroblob"}

_INTERVAL = r"INTERVAL\s+'?(\d+)'?\s+(SECOND|MINUTE|HOUR|DAY|WEEK)\b"


class Refused(Exception):
    """A query that cannot be answered; the text says why."""


def write(store: Store, dataset: str, point: dict[str, Any], now: float) -> None:
    """Keep one point {indexes, blobs, doubles} of the moment `now` (seconds since 1970)."""
    blobs = [str(value or "") for value in point.get("blobs") or []][:WIDTH]
    doubles = [float(value or 0) for value in point.get("doubles") or []][:WIDTH]
    index = next((str(value or "") for value in point.get("indexes") or []), "")
    row: list[Any] = [_text(now), dataset, index, *blobs, *[""] * (WIDTH - len(blobs))]
    row += [*doubles, *[0.0] * (WIDTH - len(doubles)), 1]
    marks = ",".join("?" * len(COLUMNS))
    store.execute(f"insert into data_points ({', '.join(COLUMNS)}) values ({marks})", row)  # noqa: S608


def datasets(store: Store) -> list[str]:
    """Those with a point."""
    return [row[0] for row in store.execute("select distinct dataset from data_points order by dataset")]


def query(database: Path, names: list[str], sql: str, now: float) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The columns and rows of a SELECT over the datasets `names`.

    Raises:
        Refused: no SELECT, an unknown table or function, or more than `SECONDS` of work.
    """
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        for name in names:
            columns, value = ", ".join(COLUMNS), name.replace("'", "''")
            quoted = name.replace('"', '""')
            points = f"select {columns} from main.data_points where dataset='{value}'"  # noqa: S608
            connection.execute(f'create temp view "{quoted}" as {points}')
        _functions(connection, now)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
        connection.set_authorizer(_only_reading(set(names)))
        deadline = time.monotonic() + SECONDS
        connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
        try:
            cursor = connection.execute(translate(sql))
            rows = cursor.fetchmany(MOST_ROWS)
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise Refused(_why(str(error))) from None
        if cursor.description is None:
            raise Refused("unable to parse query: only SELECT and SHOW TABLES are supported")
        return [column[0] for column in cursor.description], rows


def translate(sql: str) -> str:
    """ClickHouse's intervals as seconds, which `timestamp` arithmetic here understands."""
    moved = rf"((?:now|todatetime)\s*\([^()]*\)|\btimestamp\b)\s*([+-])\s*{_INTERVAL}"
    sql = re.sub(moved, lambda m: f"moved({m[1]}, {m[2]}{_seconds(m[3], m[4])})", sql, flags=re.IGNORECASE)
    return re.sub(_INTERVAL, lambda m: str(_seconds(m[1], m[2])), sql, flags=re.IGNORECASE)


def _seconds(count: str, unit: str) -> int:
    return int(count) * UNITS[unit.upper()]


def _text(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _functions(connection: sqlite3.Connection, now: float) -> None:
    for name, count, function in (
        ("now", 0, lambda: _text(now)),
        ("moved", 2, lambda text, by: _text(_moment(text) + by)),
        ("todatetime", 1, lambda value: value if isinstance(value, str) else _text(value)),
        ("tounixtimestamp", 1, lambda text: int(_moment(text))),
        ("tostartofinterval", 2, lambda text, step: _text(_moment(text) // step * step)),
        ("touint32", 1, int),
        ("intdiv", 2, lambda value, by: int(value // by)),
    ):
        connection.create_function(name, count, function, deterministic=True)


def _only_reading(names: set[str]) -> Any:
    def check(action: int, first: str | None, second: str | None, _: str | None, source: str | None) -> int:
        if action == sqlite3.SQLITE_SELECT:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION and second not in FORBIDDEN:
            return sqlite3.SQLITE_OK
        # The points themselves only by way of a dataset.
        if action == sqlite3.SQLITE_READ and (first in names or (first == "data_points" and source in names)):
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    return check


def _why(message: str) -> str:
    table = re.fullmatch(r"no such table: (?:\w+\.)?(.*)", message)
    if table is not None:
        return f"unable to find type of table {table[1]}"
    return f"unable to parse query: {message}"
