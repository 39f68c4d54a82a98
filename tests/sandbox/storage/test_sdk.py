"""The official SDK as a client of the storage, messaging and zone products."""

import base64
import hashlib
import json

import cloudflare
import httpx
import pytest
from cloudflare import Cloudflare


@pytest.fixture(scope="module")
def client(sandbox):
    sandbox.control("POST", "reset")
    made = Cloudflare(
        api_token=sandbox.connection.token,
        api_email=None,
        api_key=None,
        base_url=sandbox.connection.api_url,
        max_retries=0,
    )
    yield made
    made.close()


@pytest.fixture(scope="module")
def account(sandbox):
    return sandbox.connection.account_id


def _code(call, *args, **kwargs):
    with pytest.raises(cloudflare.APIStatusError) as caught:
        call(*args, **kwargs)
    return caught.value.status_code, caught.value.errors[0].code


def test_kv(client, account):
    kv = client.kv.namespaces
    space = kv.create(account_id=account, title="cache")
    assert _code(kv.create, account_id=account, title="cache") == (400, 10014)
    assert _code(kv.get, "0" * 32, account_id=account) == (404, 10013)
    where = {"account_id": account, "namespace_id": space.id}
    kv.values.update("a/b ü", **where, value=b"\x00\xff", metadata='{"n":1}', expiration_ttl=3600)
    assert kv.values.get("a/b ü", **where).read() == b"\x00\xff"
    assert kv.metadata.get("a/b ü", **where) == {"n": 1}
    assert _code(kv.values.get, "none", **where) == (404, 10009)
    assert _code(kv.values.update, "x", **where, value=b"", expiration_ttl=59) == (400, 10034)
    pairs = [{"key": f"k{n:02}", "value": base64.b64encode(b"v").decode(), "base64": True} for n in range(25)]
    assert kv.bulk_update(space.id, account_id=account, body=pairs).successful_key_count == 25
    keys = [key.name for key in kv.keys.list(space.id, account_id=account, prefix="k", limit=10)]
    assert keys == [f"k{n:02}" for n in range(25)]
    got = kv.bulk_get(space.id, account_id=account, keys=["k01", "none"])
    assert got.values == {"k01": "v", "none": None}
    kv.bulk_delete(space.id, account_id=account, body=keys)
    assert [key.name for key in kv.keys.list(space.id, account_id=account)] == ["a/b ü"]
    assert [one.title for one in kv.list(account_id=account)] == ["cache"]
    kv.update(space.id, account_id=account, title="renamed")
    kv.delete(space.id, account_id=account)
    assert list(kv.list(account_id=account)) == []


def test_d1(client, account, sandbox):
    d1 = client.d1.database
    made = d1.create(account_id=account, name="app")
    where = {"account_id": account, "database_id": made.uuid}
    assert _code(d1.create, account_id=account, name="app") == (400, 7502)
    assert _code(d1.get, "none", account_id=account) == (404, 7404)
    assert d1.get("app", account_id=account).uuid == made.uuid
    sql = "create table t (a integer primary key, b text); insert into t (b) values ('x;y'), ('z')"
    results = list(d1.query(made.uuid, account_id=account, sql=sql))
    assert [one.meta.changes for one in results] == [0, 2]
    (rows,) = d1.query(made.uuid, account_id=account, sql="select * from t where b=?", params=["z"])
    assert rows.results == [{"a": 2, "b": "z"}]
    (raw,) = d1.raw(made.uuid, account_id=account, sql="select a, b from t")
    assert (raw.results.columns, raw.results.rows[0]) == (["a", "b"], [1, "x;y"])
    assert _code(d1.query, made.uuid, account_id=account, sql="selec") == (400, 7500)
    both = {"batch": [{"sql": "insert into t (b) values (?)", "params": ["lost"]}, {"sql": "boom"}]}
    path = f"{sandbox.account}/d1/database/{made.uuid}"
    assert sandbox.call("POST", f"{path}/query", both, expect=400)["code"] == 7500
    assert d1.get(made.uuid, account_id=account).num_tables == 1
    before = d1.time_travel.get_bookmark(**where).bookmark
    list(d1.query(made.uuid, account_id=account, sql="delete from t"))
    undo = d1.time_travel.restore(**where, bookmark=before).previous_bookmark
    (count,) = d1.query(made.uuid, account_id=account, sql="select count(*) as n from t")
    assert count.results == [{"n": 2}]
    d1.time_travel.restore(**where, bookmark=undo)
    (count,) = d1.query(made.uuid, account_id=account, sql="select count(*) as n from t")
    assert count.results == [{"n": 0}]
    old = "2020-01-01T00:00:00Z"
    assert _code(d1.time_travel.get_bookmark, **where, timestamp=old) == (400, 7500)
    d1.edit(made.uuid, account_id=account, read_replication={"mode": "auto"})
    assert d1.get(made.uuid, account_id=account).read_replication.mode == "auto"
    assert [one.name for one in d1.list(account_id=account)] == ["app"]
    d1.delete(made.uuid, account_id=account)


