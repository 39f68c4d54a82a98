"""Time Travel on a real SQLite file that stays open for writing, as the runtime keeps it."""

import sqlite3

import pytest

from trailboss.sandbox.products.d1_history import KEPT, History, NoHistory
from trailboss.sandbox.products.files import database_file
from trailboss.sandbox.store import Store


@pytest.fixture
def bench(tmp_path):
    store = Store(tmp_path / "account.sqlite")
    path = tmp_path / "database.sqlite"
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("pragma journal_mode=wal")
    database.execute("create table t (v)")
    yield History(store), path, database, store
    database.close()
    store.close()


def _values(path):
    with sqlite3.connect(path) as database:
        return [row[0] for row in database.execute("select v from t")]


def test_back_and_forth(bench):
    history, path, database, _ = bench
    first = history.record("d", path, 100.0)
    assert history.record("d", path, 101.0) == first
    database.execute("insert into t values ('kept'), (randomblob(50000))")
    assert history.changed("d", path)
    second = history.record("d", path, 200.0)
    assert second > first
    assert history.at("d", 150.0) == first
    assert history.at("d", 250.0) == second
    with pytest.raises(NoHistory):
        history.at("d", 50.0)
    database.close()
    history.write(history.check("d", first), path)
    assert _values(path) == []
    history.write(history.check("d", second), path)
    assert _values(path)[0] == "kept"
    with pytest.raises(NoHistory):
        history.check("other", second)


def test_states_share_pages_and_old_ones_go(bench):
    history, path, database, store = bench
    database.execute("insert into t values (randomblob(400000))")
    history.record("d", path, 0.0)
    before = store.execute("select count(*) from d1_pages").fetchone()[0]
    for number in range(KEPT + 5):
        database.execute("insert into t values (?)", (number,))
        history.record("d", path, float(number + 1))
    assert store.execute("select count(*) from d1_moments").fetchone()[0] == KEPT
    assert store.execute("select count(*) from d1_pages").fetchone()[0] < before + KEPT * 4
    history.drop("d")
    assert store.execute("select count(*) from d1_pages").fetchone()[0] == 0


def test_a_database_never_written_is_an_empty_state(tmp_path, bench):
    history, _, _, _ = bench
    path = database_file(tmp_path / "data", "b7f6a0d2-0000-4000-8000-000000000000")
    assert path.name.endswith(".sqlite")
    assert len(path.stem) == 64
    bookmark = history.record("new", path, 1.0)
    path.parent.mkdir(parents=True)
    sqlite3.connect(path).execute("create table t (v)")
    assert history.record("new", path, 2.0) > bookmark
    history.write(history.check("new", bookmark), path)
    assert not path.exists()
