"""Migrations of a D1 database: each once and in order, whatever was applied before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.plan.inprocess import Account, DirectCloud
from trailboss.errors import CloudError
from trailboss.resources.d1_database import KIND as DATABASE
from trailboss.resources.d1_database import D1Database
from trailboss.resources.d1_migrations import KIND, D1Migrations


def in_account(folder: Path, use: Callable[[DirectCloud, str], Any]) -> Any:
    """Run `use` with a new database's id."""

    async def main() -> Any:
        cloud = DirectCloud(Account(folder / "account"))
        database = await DATABASE.create(cloud, D1Database("shop-db"))
        return await use(cloud, database.uuid)

    return asyncio.run(main())


def write(folder: Path, **files: str) -> str:
    for name, text in files.items():
        (folder / f"{name}.sql").write_text(text)
    return str(folder)


def test_each_file_once_and_in_order(tmp_path: Path) -> None:
    async def use(cloud: DirectCloud, database: str) -> None:
        directory = write(tmp_path, b="INSERT INTO t VALUES (1);", a="CREATE TABLE t (x INTEGER);")
        made = await KIND.create(cloud, spec := D1Migrations(database, directory))
        assert made.applied == ("a.sql", "b.sql")
        assert KIND.differs(spec, made) == ()
        write(tmp_path, c="INSERT INTO t VALUES (2);")
        [change] = KIND.differs(more := D1Migrations(database, directory), made)
        assert (change.wanted, change.found) == (("c.sql",), "b.sql")
        after = await KIND.update(cloud, more, made)
        assert [one async for one in KIND.list(cloud, more)] == [after]
        assert after.applied == ("a.sql", "b.sql", "c.sql")

    in_account(tmp_path, use)


def test_one_that_fails_is_not_noted_and_later_ones_wait(tmp_path: Path) -> None:
    async def use(cloud: DirectCloud, database: str) -> tuple[str, ...]:
        directory = write(
            tmp_path, a="CREATE TABLE t (x INTEGER);", b="NO SQL;", c="CREATE TABLE u (x INTEGER);"
        )
        with pytest.raises(CloudError):
            await KIND.create(cloud, spec := D1Migrations(database, directory))
        [one] = [one async for one in KIND.list(cloud, spec)]
        return one.applied

    assert in_account(tmp_path, use) == ("a.sql",)


def test_problems(tmp_path: Path) -> None:
    assert list(KIND.problems(D1Migrations("db", str(tmp_path)))) == []
    assert "no folder" in next(iter(KIND.problems(D1Migrations("db", str(tmp_path / "none")))))
    assert "cannot name a table" in next(iter(KIND.problems(D1Migrations("db", str(tmp_path), table="a;b"))))