def _import(sandbox, path, script):
    """Import a script as wrangler does; the last answer."""
    etag = hashlib.md5(script).hexdigest()
    begun = sandbox.call("POST", f"{path}/import", {"action": "init", "etag": etag})
    with httpx.Client() as stranger:
        put = stranger.put(begun["upload_url"], content=script)
    assert put.headers["etag"] == f'"{etag}"'
    wrong = {"action": "ingest", "filename": begun["filename"], "etag": "0" * 32}
    assert sandbox.call("POST", f"{path}/import", wrong, expect=400)["code"] == 7400
    state = sandbox.call("POST", f"{path}/import", {**wrong, "etag": etag})
    while state["status"] == "active":
        poll = {"action": "poll", "current_bookmark": state["at_bookmark"]}
        state = sandbox.call("POST", f"{path}/import", poll)
    return state


def test_d1_import_is_all_or_nothing_and_export_gives_it_back(sandbox, client):
    (made,) = sandbox.control("POST", "seed", {"d1_databases": ["moved"]})["d1_databases"]
    path = f"{sandbox.account}/d1/database/{made['uuid']}"
    lines = ["create table t (a text);", *(f"insert into t values ('{n};');" for n in range(500))]
    done = _import(sandbox, path, "\n".join(lines).encode())
    assert (done["status"], done["result"]["num_queries"]) == ("complete", 501)
    failed = _import(sandbox, path, b"insert into t values ('lost'); insert into nowhere values (1);")
    assert failed["status"] == "error"
    assert "no such table" in failed["error"]
    refused = _import(sandbox, path, b"begin transaction; delete from t; commit;")
    assert "transaction" in refused["error"]
    count = sandbox.call("POST", f"{path}/query", {"sql": "select count(*) as n from t"})
    assert count[0]["results"] == [{"n": 500}]
    body = {"output_format": "polling", "dump_options": {"no_schema": True}}
    first = sandbox.call("POST", f"{path}/export", body)
    assert first["status"] == "active"
    second = sandbox.call("POST", f"{path}/export", {**body, "current_bookmark": first["at_bookmark"]})
    with httpx.Client() as stranger:
        dump = stranger.get(second["result"]["signed_url"]).text
        assert stranger.get(second["result"]["signed_url"].replace("/d1/", "/d1/0")).status_code == 403
    assert dump.lower().count("insert into") == 500
    assert "create table" not in dump.lower()


