"""Certificates, subscriptions, analytics, event details, and a named model server."""

import asyncio
import json

import pytest
from aiohttp import web

from trailboss.sandbox.products.ai_forward import Server, ServerFailed

CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBoTCCAUegAwIBAgIUTyO0KeyROIP6nqz/l2rDWdorzLAwCgYIKoZIzj0EAwIw
JTESMBAGA1UECgwJVHJhaWxib3NzMQ8wDQYDVQQDDAZjbGllbnQwIBcNMjYxMTIz
MTMxMzQ2WhgPMjEyNjEwMzAxMzEzNDZaMCUxEjAQBgNVBAoMCVRyYWlsYm9zczEP
MA0GA1UEAwwGY2xpZW50MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEn1VKR79s
pQPYpWa6Fum1MYEWbJBi29mYAH+ASJbZIxEqH24hTee4kmaUQn/2WQ5TweMgysbV
OGVtzkVUAv17baNTMFEwHQYDVR0OBBYEFCg1a/sxPzECpaaR2aaITNt9Rd86MB8G
A1UdIwQYMBaAFCg1a/sxPzECpaaR2aaITNt9Rd86MA8GA1UdEwEB/wQFMAMBAf8w
CgYIKoZIzj0EAwIDSAAwRQIgebbeR9U6UvqaMdVi3EvM9FY00+U9ABtjo7FsH1OM
pOICIQCuJb2ry0fZDVJauXhSlkqxRLTMyZH27NbrC8KthabOoA==
-----END CERTIFICATE-----
"""
KEY = "-----BEGIN PRIVATE KEY-----\nnot kept\n-----END PRIVATE KEY-----"


def test_certificates(account):
    path, call = f"{account.account}/mtls_certificates", account.call
    body = {"certificates": CERTIFICATE, "ca": False, "name": "client"}
    assert call("POST", path, body, expect=400)["code"] == 1470
    made = call("POST", path, {**body, "private_key": KEY})
    assert "private_key" not in made
    assert "CN=client" in made["issuer"]
    assert made["expires_on"].startswith("21")
    assert call("POST", path, {**body, "private_key": KEY}, expect=409)["code"] == 1471
    assert call("POST", path, {"certificates": "x", "ca": True}, expect=400)["code"] == 1470
    assert [one["name"] for one in call("GET", f"{path}?ca=false")] == ["client"]
    assert call("GET", f"{path}?ca=true") == []
    call("DELETE", f"{path}/{made['id']}")
    assert call("GET", f"{path}/{made['id']}", expect=404)["code"] == 1472


def test_subscriptions(account):
    path, call = f"{account.account}/event_subscriptions/subscriptions", account.call
    queue = call("POST", f"{account.account}/queues", {"queue_name": "events"})["queue_id"]
    body = {
        "name": "s",
        "source": {"type": "kv"},
        "events": ["namespace.created"],
        "destination": {"type": "queues.queue", "queue_id": queue},
    }
    made = call("POST", path, body)
    assert call("PATCH", f"{path}/{made['id']}", {"enabled": False})["enabled"] is False
    assert len(call("GET", f"{path}?queue_id={queue}")) == 1
    call("DELETE", f"{path}/{made['id']}")
    call("GET", f"{path}/{made['id']}", expect=404)


def test_analytics(account):
    url = account.connection.api_url
    document = "query { viewer { accounts(filter: {}) { r: r2StorageAdaptiveGroups(limit: 1) { max } } } }"
    answer = account.http.post(f"{url}/graphql", json={"query": document}).json()
    assert answer == {"data": {"viewer": {"accounts": [{"r": []}]}}, "errors": None}
    sql = f"{url}{account.account}/analytics_engine/sql"
    assert account.http.post(sql, content="SHOW TABLES").json()["rows"] == 0
    assert account.http.post(sql, content="select 1 from nothing").status_code == 422


def test_tags_do_not_pass_to_a_successor(account):
    buckets, tags = f"{account.account}/r2/buckets", f"{account.account}/tags"
    which = {"resource_type": "r2_bucket", "resource_id": "files"}
    account.call("POST", buckets, {"name": "files"})
    account.call("PUT", tags, {**which, "tags": {"env": "prod"}})
    account.call("DELETE", f"{buckets}/files")
    account.call("GET", f"{tags}?resource_type=r2_bucket&resource_id=files", expect=404)
    account.call("POST", buckets, {"name": "files"})
    shown = account.call("GET", f"{tags}?resource_type=r2_bucket&resource_id=files")
    assert shown["tags"] == {}
    assert account.call("GET", f"{tags}/resources") == []


def test_an_openai_compatible_server_answers_instead():
    asked = []

    async def chat(request):
        body = await request.json()
        asked.append((request.headers.get("authorization"), body))
        if body["model"] == "broken":
            return web.Response(status=500)
        if body["stream"]:
            parts = [json.dumps({"choices": [{"delta": {"content": one}}]}) for one in ("he", "llo")]
            return web.Response(text="".join(f"data: {one}\n\n" for one in [*parts, "[DONE]"]))
        return web.json_response(
            {"choices": [{"message": {"content": "hello"}}], "usage": {"total_tokens": 3}}
        )

    async def embeddings(request):
        texts = (await request.json())["input"]
        found = [{"index": at, "embedding": [float(at)]} for at, _ in enumerate(texts)]
        return web.json_response({"data": found[::-1]})

    async def main():
        app = web.Application()
        app.add_routes([web.post("/v1/chat/completions", chat), web.post("/v1/embeddings", embeddings)])
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        server = Server(f"http://127.0.0.1:{port}/v1", key="k", model="own")
        body = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}
        try:
            assert (await server.chat("@cf/x", body))["response"] == "hello"
            assert [piece async for piece in server.stream("@cf/x", body)] == ["he", "llo"]
            assert await server.embed("@cf/e", ["a", "b"]) == [[0.0], [1.0]]
            with pytest.raises(ServerFailed, match="500"):
                await Server(server.url, model="broken").chat("x", body)
        finally:
            await runner.cleanup()
        with pytest.raises(ServerFailed):
            await server.chat("@cf/x", body)
        assert "k" not in repr(server).replace("http", "")

    asyncio.run(main())
    assert asked[0][0] == "Bearer k"
    assert asked[0][1]["model"] == "own"
    assert asked[0][1]["max_tokens"] == 5
