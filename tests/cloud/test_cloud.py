"""The one object: requests as they go out, replies as they come in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.cloud.conftest import ACCOUNT, TOKEN
from tests.cloud.loopback import Answer, Loopback, Request, no, ok
from trailboss.cloud import Cloud, GlobalKey, Part, Target, segment
from trailboss.errors import CloudError, ConfigError, PermissionDenied, Unavailable, UsageError
from trailboss.values import Secret

Connect = Callable[..., Cloud]


def run(
    answers: Any, connect: Connect, use: Callable[[Cloud], Any], **options: Any
) -> tuple[Any, list[Request]]:
    """Run `use` against a server with these answers; its result and the requests."""

    async def main() -> tuple[Any, list[Request]]:
        async with Loopback(answers) as server, connect(server, **options) as cloud:
            return await use(cloud), server.requests

    return asyncio.run(main())


def test_a_get_returns_the_result(connect: Connect) -> None:
    result, (request,) = run(
        [ok({"id": 1})],
        connect,
        lambda c: c.get(f"{c.account}/x", params={"a": [1, 2], "b": True, "c": None}),
    )
    assert result == {"id": 1}
    assert (request.method, request.path) == ("GET", f"/client/v4/accounts/{ACCOUNT}/x")
    assert request.query == [("a", "1"), ("a", "2"), ("b", "true")]
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["user-agent"].startswith("trailboss/")
    assert "x-auth-key" not in request.headers


def test_json_reveals_secrets_only_on_the_wire(connect: Connect) -> None:
    body = {"name": "A", "text": Secret("s3cret"), "n": None}
    _, (request,) = run([ok()], connect, lambda c: c.put("/x", json=body))
    assert json.loads(request.body) == {"name": "A", "text": "s3cret", "n": None}
    assert request.headers["content-type"] == "application/json"


def test_the_content_type_can_be_set(connect: Connect) -> None:
    kind = {"Content-Type": "application/merge-patch+json"}
    _, (request,) = run([ok()], connect, lambda c: c.patch("/x", json={}, headers=kind))
    assert request.headers["content-type"] == "application/merge-patch+json"


def test_a_form_streams_files(connect: Connect, tmp_path: Path) -> None:
    file = tmp_path / "big.wasm"
    file.write_bytes(b"x" * 3_000_000)
    parts = [Part("metadata", "{}"), Part("big.wasm", file, "big.wasm", "application/wasm")]
    _, (request,) = run([ok()], connect, lambda c: c.put("/x", parts=parts))
    assert request.body.count(b"x") >= 3_000_000
    assert request.body.index(b'name="metadata"') < request.body.index(b'name="big.wasm"')
    assert request.headers["content-length"] == str(len(request.body))
    assert "transfer-encoding" not in request.headers


def test_connections_are_kept(connect: Connect) -> None:
    async def main() -> int:
        async with Loopback(lambda _: ok()) as server, connect(server) as cloud:
            for _ in range(5):
                await cloud.get("/x")
            return server.connections

    assert asyncio.run(main()) == 1


def test_the_success_flag_decides(connect: Connect) -> None:
    answer = no(200, 1234, "not today")
    with pytest.raises(CloudError) as caught:
        run([answer], connect, lambda c: c.get("/x"))
    assert caught.value.cloudflare_code == 1234
    assert "GET /x: not today [code: 1234]" in str(caught.value)
    odd = ok({"fine": True})
    odd.status = 418
    assert run([odd], connect, lambda c: c.get("/x"))[0] == {"fine": True}


def test_an_empty_body_counts_only_as_204(connect: Connect) -> None:
    assert run([Answer(204)], connect, lambda c: c.delete("/x"))[0] is None
    with pytest.raises(Unavailable) as caught:
        run([Answer(200)], connect, lambda c: c.post("/x"))
    assert caught.value.code == "TB2504"
    assert caught.value.effect_unknown


@pytest.mark.parametrize(
    "body", [b'{"success": true, "result": {"a"', b"<html>hi</html>", b"[]", b"{}", b"\xff\xfe", b'"x"']
)
def test_unreadable_answers_are_typed(connect: Connect, body: bytes) -> None:
    with pytest.raises(Unavailable) as caught:
        run(lambda _: Answer(200, body), connect, lambda c: c.get("/x"))
    assert caught.value.code == "TB2504"
    assert not caught.value.effect_unknown


def test_html_of_an_edge_error(connect: Connect) -> None:
    answer = Answer(502, b"<html>Bad gateway</html>", {"content-type": "text/html", "cf-ray": "8f-AMS"})
    with pytest.raises(Unavailable) as caught:
        run(lambda _: answer, connect, lambda c: c.post("/x", json={}))
    assert (caught.value.status, caught.value.ray, caught.value.code) == (502, "8f-AMS", "TB2503")
    assert "8f-AMS" in str(caught.value)


def test_a_challenge_is_named(connect: Connect) -> None:
    answer = Answer(403, b"<html>", {"cf-mitigated": "challenge"})
    with pytest.raises(PermissionDenied) as caught:
        run([answer], connect, lambda c: c.get("/x"))
    assert caught.value.code == "TB2202"


def test_results_decode_as_types(connect: Connect) -> None:
    class Namespace(msgspec.Struct):
        id: str
        title: str = ""

    result, _ = run([ok([{"id": "a", "new": 1}])], connect, lambda c: c.get("/x", type=list[Namespace]))
    assert result == [Namespace("a")]
    with pytest.raises(Unavailable) as caught:
        run([ok([{"id": 5}])], connect, lambda c: c.get("/x", type=list[Namespace]))
    assert "unexpected shape" in str(caught.value)


def test_raw_answers(connect: Connect, tmp_path: Path) -> None:
    answer = Answer(200, b"\x00\x01", {"expiration": "5"})
    raw, _ = run([answer], connect, lambda c: c.raw("GET", "/v"))
    assert (raw.status, raw.body, raw.headers["expiration"]) == (200, b"\x00\x01", "5")
    raw, _ = run([Answer(404, b"nope")], connect, lambda c: c.raw("GET", "/v", check=False))
    assert raw.status == 404
    with pytest.raises(CloudError) as caught:
        run([no(404, 10009, "key not found")], connect, lambda c: c.raw("GET", "/accounts/a/storage/kv/x"))
    assert caught.value.cloudflare_code == 10009
    target = tmp_path / "out"
    raw, _ = run([Answer(200, b"z" * 500_000)], connect, lambda c: c.raw("GET", "/v", to=target))
    assert raw.body == b""
    assert target.read_bytes() == b"z" * 500_000


def test_a_broken_download_leaves_no_file(connect: Connect, tmp_path: Path) -> None:
    def answer(_: Request) -> Answer:
        return Answer(200, b"z" * 5000, cut="middle")

    with pytest.raises(Unavailable):
        run(answer, connect, lambda c: c.raw("GET", "/v", to=tmp_path / "out"))
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []


def test_other_hosts_never_get_the_token(connect: Connect) -> None:
    async def main() -> Request:
        async with Loopback(lambda _: Answer(200)) as other, connect("http://127.0.0.1:1") as cloud:
            await cloud.raw("PUT", f"{other.url}/up?signature=abc", content=b"data")
            return other.requests[0]

    request = asyncio.run(main())
    assert "authorization" not in request.headers
    assert request.query == [("signature", "abc")]


def test_another_token_for_a_view(connect: Connect) -> None:
    async def use(cloud: Cloud) -> None:
        session = None
        async with cloud.authorised_by("jwt.jwt.jwt") as uploads:
            await uploads.post("/assets", parts=[Part("a", "b")])
            session = cloud._session
        await cloud.get("/x")
        assert cloud._session is session is not None
        assert uploads.stats is cloud.stats

    _, (first, second) = run([ok(), ok()], connect, use)
    assert first.headers["authorization"] == "Bearer jwt.jwt.jwt"
    assert second.headers["authorization"] == f"Bearer {TOKEN}"


def test_key_and_email() -> None:
    async def main() -> Request:
        async with Loopback([ok()]) as server:
            target = Target("cloudflare", server.url, GlobalKey("me@example.com", Secret("k" * 37)), "a")
            async with Cloud(target) as cloud:
                await cloud.get("/x")
            return server.requests[0]

    headers = asyncio.run(main()).headers
    assert (headers["x-auth-email"], headers["x-auth-key"]) == ("me@example.com", "k" * 37)
    assert "authorization" not in headers


def _accounts(accounts: list[str], members: list[str] | None) -> Callable[[Request], Answer]:
    def respond(request: Request) -> Answer:
        if request.path.endswith("/accounts"):
            return ok([{"id": a, "name": a.upper()} for a in accounts])
        if request.path.endswith("/memberships"):
            return no(403, 10000) if members is None else ok([{"account": {"id": a}} for a in members])
        return ok(request.path)

    return respond


@pytest.mark.parametrize("members", [["b"], None])
def test_the_account_is_looked_up_once(connect: Connect, members: list[str] | None) -> None:
    async def use(cloud: Cloud) -> list[str]:
        paths = await asyncio.gather(*(cloud.get(f"{cloud.account}/x{n}") for n in range(3)))
        return [*paths, cloud.account]

    accounts = ["a", "b"] if members else ["b"]
    paths, requests = run(_accounts(accounts, members), connect, use, account=None)
    assert paths == [*(f"/client/v4/accounts/b/x{n}" for n in range(3)), "/accounts/b"]
    assert len(requests) == 5


def test_several_accounts_are_listed(connect: Connect) -> None:
    with pytest.raises(ConfigError) as caught:
        run(_accounts(["a", "b"], ["a", "b"]), connect, lambda c: c.get(f"{c.account}/x"), account=None)
    assert "A (a), B (b)" in str(caught.value)
    with pytest.raises(PermissionDenied):
        run(_accounts([], []), connect, lambda c: c.account_id(), account=None)


def test_paths_are_checked(connect: Connect) -> None:
    for name in ("", ".", ".."):
        with pytest.raises(UsageError):
            segment(name)
    assert segment("a/b c?") == "a%2Fb%20c%3F"
    with pytest.raises(UsageError):
        run([], connect, lambda c: c.get("accounts"))
    with pytest.raises(TypeError):
        run([], connect, lambda c: c.get("/x", jsn={}))


def test_an_encoded_segment_arrives_as_sent(connect: Connect) -> None:
    async def main() -> bytes:
        seen = b""

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal seen
            seen = await reader.readline()
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 204 X\r\nconnection: close\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        async with connect(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as cloud:
            await cloud.get(f"/v/{segment('a/b%20%c?ü')}")
        server.close()
        return seen

    assert asyncio.run(main()).startswith(b"GET /v/a%2Fb%2520%25c%3F%C3%BC HTTP/1.1")
