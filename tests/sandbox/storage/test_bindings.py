"""One Worker with every storage binding: what the API writes it reads, and the other way round."""

import base64
import json
import time

import pytest

WORKER = """
export default {
  async fetch(request, env) {
    const { op, args = [] } = await request.json();
    try {
      return Response.json({ result: await operations[op](env, ...args) });
    } catch (error) {
      return Response.json({ error: error.message });
    }
  },
  async queue(batch, env) {
    for (const message of batch.messages) {
      const seen = env.DB.prepare("insert into seen values (?, ?, ?)");
      await seen.bind(batch.queue, JSON.stringify(message.body), message.attempts).run();
      if (message.body.fail && message.attempts < 2) message.retry(); else message.ack();
    }
  },
};
const operations = {
  kvGet: (env, key) => env.KV.getWithMetadata(key),
  kvPut: (env, key, value) => env.KV.put(key, value, { metadata: { by: "worker" } }),
  sql: async (env, text) => (await env.DB.prepare(text).all()).results,
  async r2Get(env, key) {
    const found = await env.BUCKET.get(key);
    return { text: await found.text(), type: found.httpMetadata.contentType, custom: found.customMetadata };
  },
  r2Put: async (env, key, text) => { await env.BUCKET.put(key, text, { customMetadata: { by: "worker" } }); },
  send: (env, body) => env.QUEUE.send(body),
  upsert: (env, vectors) => env.INDEX.upsert(vectors),
  query: (env, vector, options) => env.INDEX.query(vector, options),
  describe: (env) => env.INDEX.describe(),
  byIds: (env, ids) => env.INDEX.getByIds(ids),
  remove: (env, ids) => env.INDEX.deleteByIds(ids),
  ai: (env, model, input) => env.AI.run(model, input),
  async stream(env, model) {
    return await new Response(await env.AI.run(model, { prompt: "hi", stream: true })).text();
  },
  secret: (env) => env.SECRET.get(),
};
"""


@pytest.fixture(scope="module")
def bench(sandbox):
    sandbox.control("POST", "reset")
    account, call = sandbox.account, sandbox.call
    seeded = {
        "kv_namespaces": ["cache"],
        "d1_databases": ["app"],
        "r2_buckets": ["files"],
        "queues": ["jobs"],
    }
    sandbox.control("POST", "seed", seeded)
    config = {"dimensions": 3, "metric": "euclidean"}
    call("POST", f"{account}/vectorize/v2/indexes", {"name": "kb", "config": config})
    store = call("POST", f"{account}/secrets_store/stores", {"name": "vault"})["id"]
    secret = [{"name": "key", "value": "hidden", "scopes": ["workers"]}]
    call("POST", f"{account}/secrets_store/stores/{store}/secrets", secret)
    ids = {
        "kv": call("GET", f"{account}/storage/kv/namespaces")[0]["id"],
        "d1": call("GET", f"{account}/d1/database/app")["uuid"],
        "queue": call("GET", f"{account}/queues?name=jobs")[0]["queue_id"],
    }
    bindings = [
        {"type": "kv_namespace", "name": "KV", "namespace_id": ids["kv"]},
        {"type": "d1", "name": "DB", "id": ids["d1"]},
        {"type": "r2_bucket", "name": "BUCKET", "bucket_name": "files"},
        {"type": "queue", "name": "QUEUE", "queue_name": "jobs"},
        {"type": "vectorize", "name": "INDEX", "index_name": "kb"},
        {"type": "ai", "name": "AI"},
        {"type": "secrets_store_secret", "name": "SECRET", "store_id": store, "secret_name": "key"},
    ]
    metadata = {"main_module": "w.mjs", "compatibility_date": "2026-11-01", "bindings": bindings}
    files = {
        "metadata": (None, json.dumps(metadata), "application/json"),
        "w.mjs": ("w.mjs", WORKER, "application/javascript+module"),
    }
    url = f"{sandbox.connection.api_url}{account}/workers/scripts/storage"
    uploaded = sandbox.http.put(url, files=files)
    assert uploaded.status_code == 200, uploaded.text
    call("POST", f"{account}/workers/scripts/storage/subdomain", {"enabled": True})
    sql = {"sql": "create table seen (queue text, body text, attempts integer)"}
    call("POST", f"{account}/d1/database/{ids['d1']}/query", sql)
    return sandbox, ids


