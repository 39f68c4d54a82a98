"""Migrations of a D1 database: SQL files of a folder, each applied once, in the order of their names.

A table in the database itself says which were applied, the one that wrangler keeps, so that both may be
used. Each file goes out in one call together with its line in the table: it is applied and noted, or neither.
What a migration did cannot be taken back. Source: wrangler API reference, `d1 migrations`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailboss.errors import CloudError, NotFound
from trailboss.resources.marks import (
    DERIVED,
    IDENTITY,
    MUTABLE,
    PATH,
    WRITE_ONLY,
    Difference,
    Mark,
    Ref,
    to,
)
from trailboss.resources.protocol import Basis, Permissions

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

SQL_FAILED = 7500


@dataclass(frozen=True, slots=True)
class D1Migrations:
    """What a file may want: `database` is the key of a d1_database, `directory` a folder of `*.sql` beside
    the file."""

    database: str | Ref = field(metadata=IDENTITY | to("d1_database"))
    directory: str = field(metadata=WRITE_ONLY | PATH)
    table: str = field(default="d1_migrations", metadata=WRITE_ONLY)
    names: tuple[str, ...] = field(default=(), metadata=WRITE_ONLY | DERIVED)
    """The files' names, for the digest: a new file is a change of what is wanted."""

    def __post_init__(self) -> None:
        if isinstance(self.directory, str):
            object.__setattr__(self, "names", tuple(file.name for file in self.files))

    @property
    def files(self) -> tuple[Path, ...]:
        """The migrations, in order."""
        return tuple(sorted(Path(self.directory).glob("*.sql"), key=lambda file: file.name))


@dataclass(frozen=True, slots=True)
class ObservedD1Migrations:
    """What was applied to one database; `database` is its id."""

    database: str = field(metadata=IDENTITY)
    applied: tuple[str, ...] = field(default=(), metadata=MUTABLE)


class D1MigrationsKind(Basis):
    """The kind `d1_migrations`."""

    name = "d1_migrations"
    spec = D1Migrations
    is_setting = True
    permissions = Permissions("D1 Read", "D1 Write")

    def problems(self, spec: D1Migrations) -> Iterable[str]:
        if not Path(spec.directory).is_dir():
            yield f"there is no folder {spec.directory}"
        if not spec.table.replace("_", "").isalnum():
            yield f"'{spec.table}' cannot name a table"

    def clashes(self, spec: D1Migrations, observed: ObservedD1Migrations) -> bool:
        return False

    def scope_of(self, spec: Any) -> tuple[Any, ...]:
        return (spec.database,)

    def handle(self, observed: ObservedD1Migrations) -> str:
        return observed.database

    def differs(self, spec: D1Migrations, observed: ObservedD1Migrations) -> tuple[Difference, ...]:
        """The files that were not applied yet. What was applied and has no file any more is left alone."""
        missing = tuple(file.name for file in spec.files if file.name not in observed.applied)
        last = observed.applied[-1] if observed.applied else None
        return (Difference("migrations", Mark.MUTABLE, missing, last),) if missing else ()

    def to_wire(self, spec: D1Migrations) -> dict[str, Any]:
        columns = "id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE"
        applied = "applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL"
        return {"sql": f"CREATE TABLE IF NOT EXISTS {spec.table} ({columns}, {applied});"}

    def from_wire(self, data: Any) -> ObservedD1Migrations:
        rows = data["rows"][0].get("results") or () if data["rows"] else ()
        return ObservedD1Migrations(str(data["database"]), tuple(str(row["name"]) for row in rows))

    async def list(
        self, cloud: Cloud, like: D1Migrations | None = None
    ) -> AsyncIterator[ObservedD1Migrations]:
        assert like is not None
        table = like.table or "d1_migrations"
        try:
            yield await self._read(cloud, str(like.database), table)
        except NotFound:
            return
        except CloudError as error:
            if not error.has_code(SQL_FAILED):
                raise
            yield ObservedD1Migrations(str(like.database))  # it has no such table yet

    async def _read(self, cloud: Cloud, database: str, table: str) -> ObservedD1Migrations:
        sql = f"SELECT name FROM {table} ORDER BY id"  # noqa: S608 - letters, digits and _ alone
        rows = await cloud.post(_path(cloud, database), json={"sql": sql}, idempotent=True)
        return self.from_wire({"database": database, "rows": rows})

    async def create(self, cloud: Cloud, spec: D1Migrations) -> ObservedD1Migrations:
        return await self.update(cloud, spec, ObservedD1Migrations(str(spec.database)))

    async def update(
        self, cloud: Cloud, spec: D1Migrations, observed: ObservedD1Migrations
    ) -> ObservedD1Migrations:
        if not self.differs(spec, observed):
            return observed
        database = str(spec.database)
        path = _path(cloud, database)
        await cloud.post(path, json=self.to_wire(spec), idempotent=True)
        # Read again: a lost answer may have been the one of a migration that was applied.
        present = await self._read(cloud, database, spec.table)
        for file in spec.files:
            if file.name not in present.applied:
                name = file.name.replace("'", "''")
                note = f"INSERT INTO {spec.table} (name) VALUES ('{name}');"  # noqa: S608
                await cloud.post(path, json={"sql": f"{file.read_text(encoding='utf-8')}\n;{note}"})
        return await self._read(cloud, database, spec.table)

    async def delete(self, cloud: Cloud, observed: ObservedD1Migrations) -> None:
        """Nothing: what a migration did stays done."""


def _path(cloud: Cloud, database: str) -> str:
    from trailboss.cloud import segment

    return f"{cloud.account}/d1/database/{segment(database)}/query"


KIND = D1MigrationsKind()
