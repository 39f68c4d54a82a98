"""The data plane: what it writes is what a Worker's binding reads, and the other way round."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests.sandbox.sidecar.driver import TOKEN, Sidecar, base64_json, worker

KV, DB, BUCKET = "f" * 32, "5d7b7d33-aaaa-4bbb-8ccc-dddddddddddd", "files"
READER = """
export default {
  async fetch(request, env) {
    const { op, key, value } = await request.json();
    if (op === "kv") return Response.json(await env.KV.getWithMetadata(key));
    if (op === "kv-put") {
      await env.KV.put(key, value, { metadata: { by: "worker" } });
      return Response.json(null);
    }
    if (op === "sql") return Response.json(await env.DB.prepare(value).all());
    if (op === "r2") {
      const found = await env.R2.get(key);
      const text = await found.text();
      return Response.json({ text, http: found.httpMetadata, custom: found.customMetadata });
    }
    await env.R2.put(key, value, { httpMetadata: { contentType: "text/x-own" }, customMetadata: { a: "é" } });
    return Response.json(null);
  },
};
"""
KEYS = [
    "plain",
    "a/b/c",
    "sp ace",
    "per%cent",
    "Ünï/cödé ☃",
    "q?x=1&y#z",
    "+plus+",
    "dot.",
    'quo"te',
    "a%2Fb",
]


@pytest.fixture(scope="module", autouse=True)
def account(sidecar: Sidecar, folder: Path) -> None:
    bindings = [
        {"name": "KV", "type": "kv_namespace", "namespace_id": KV},
        {"name": "DB", "type": "d1", "id": DB},
        {"name": "R2", "type": "r2_bucket", "bucket_name": BUCKET},
    ]
    sidecar.put(worker(folder, "reader", READER, bindings=bindings))


def _inside(sidecar: Sidecar, op: str, **more: str) -> object:
    reply = sidecar.get("reader", method="POST", body={"op": op, **more})
    assert reply.status == 200, reply.text
    return reply.json


def _value(key: str) -> str:
    return f"/data/kv/{KV}/values/{quote(key, safe='')}"


def _object(key: str) -> str:
    return f"/data/r2/{BUCKET}/objects/{quote(key, safe='')}"


@pytest.mark.parametrize("key", KEYS)
def test_any_key_is_the_same_key_inside(sidecar: Sidecar, key: str) -> None:
    sidecar.done("PUT", _value(key), b"value", {"x-trailboss-metadata": base64_json({"m": "ö"})})
    seen = _inside(sidecar, "kv", key=key)
    assert isinstance(seen, dict)
    assert (seen["value"], seen["metadata"]) == ("value", {"m": "ö"})
    sidecar.done("PUT", _object(key), b"object", {"content-type": "text/plain"})
    found = _inside(sidecar, "r2", key=key)
    assert isinstance(found, dict)
    assert (found["text"], found["http"]["contentType"]) == ("object", "text/plain")
    assert sidecar.control("GET", _object(key)).text == "object"


def test_kv_metadata_and_expiration_come_back(sidecar: Sidecar) -> None:
    _inside(sidecar, "kv-put", key="from-worker", value="v")
    reply = sidecar.control("GET", _value("from-worker"))
    assert reply.text == "v"
    assert json.loads(base64.b64decode(reply.headers["x-trailboss-metadata"])) == {"by": "worker"}
    later = int(time.time()) + 3600
    sidecar.done("PUT", _value("soon") + f"?expiration={later}", b"x")
    assert sidecar.control("GET", _value("soon")).headers["x-trailboss-expiration"] == str(later)
    sidecar.done("PUT", _value("ttl") + "?expiration_ttl=60", b"\x00\xff")
    assert sidecar.control("GET", _value("ttl")).body == b"\x00\xff"
    too_soon = sidecar.control("PUT", _value("bad") + "?expiration_ttl=5", b"x")
    assert too_soon.status == 400 and "60" in too_soon.json["error"]["message"]
    assert sidecar.control("GET", _value("never-written")).status == 404
    sidecar.done("DELETE", _value("ttl"))
    assert sidecar.control("GET", _value("ttl")).status == 404


def test_kv_lists_by_prefix_and_pages(sidecar: Sidecar) -> None:
    put = [{"key": f"list/{n:02d}", "value": str(n), "metadata": {"n": n}} for n in range(25)]
    raw = {"key": "list/bytes", "value": base64.b64encode(b"\xff\x00").decode(), "base64": True}
    assert sidecar.done("POST", f"/data/kv/{KV}/bulk", {"put": [*put, raw]})["written"] == 26
    names: list[str] = []
    cursor = ""
    while True:
        page = sidecar.done("GET", f"/data/kv/{KV}/keys?prefix=list/&limit=10&cursor={cursor}")
        names += [key["name"] for key in page["keys"]]
        if page["complete"]:
            break
        cursor = quote(page["cursor"])
    assert names == sorted(entry["key"] for entry in [*put, raw])
    got = sidecar.done("POST", f"/data/kv/{KV}/bulk", {"get": ["list/03", "list/bytes", "none"]})["values"]
    assert (got["list/03"]["value"], got["list/03"]["metadata"], got["none"]) == ("3", {"n": 3}, None)
    assert base64.b64decode(got["list/bytes"]["value"]) == b"\xff\x00"
    sidecar.done("POST", f"/data/kv/{KV}/bulk", {"delete": names})
    assert sidecar.done("GET", f"/data/kv/{KV}/keys?prefix=list/")["keys"] == []


def test_new_resources_need_no_reload(sidecar: Sidecar) -> None:
    swaps = sidecar.done("GET", "/stats")["swaps"]
    sidecar.done("PUT", "/data/kv/brand-new/values/a", b"1")
    sidecar.done("POST", "/data/d1/brand-new/query", {"statements": [{"sql": "select 1"}]})
    sidecar.done("PUT", "/data/r2/brand-new/objects/a", b"1")
    assert sidecar.done("GET", "/stats")["swaps"] == swaps


def _query(sidecar: Sidecar, sql: str, *params: object, **more: object) -> list[dict[str, object]]:
    answer = sidecar.done(
        "POST", f"/data/d1/{DB}/query", {"statements": [{"sql": sql, "params": params}], **more}
    )
    assert isinstance(answer, list)
    return answer


def test_d1_answers_one_result_per_statement(sidecar: Sidecar) -> None:
    results = _query(
        sidecar,
        """
        CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT); -- a comment; with a semicolon
        CREATE TRIGGER up AFTER INSERT ON t BEGIN
          UPDATE t SET name = CASE WHEN name IS NULL THEN ';' ELSE name END WHERE id = NEW.id; SELECT 1;
        END;
        INSERT INTO t (name) VALUES ('semi;colon'), (NULL);
        /* ; */ SELECT * FROM t;
        """,
    )
    assert len(results) == 4
    assert results[3]["results"] == [{"id": 1, "name": "semi;colon"}, {"id": 2, "name": ";"}]
    inside = _inside(sidecar, "sql", value="SELECT count(*) AS n FROM t")
    assert isinstance(inside, dict) and inside["results"] == [{"n": 2}]


def test_d1_parameters_raw_rows_and_meta(sidecar: Sidecar) -> None:
    _query(sidecar, "CREATE TABLE IF NOT EXISTS p (a, b, c)")
    written = _query(sidecar, "INSERT INTO p VALUES (?, ?, ?)", "x", 2.5, None)[0]
    assert isinstance(written["meta"], dict)
    assert written["meta"]["changes"] == 1 and written["meta"]["rows_written"] >= 1
    raw = _query(sidecar, "SELECT a AS same, b AS same, c FROM p WHERE a = ?1", "x", raw=True)[0]
    assert raw["results"] == {"columns": ["same", "same", "c"], "rows": [["x", 2.5, None]]}
    assert _query(sidecar, "SELECT ? AS yes", True)[0]["results"] == [{"yes": 1}]


def test_d1_errors_and_transactions(sidecar: Sidecar) -> None:
    _query(sidecar, "CREATE TABLE u (a UNIQUE)")
    path = f"/data/d1/{DB}/query"
    batch = {"statements": [{"sql": "INSERT INTO u VALUES (1)"}, {"sql": "INSERT INTO u VALUES (1)"}]}
    failed = sidecar.control("POST", path, batch)
    assert failed.status == 400 and "UNIQUE constraint failed" in failed.json["error"]["message"]
    assert _query(sidecar, "SELECT count(*) AS n FROM u")[0]["results"] == [{"n": 0}]
    assert sidecar.control("POST", path, {**batch, "transaction": False}).status == 400
    assert _query(sidecar, "SELECT count(*) AS n FROM u")[0]["results"] == [{"n": 1}]
    assert "syntax error" in sidecar.control("POST", path, {"statements": [{"sql": "SELEC"}]}).text
    assert sidecar.control("POST", path, {"statements": [{"sql": " -- nothing"}]}).status == 400


def test_d1_dumps_itself(sidecar: Sidecar) -> None:
    path = "/data/d1/dumped"
    setup = """
        CREATE TABLE one (a TEXT); INSERT INTO one VALUES ('it''s');
        CREATE TABLE two (b); CREATE INDEX i ON two (b)
    """
    sidecar.done("POST", f"{path}/query", {"statements": [{"sql": setup}]})
    whole = sidecar.control("POST", f"{path}/dump", {}).text
    assert whole.startswith("PRAGMA defer_foreign_keys=TRUE;\nCREATE TABLE one (a TEXT);\n")
    assert "VALUES('it''s');" in whole and "CREATE INDEX i ON two (b);" in whole
    assert "INSERT" not in sidecar.control("POST", f"{path}/dump", {"no_data": True}).text
    assert "CREATE TABLE" not in sidecar.control("POST", f"{path}/dump", {"no_schema": True}).text
    assert "two" not in sidecar.control("POST", f"{path}/dump", {"tables": ["one"]}).text
    sidecar.done("POST", "/data/d1/restored/query", {"statements": [{"sql": whole}]})
    assert sidecar.control("POST", "/data/d1/restored/dump", {}).text == whole


def test_r2_metadata_ranges_and_conditions(sidecar: Sidecar) -> None:
    path = _object("doc.txt")
    http = {"content-type": "text/plain", "cache-control": "max-age=60", "content-language": "de"}
    made = sidecar.done(
        "PUT", path, b"0123456789", {**http, "x-trailboss-custom-metadata": base64_json({"k": "ü"})}
    )
    assert made["size"] == 10 and made["http_metadata"]["cacheControl"] == "max-age=60"
    assert made["custom_metadata"] == {"k": "ü"}
    got = sidecar.control("GET", path)
    assert {name: got.headers[name] for name in http} == http
    etag = got.headers["etag"]
    part = sidecar.control("GET", path, headers={"range": "bytes=2-4"})
    assert (part.status, part.body, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    assert sidecar.control("GET", path, headers={"range": "bytes=-3"}).body == b"789"
    head = sidecar.control("HEAD", path)
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "10")
    assert sidecar.control("GET", path, headers={"if-none-match": etag}).status == 304
    assert sidecar.control("GET", path, headers={"if-match": '"other"'}).status == 412
    assert sidecar.control("PUT", path, b"x", {"if-none-match": "*"}).status == 412
    assert sidecar.control("PUT", path, b"new", {"if-match": etag}).status == 200
    assert sidecar.control("GET", _object("none")).status == 404


def test_r2_what_a_worker_wrote(sidecar: Sidecar) -> None:
    _inside(sidecar, "r2-put", key="w", value="from the worker")
    got = sidecar.control("GET", _object("w"))
    assert (got.text, got.headers["content-type"]) == ("from the worker", "text/x-own")
    assert json.loads(base64.b64decode(got.headers["x-trailboss-custom-metadata"])) == {"a": "é"}


def test_r2_a_body_of_unknown_length(sidecar: Sidecar) -> None:
    pieces = [bytes([number]) * 700_000 for number in range(3)]
    url = f"http://127.0.0.1:{sidecar.control_port}/data/r2/{BUCKET}"
    sent = {"authorization": f"Bearer {TOKEN}", "content-type": "text/x-chunks"}
    with httpx.Client(headers=sent, timeout=30) as http:
        made = http.put(f"{url}/objects/chunked", content=iter(pieces)).json()
        assert (made["size"], made["http_metadata"]) == (2_100_000, {"contentType": "text/x-chunks"})
        assert http.get(f"{url}/objects/chunked").content == b"".join(pieces)
        upload = http.post(f"{url}/uploads", json={"key": "parts"}).json()["upload_id"]
        part = http.put(f"{url}/uploads/{upload}/parts/1?key=parts", content=iter(pieces)).json()
        assert (part["part"], part["size"]) == (1, 2_100_000)
        refused = http.put(f"{url}/objects/chunked", content=iter(pieces), headers={"if-match": '"no"'})
        assert refused.status_code == 412


def test_r2_lists(sidecar: Sidecar) -> None:
    for key in ("a/1", "a/2", "b/1", "top"):
        sidecar.done(
            "PUT", f"/data/r2/lists/objects/{quote(key, safe='')}", b"x", {"content-type": "text/css"}
        )
    page = sidecar.done("GET", "/data/r2/lists/objects?delimiter=/")
    assert [entry["key"] for entry in page["objects"]] == ["top"]
    assert page["delimited_prefixes"] == ["a/", "b/"]
    first = sidecar.done("GET", "/data/r2/lists/objects?limit=2&include=http_metadata")
    assert first["truncated"] and first["objects"][0]["http_metadata"] == {"contentType": "text/css"}
    rest = sidecar.done("GET", f"/data/r2/lists/objects?cursor={quote(first['cursor'])}")
    assert [entry["key"] for entry in rest["objects"]] == ["b/1", "top"]
    after = sidecar.done("GET", "/data/r2/lists/objects?prefix=a/&start_after=a/1")
    assert [entry["key"] for entry in after["objects"]] == ["a/2"]
    sidecar.done("POST", "/data/r2/lists/delete", {"keys": ["a/1", "a/2", "none"]})
    sidecar.done("DELETE", "/data/r2/lists/objects/top")
    assert [entry["key"] for entry in sidecar.done("GET", "/data/r2/lists/objects")["objects"]] == ["b/1"]


def test_r2_multipart(sidecar: Sidecar) -> None:
    root = "/data/r2/parts/uploads"
    made = sidecar.done(
        "POST", root, {"key": "big", "http_metadata": {"contentType": "x/y"}, "custom_metadata": {"a": "b"}}
    )
    upload = f"{root}/{made['upload_id']}"
    chunk = b"m" * (5 * 1024 * 1024)
    parts = [
        sidecar.done("PUT", f"{upload}/parts/{n}?key=big", body) for n, body in ((1, chunk), (2, b"tail"))
    ]
    assert [part["size"] for part in parts] == [len(chunk), 4]
    done = sidecar.done("POST", f"{upload}/complete", {"key": "big", "parts": parts})
    assert done["size"] == len(chunk) + 4 and done["etag"].endswith("-2")
    got = sidecar.control("GET", "/data/r2/parts/objects/big")
    assert got.body == chunk + b"tail" and got.headers["content-type"] == "x/y"
    other = sidecar.done("POST", root, {"key": "gone"})["upload_id"]
    sidecar.done("DELETE", f"{root}/{other}?key=gone")
    assert sidecar.control("PUT", f"{root}/{other}/parts/1?key=gone", b"x").status >= 400
