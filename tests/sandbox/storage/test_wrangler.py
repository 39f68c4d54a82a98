"""Real wrangler as a client of the storage products. One start costs a second and more, so each counts."""

import json

import pytest
from tests.sandbox.client import run as start


@pytest.fixture(scope="module")
def wrangler(sandbox, tmp_path_factory):
    sandbox.control("POST", "reset")
    folder = tmp_path_factory.mktemp("project")
    (folder / "migrations").mkdir()
    (folder / "migrations" / "0001_init.sql").write_text(
        "create table users (id integer primary key, name text);"
    )

    def run(*words, fails=False, stdin=""):
        return start(sandbox, folder, *words, stdin=stdin, ok=not fails)

    run.folder = folder
    return run


def test_kv(wrangler, sandbox):
    (space,) = sandbox.control("POST", "seed", {"kv_namespaces": ["cache"]})["kv_namespaces"]
    where = ["--namespace-id", space["id"], "--remote"]
    wrangler("kv", "key", "put", "a/b", "value", "--metadata", '{"n":1}', *where)
    assert wrangler("kv", "key", "get", "a/b", *where).strip() == "value"
    listed = json.loads(wrangler("kv", "namespace", "list"))
    assert [one["title"] for one in listed] == ["cache"]
    keys = json.loads(wrangler("kv", "key", "list", *where))
    assert keys[0] == {"name": "a/b", "metadata": {"n": 1}}
    assert len(keys) == 1


def test_d1(wrangler, sandbox):
    (made,) = sandbox.control("POST", "seed", {"d1_databases": ["app"]})["d1_databases"]
    config = {
        "name": "x",
        "d1_databases": [{"binding": "DB", "database_name": "app", "database_id": made["uuid"]}],
    }
    (wrangler.folder / "wrangler.json").write_text(json.dumps(config))
    wrangler("d1", "migrations", "apply", "app", "--remote")
    script = "insert into users (name) values ('a;b'); insert into users (name) values ('c');"
    (wrangler.folder / "data.sql").write_text(script)
    imported = wrangler("d1", "execute", "app", "--remote", "--file", "data.sql", "--yes", "--json")
    assert '"Total queries executed": 2' in imported
    rows = wrangler("d1", "execute", "app", "--remote", "--json", "--command", "select name from users")
    assert json.loads(rows)[0]["results"] == [{"name": "a;b"}, {"name": "c"}]
    wrangler("d1", "export", "app", "--remote", "--output", "dump.sql")
    dump = (wrangler.folder / "dump.sql").read_text()
    assert "CREATE TABLE users" in dump or "create table users" in dump
    assert "'a;b'" in dump
    assert "bookmark" in wrangler("d1", "time-travel", "info", "app")


def test_r2_and_queues(wrangler, sandbox):
    wrangler("r2", "bucket", "create", "files")
    (wrangler.folder / "o.txt").write_text("object")
    wrangler("r2", "object", "put", "files/a/b.txt", "--file", "o.txt", "--remote")
    wrangler("queues", "create", "jobs", "--message-retention-period-secs", "3600")
    wrangler("queues", "consumer", "http", "add", "jobs", "--batch-size", "7")
    assert "jobs" in wrangler("queues", "list")
    wrangler(
        "r2", "bucket", "notification", "create", "files", "--event-type", "object-create", "--queue", "jobs"
    )
    (queue,) = sandbox.call("GET", f"{sandbox.account}/queues?name=jobs")
    assert queue["consumers"][0]["settings"]["batch_size"] == 7
    assert queue["producers"] == [{"type": "r2_bucket", "bucket_name": "files"}]
    assert queue["settings"]["message_retention_period"] == 3600


def test_the_others(wrangler, sandbox):
    wrangler("vectorize", "create", "kb", "--dimensions", "2", "--metric", "cosine")
    (wrangler.folder / "v.ndjson").write_text('{"id":"a","values":[1,0]}\n{"id":"b","values":[0,1]}\n')
    wrangler("vectorize", "insert", "kb", "--file", "v.ndjson")
    sandbox.control("PUT", "clock", {"advance": 1})
    assert '"id": "a"' in wrangler("vectorize", "query", "kb", "--vector", "1", "0", "--top-k", "1")
    wrangler("hyperdrive", "create", "db", "--connection-string", "postgres://u:p@db.example.com:5432/d")
    (config,) = sandbox.call("GET", f"{sandbox.account}/hyperdrive/configs")
    assert config["origin"]["host"] == "db.example.com"
    wrangler("secrets-store", "store", "create", "vault", "--remote")
    (store,) = sandbox.call("GET", f"{sandbox.account}/secrets_store/stores")
    words = ["--name", "key", "--scopes", "workers", "--value", "hidden", "--remote"]
    wrangler("secrets-store", "secret", "create", store["id"], *words)
    (secret,) = sandbox.call("GET", f"{sandbox.account}/secrets_store/stores/{store['id']}/secrets")
    assert secret["name"] == "key"
    sandbox.control("PUT", "clock", {"offset": 0})