def _run(sandbox, op, *args):
    answer = sandbox.worker("storage", method="POST", json={"op": op, "args": args}).json()
    assert "error" not in answer, answer
    return answer.get("result")


def _until(found, patience=20.0):
    end = time.monotonic() + patience
    while not (value := found()):
        assert time.monotonic() < end, "it never came to be"
    return value


def test_kv_is_shared(bench):
    sandbox, ids = bench
    values = f"{sandbox.connection.api_url}{sandbox.account}/storage/kv/namespaces/{ids['kv']}/values"
    sandbox.http.put(f"{values}/from-api", content=b"api")
    assert _run(sandbox, "kvGet", "from-api")["value"] == "api"
    _run(sandbox, "kvPut", "from/worker", "worker")
    assert sandbox.http.get(f"{values}/from%2Fworker").text == "worker"
    listed = sandbox.call("GET", f"{sandbox.account}/storage/kv/namespaces/{ids['kv']}/keys")
    assert {"name": "from/worker", "metadata": {"by": "worker"}} in listed


def test_d1_is_shared_and_travels_in_time(bench):
    sandbox, ids = bench
    path = f"{sandbox.account}/d1/database/{ids['d1']}"
    _run(sandbox, "sql", "create table t (a)")
    sandbox.call("POST", f"{path}/query", {"sql": "insert into t values (1)"})
    assert _run(sandbox, "sql", "select a from t") == [{"a": 1}]
    _run(sandbox, "sql", "insert into t values (2)")
    bookmark = sandbox.call("GET", f"{path}/time_travel/bookmark")["bookmark"]
    _run(sandbox, "sql", "delete from t")
    sandbox.call("POST", f"{path}/time_travel/restore?bookmark={bookmark}")
    assert _run(sandbox, "sql", "select a from t") == [{"a": 1}, {"a": 2}]


def test_r2_is_shared_and_tells_the_queue(bench):
    sandbox, _ = bench
    objects = f"{sandbox.connection.api_url}{sandbox.account}/r2/buckets/files/objects"
    sandbox.http.put(f"{objects}/api.txt", content=b"api", headers={"content-type": "text/plain"})
    assert _run(sandbox, "r2Get", "api.txt") == {"text": "api", "type": "text/plain", "custom": {}}
    events = sandbox.call("POST", f"{sandbox.account}/queues", {"queue_name": "events"})["queue_id"]
    rules = {"rules": [{"actions": ["PutObject"]}]}
    path = f"{sandbox.account}/event_notifications/r2/files/configuration/queues/{events}"
    sandbox.call("PUT", path, rules)
    _run(sandbox, "r2Put", "worker.txt", "worker")
    assert sandbox.http.get(f"{objects}/worker.txt").text == "worker"
    peek = f"{sandbox.account}/queues/{events}/messages/peek"
    (message,) = _until(lambda: sandbox.call("POST", peek, {})["messages"])
    assert json.loads(base64.b64decode(message["body"]))["object"]["key"] == "worker.txt"