def test_queues(client, account, sandbox):
    queues = client.queues
    made = queues.create(account_id=account, queue_name="jobs")
    dead = queues.create(account_id=account, queue_name="dead")
    assert _code(queues.create, account_id=account, queue_name="jobs") == (409, 11009)
    assert _code(queues.get, "0" * 32, account_id=account) == (404, 11000)
    where = {"queue_id": made.queue_id, "account_id": account}
    assert _code(queues.messages.pull, **where)[0] == 400
    wrong = {"type": "http_pull", "settings": {"batch_size": 1000}}
    path = f"{sandbox.account}/queues/{made.queue_id}"
    assert sandbox.call("POST", f"{path}/consumers", wrong, expect=400)["code"] == 100127
    bad = {"settings": {"message_retention_period": 1}}
    assert sandbox.call("PATCH", path, bad, expect=400)["code"] == 100128
    queues.consumers.create(
        **where,
        type="http_pull",
        dead_letter_queue="dead",
        settings={"max_retries": 1, "visibility_timeout_ms": 1000},
    )
    queues.messages.push(**where, body={"n": 1})
    queues.messages.bulk_push(**where, messages=[{"body": "plain", "content_type": "text"}])
    pulled = queues.messages.pull(**where, batch_size=10).messages
    assert json.loads(base64.b64decode(pulled[0].body)) == {"n": 1}
    assert pulled[1].body == "plain"
    acked = queues.messages.ack(
        **where, acks=[{"lease_id": pulled[1].lease_id}], retries=[{"lease_id": pulled[0].lease_id}]
    )
    assert (acked.ack_count, acked.retry_count) == (1, 1)
    (again,) = queues.messages.pull(**where).messages
    assert again.attempts == 2
    sandbox.control("PUT", "clock", {"advance": 2})
    assert queues.messages.pull(**where).messages == []
    peeked = queues.messages.peek(dead.queue_id, account_id=account).messages
    assert len(peeked) == 1
    queues.messages.purge(dead.queue_id, account_id=account, refs=[{"ref": peeked[0].ref}])
    assert queues.get_metrics(dead.queue_id, account_id=account).backlog_count == 0
    queues.edit(**where, settings={"delivery_paused": True})
    queues.messages.push(**where, body="x")
    assert queues.messages.pull(**where).messages == []
    queues.purge.start(**where, delete_messages_permanently=True)
    assert queues.purge.status(**where).completed == "true"
    named = sandbox.call("GET", f"{sandbox.account}/queues?name=dead&name=none")
    assert [one["queue_name"] for one in named] == ["dead"]
    sandbox.control("PUT", "clock", {"offset": 0})
    queues.delete(**where)


def test_vectorize(client, account, sandbox):
    vectorize = client.vectorize.indexes
    vectorize.create(account_id=account, name="kb", config={"dimensions": 3, "metric": "cosine"})
    preset = vectorize.create(account_id=account, name="docs", config={"preset": "@cf/baai/bge-base-en-v1.5"})
    assert preset.config.dimensions == 768
    assert _code(vectorize.get, "none", account_id=account) == (404, 3000)
    path = f"{sandbox.account}/vectorize/v2/indexes/kb"
    vectorize.metadata_index.create("kb", account_id=account, index_type="string", property_name="lang")
    sandbox.control("PUT", "clock", {"advance": 1})
    lines = [
        {"id": "a", "values": [1, 0, 0], "metadata": {"lang": "en", "n": 1}},
        {"id": "b", "values": [0, 1, 0], "metadata": {"lang": "de"}, "namespace": "x"},
        {"id": "c", "values": [0.9, 0.1, 0]},
    ]
    ndjson = "\n".join(json.dumps(line) for line in lines)
    sent = sandbox.http.post(
        f"{sandbox.connection.api_url}{path}/insert",
        content=ndjson,
        headers={"content-type": "application/x-ndjson"},
    ).json()["result"]
    sandbox.control("PUT", "clock", {"advance": 1})
    info = vectorize.info("kb", account_id=account)
    assert (info.vector_count, info.processed_up_to_mutation) == (3, sent["mutationId"])
    found = vectorize.query("kb", account_id=account, vector=[1, 0, 0], top_k=2, return_values=True)
    assert [match.id for match in found.matches] == ["a", "c"]
    assert found.matches[0].score == pytest.approx(1)
    only = vectorize.query(
        "kb", account_id=account, vector=[1, 0, 0], filter={"lang": "de"}, return_metadata="indexed"
    )
    assert [(match.id, match.metadata) for match in only.matches] == [("b", {"lang": "de"})]
    assert _code(vectorize.query, "kb", account_id=account, vector=[1]) == (400, 40006)
    many = {"vector": [1, 0, 0], "topK": 50, "returnValues": True}
    assert sandbox.call("POST", f"{path}/query", many, expect=400)["code"] == 40025
    listed = sandbox.call("GET", f"{path}/list?count=2")
    assert [one["id"] for one in listed["vectors"]] == ["a", "b"]
    rest = sandbox.call("GET", f"{path}/list?cursor={listed['nextCursor']}")
    assert [one["id"] for one in rest["vectors"]] == ["c"]
    vectorize.delete_by_ids("kb", account_id=account, ids=["a"])
    sandbox.control("PUT", "clock", {"advance": 1})
    assert [one["id"] for one in vectorize.get_by_ids("kb", account_id=account, ids=["a", "b"])] == ["b"]
    assert len(list(vectorize.list(account_id=account))) == 2
    vectorize.delete("kb", account_id=account)
    sandbox.control("PUT", "clock", {"offset": 0})


