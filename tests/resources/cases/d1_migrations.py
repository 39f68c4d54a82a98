"""Migrations for the suites over all kinds: those of the example, and then one more."""

from __future__ import annotations

import tempfile
from pathlib import Path

from trailboss.resources.d1_database import D1Database
from trailboss.resources.d1_migrations import D1Migrations

_ONE = Path(__file__).parents[3] / "examples" / "agency" / "migrations"
_TWO = Path(tempfile.mkdtemp(prefix="trailboss-migrations-"))
for _file in _ONE.glob("*.sql"):
    (_TWO / _file.name).write_text(_file.read_text())
(_TWO / "9999_last.sql").write_text("CREATE TABLE last (id INTEGER);")

BARE = D1Migrations("shop-db", str(_ONE))
FULL = D1Migrations("shop-db", str(_TWO))
BEFORE: tuple[tuple[str, object], ...] = (("d1_database", D1Database("shop-db")),)