def test_queue_messages_reach_the_worker_and_are_retried(bench):
    sandbox, ids = bench
    path = f"{sandbox.account}/queues/{ids['queue']}"
    settings = {"batch_size": 10, "max_wait_time_ms": 0, "max_retries": 3}
    body = {"type": "worker", "script_name": "storage", "settings": settings}
    made = sandbox.call("POST", f"{path}/consumers", body)
    assert sandbox.call("POST", f"{path}/consumers", body, expect=400)["code"] == 11004
    shown = sandbox.call("GET", path)
    assert shown["producers"] == [{"type": "worker", "script": "storage"}]
    assert made["consumer_id"] == shown["consumers"][0]["consumer_id"]
    sandbox.call("PATCH", path, {"settings": {"delivery_paused": True}})
    _run(sandbox, "send", {"from": "worker", "fail": True})
    sandbox.call("POST", f"{path}/messages", {"body": {"from": "api"}})
    assert sandbox.call("GET", f"{path}/metrics")["backlog_count"] == 2
    assert _run(sandbox, "sql", "select * from seen") == []
    sandbox.call("PATCH", path, {"settings": {"delivery_paused": False}})
    _until(lambda: sandbox.call("GET", f"{path}/metrics")["backlog_count"] == 0)
    seen = _run(sandbox, "sql", "select body, attempts from seen where queue='jobs'")
    assert sorted((json.loads(row["body"])["from"], row["attempts"]) for row in seen) == [
        ("api", 1),
        ("worker", 1),
        ("worker", 2),
    ]


def test_vectorize_binding(bench):
    sandbox, _ = bench
    vectors = [
        {"id": "a", "values": [0, 0, 0], "metadata": {"n": 1}},
        {"id": "b", "values": [1, 1, 1], "namespace": "x"},
    ]
    mutation = _run(sandbox, "upsert", vectors)["mutationId"]
    sandbox.control("PUT", "clock", {"advance": 1})
    about = _run(sandbox, "describe")
    assert (about["vectorCount"], about["processedUpToMutation"]) == (2, mutation)
    found = _run(sandbox, "query", [0, 0, 1], {"topK": 1, "returnMetadata": "all"})
    assert found == {"count": 1, "matches": [{"id": "a", "score": 1.0, "metadata": {"n": 1}}]}
    assert [one["id"] for one in _run(sandbox, "byIds", ["b", "none"])] == ["b"]
    _run(sandbox, "remove", ["b"])
    sandbox.control("PUT", "clock", {"advance": 1})
    assert _run(sandbox, "byIds", ["b"]) == []
    wrong = sandbox.worker("storage", method="POST", json={"op": "query", "args": [[1]]}).json()["error"]
    assert wrong == (
        "VECTOR_QUERY_ERROR (code = 40006): invalid query vector, expected 3 dimensions, and got 1 dimensions"
    )
    sandbox.control("PUT", "clock", {"offset": 0})


def test_ai_and_secret_bindings(bench):
    sandbox, _ = bench
    vectors = _run(sandbox, "ai", "@cf/baai/bge-small-en-v1.5", {"text": ["x"]})
    assert vectors["shape"] == [1, 384]
    said = _run(sandbox, "ai", "@cf/meta/llama-3.1-8b-instruct", {"prompt": "hi"})
    assert said["response"] == "[sandbox model] You said: hi"
    assert _run(sandbox, "stream", "@cf/meta/llama-3.1-8b-instruct").endswith("data: [DONE]\n\n")
    wrong = sandbox.worker("storage", method="POST", json={"op": "ai", "args": ["nothing", {}]}).json()
    assert "No route" in wrong["error"]
    assert _run(sandbox, "secret") == "hidden"


def test_an_upload_cannot_bind_what_is_not_there(bench):
    sandbox, _ = bench
    kinds = [
        ({"type": "kv_namespace", "namespace_id": "0" * 32}, 10041),
        ({"type": "d1", "id": "none"}, 10181),
        ({"type": "r2_bucket", "bucket_name": "none"}, 10085),
        ({"type": "vectorize", "index_name": "none"}, 10159),
        ({"type": "queue", "queue_name": "none"}, 100122),
    ]
    for binding, code in kinds:
        metadata = {"main_module": "w.mjs", "bindings": [{"name": "X", **binding}]}
        files = {
            "metadata": (None, json.dumps(metadata), "application/json"),
            "w.mjs": ("w.mjs", WORKER, "application/javascript+module"),
        }
        url = f"{sandbox.connection.api_url}{sandbox.account}/workers/scripts/other"
        assert sandbox.http.put(url, files=files).json()["errors"][0]["code"] == code