def test_ai(client, account, sandbox):
    model = "@cf/baai/bge-base-en-v1.5"
    result = client.ai.run(model, account_id=account, text=["one", "two"])
    assert result["shape"] == [2, 768]
    path = f"{sandbox.account}/ai/run/@cf/meta/llama-3.1-8b-instruct"
    said = sandbox.call("POST", path, {"prompt": "hello there"})
    assert said["response"] == "[sandbox model] You said: hello there"
    stream = sandbox.http.post(f"{sandbox.connection.api_url}{path}", json={"prompt": "hi", "stream": True})
    assert stream.headers["content-type"].startswith("text/event-stream")
    lines = [line.removeprefix("data: ") for line in stream.text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    said = "".join(json.loads(line)["response"] for line in lines[:-1])
    assert said == "[sandbox model] You said: hi"
    assert sandbox.call("POST", path, {}, expect=400)["code"] == 5006
    assert sandbox.call("POST", f"{sandbox.account}/ai/run/nothing", {}, expect=400)["code"] == 7000
    assert any("llama" in one["name"] for one in client.ai.models.list(account_id=account, search="llama"))


def test_zones_and_dns(client, account, sandbox):
    (zone,) = client.zones.list(name="example.com")
    assert zone.status == "active"
    assert _code(client.zones.create, account={"id": account}, name="example.com") == (400, 1061)
    other = client.zones.create(account={"id": account}, name="example.org")
    assert len(list(client.zones.list())) == 2
    client.zones.delete(zone_id=other.id)
    client.zones.settings.edit("ssl", zone_id=zone.id, value="strict")
    assert client.zones.settings.get("ssl", zone_id=zone.id).value == "strict"
    dns = client.dns.records
    made = dns.create(zone_id=zone.id, type="A", name="www", content="192.0.2.1", proxied=True, ttl=1)
    assert (made.name, made.proxied, made.proxiable) == ("www.example.com", True, True)
    same = {"zone_id": zone.id, "type": "A", "name": "www", "content": "192.0.2.1", "ttl": 1}
    assert _code(dns.create, **same) == (400, 81058)
    alias = {**same, "type": "CNAME", "content": "x.example.com"}
    assert _code(dns.create, **alias) == (400, 81053)
    dns.edit(made.id, zone_id=zone.id, type="A", name="www", ttl=1, comment="front door")
    (found,) = dns.list(zone_id=zone.id, comment={"contains": "front"})
    assert found.content == "192.0.2.1"
    batch = {"posts": [{"type": "TXT", "name": "@", "content": "x", "ttl": 60}], "deletes": [{"id": "none"}]}
    path = f"/zones/{zone.id}/dns_records"
    assert sandbox.call("POST", f"{path}/batch", batch, expect=404)["code"] == 81044
    done = sandbox.call("POST", f"{path}/batch", {"posts": batch["posts"]})
    assert done["posts"][0]["name"] == "example.com"
    text = dns.export(zone_id=zone.id)
    assert "www.example.com.\t1\tIN\tA\t192.0.2.1" in text
    dns.delete(made.id, zone_id=zone.id)
    imported = dns.import_(zone_id=zone.id, file=text)
    assert (imported.recs_added, imported.total_records_parsed) == (1, 2)
    assert len(list(dns.list(zone_id=zone.id))) == 2


def test_tags(client, account, sandbox):
    tagging, path = client.resource_tagging, f"{sandbox.account}/tags"
    space = client.kv.namespaces.create(account_id=account, title="tagged")
    where = {"account_id": account, "resource_id": space.id, "resource_type": "kv_namespace"}
    empty = tagging.account_tags.get(**where)
    assert empty.tags == {}
    first = tagging.account_tags.update(**where, tags={"env": "prod"}, if_match=empty.etag)
    assert (first.name, first.tags) == ("tagged", {"env": "prod"})
    assert _code(tagging.account_tags.update, **where, tags={}, if_match=empty.etag)[0] == 412
    gone = {"resource_type": "queue", "resource_id": "none", "tags": {"a": "b"}}
    sandbox.call("PUT", path, gone, expect=404)
    (zone,) = client.zones.list(name="example.com")
    tagging.zone_tags.update(zone_id=zone.id, resource_id=zone.id, resource_type="zone", tags={"env": "dev"})
    found = [one.id for one in tagging.list(account_id=account, tag=["env=prod,staging"])]
    assert found == [space.id]
    assert {one.type for one in tagging.list(account_id=account, tag=["env"])} == {"kv_namespace", "zone"}
    assert list(tagging.keys.list(account_id=account)) == ["env"]
    assert list(tagging.values.list("env", account_id=account)) == ["dev", "prod"]
    body = json.dumps({"resource_type": "kv_namespace", "resource_id": space.id})
    answer = sandbox.http.request("DELETE", sandbox.connection.api_url + path, content=body)
    assert answer.status_code == 204
    assert tagging.account_tags.get(**where).tags == {}


def test_hyperdrive_and_secrets(client, account):
    origin = {"scheme": "postgres", "host": "db", "port": 5432, "database": "d", "user": "u"}
    configs = client.hyperdrive.configs
    made = configs.create(account_id=account, name="db", origin={**origin, "password": "secret"})
    assert not hasattr(made.origin, "password")
    assert _code(configs.get, "0" * 32, account_id=account) == (404, 2006)
    edited = configs.edit(made.id, account_id=account, caching={"disabled": True})
    assert edited.caching.disabled
    assert [one.name for one in configs.list(account_id=account)] == ["db"]
    configs.delete(made.id, account_id=account)
    stores = client.secrets_store.stores
    store = stores.create(account_id=account, name="vault")
    where = {"account_id": account, "store_id": store.id}
    body = [{"name": "key", "value": "hidden", "scopes": ["workers"]}]
    (secret,) = stores.secrets.create(**where, body=body)
    assert "hidden" not in secret.model_dump_json()
    assert _code(stores.secrets.create, **where, body=body) == (409, 1003)
    assert _code(stores.secrets.get, "0" * 32, **where) == (404, 1001)
    stores.secrets.edit(secret.id, **where, comment="new")
    assert [one.comment for one in stores.secrets.list(**where)] == ["new"]
    stores.delete(store.id, account_id=account)
