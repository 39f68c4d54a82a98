"""SQL on D1: the account's database as wrangler does it, and a dev server's through a tunnel."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Sandbox
from tests.develop.accounts import at_sandbox
from tests.develop.conftest import Start, surroundings
from trailboss.config import Project
from trailboss.develop.d1 import find_database, split_statements
from trailboss.develop.ports import free_port

MADE = "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'x;y'), (2, NULL)"
SQL = f"{MADE}; SELECT * FROM t; SELECT count(*) n FROM t"
Done = subprocess.CompletedProcess[str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project whose environment has a database of its own name."""
    config = {
        "name": "w",
        "main": "index.js",
        "compatibility_date": "2026-11-01",
        "d1_databases": [{"binding": "SESSIONS", "database_name": "sessions"}],
    }
    (tmp_path / "wrangler.json").write_text(json.dumps(config))
    (tmp_path / "index.js").write_text("export default { fetch: () => new Response('hi') };")
    (tmp_path / "trailboss.toml").write_text('name = "w"\n[environments.development]\n')
    return tmp_path


def trailboss(box: Sandbox, folder: Path, *words: str, **environ: str) -> Done:
    """The command line as a program."""
    return subprocess.run(
        [sys.executable, "-m", "trailboss", *words],
        cwd=folder,
        env={**surroundings(folder), **at_sandbox(box), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def rows(text: str) -> list[list[dict[str, object]]]:
    """The rows of each statement, from the document at the end of `text`."""
    return [one["results"] for one in json.loads(text[text.index("[\n") :])]


def test_the_accounts_database_answers_in_wranglers_words(account: Sandbox, folder: Path) -> None:
    for name in ("sessions", "sessions-development"):
        account.call("POST", f"{account.account}/d1/database", {"name": name})
    words = ("d1", "execute", "sessions", "--remote", "--command")
    assert trailboss(account, folder, *words, MADE).returncode == 0
    ask = "SELECT * FROM t; SELECT count(*) AS n FROM t"
    ours = trailboss(account, folder, *words, ask).stdout
    theirs = trailboss(account, folder, "wrangler", *words, ask).stdout
    theirs = theirs[theirs.index("🌀") :]
    assert ours.split(" in ")[0] == theirs.split(" in ")[0]
    assert rows(ours) == rows(theirs) == [[{"a": 1, "b": "x;y"}, {"a": 2, "b": None}], [{"n": 2}]]
    assert rows(trailboss(account, folder, *words, ask, "--json").stdout) == rows(theirs)
    elsewhere = trailboss(account, folder, *words, "SELECT * FROM t", "--env", "development")
    assert "no such table: t" in elsewhere.stderr


def test_a_file_and_the_local_database_are_wranglers_with_the_right_name(
    account: Sandbox, folder: Path
) -> None:
    account.call("POST", f"{account.account}/d1/database", {"name": "sessions-development"})
    (folder / "x.sql").write_text("CREATE TABLE f (a);")
    words = ("d1", "execute", "sessions", "--env", "development")
    done = trailboss(account, folder, *words, "--remote", "--file", "x.sql", "--yes")
    assert done.returncode == 0, done.stderr
    names = trailboss(
        account, folder, *words, "--remote", "--json", "--command", "SELECT name FROM sqlite_master"
    )
    assert "f" in [row["name"] for row in json.loads(names.stdout)[0]["results"]]


def test_a_dev_server_behind_a_tunnel_answers(account: Sandbox, folder: Path, start: Start) -> None:
    port = free_port()
    (folder / "trailboss.toml").write_text(f'name = "w"\n[environments.development.dev]\nport = {port}\n')
    server = start("dev", "--env", "development", cwd=folder, **at_sandbox(account))
    server.says("ready at")
    words = ("d1", "execute", "sessions", "--env", "development", "--tunnel", "db-access-development")
    named = ("--hostname", "db-access-development.example.com")
    done = trailboss(account, folder, *words, *named, "--command", SQL, "--json")
    assert done.returncode == 0, done.stderr
    results = [one["results"] for one in json.loads(done.stdout)]
    assert results == [[], [], [{"a": 1, "b": "x;y"}, {"a": 2, "b": None}], [{"n": 2}]]
    shown = trailboss(account, folder, *words, "--command", "SELECT 1 AS one")
    assert rows(shown.stdout) == [[{"one": 1}]]
    assert "db-access-development.example.com" in shown.stdout
    assert account.edge("db-access-development.example.com").status_code == 302
    wrong = trailboss(account, folder, *words, "--command", "SELECT nonsense")
    assert "no such column: nonsense" in wrong.stderr
    assert server.interrupt() == 0
    gone = trailboss(account, folder, *words, "--command", "SELECT 1")
    assert (gone.returncode, "TB2521" in gone.stderr) == (1, True)


def test_mistakes(account: Sandbox, folder: Path) -> None:
    for words, code in (
        (("sessions", "--tunnel", "t", "--remote", "--command", "x"), "TB9481"),
        (("sessions", "--tunnel", "t"), "TB9479"),
        (("none", "--tunnel", "t", "--command", "x"), "TB9477"),
        (("none", "--remote", "--command", "x"), "TB2315"),
    ):
        done = trailboss(account, folder, "d1", "execute", *words)
        assert code in done.stderr, done.stderr


def test_a_database_is_found_by_each_of_its_names(folder: Path) -> None:
    top = Project.load(folder, environment="", environ={}).workers
    staged = Project.load(folder, environment="development", environ={}).workers
    for name in ("sessions", "sessions-development", "SESSIONS"):
        found = find_database(name, staged, top)
        assert found is not None
        assert (found.name, found.local, found.id) == ("sessions-development", "SESSIONS", None)
    assert find_database("other", staged, top) is None


def test_statements_end_where_sqlite_says() -> None:
    trigger = "CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM u; SELECT 1; END;"
    assert split_statements(f"SELECT ';' ; -- a; b\n{trigger} SELECT 2;;\n") == [
        "SELECT ';'",
        f"-- a; b\n{trigger[:-1]}",
        "SELECT 2",
    ]
    assert split_statements("SELECT 1") == ["SELECT 1"]
    assert split_statements(" ;\n") == []
