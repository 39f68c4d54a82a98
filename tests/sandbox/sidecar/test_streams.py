"""What flows for long: WebSockets, streams in both directions, large bodies, clients that leave."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import socket
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.sandbox.sidecar.driver import SUBDOMAIN, ControlPlane, Sidecar, ask, says, until, worker

FLOW = """
let aborted = 0;
export default {
  async fetch(request, env, ctx) {
    const url = new URL(request.url);
    if (request.headers.get("upgrade") === "websocket") {
      const [client, server] = Object.values(new WebSocketPair());
      server.accept();
      server.addEventListener("message", (event) => {
        if (event.data === "bye") server.close(4001, "as asked");
        else server.send(typeof event.data === "string" ? `echo ${event.data}` : event.data);
      });
      const headers = { "x-cf": String(request.cf?.colo), "x-url": request.url };
      const protocol = request.headers.get("sec-websocket-protocol");
      if (protocol) headers["sec-websocket-protocol"] = protocol.split(",")[0];
      return new Response(null, { status: 101, webSocket: client, headers });
    }
    if (url.pathname === "/echo") return new Response(request.body);
    if (url.pathname === "/size") {
      let size = 0;
      for await (const chunk of request.body) size += chunk.byteLength;
      return new Response(String(size));
    }
    if (url.pathname === "/large") {
      return new Response(new Uint8Array(Number(url.searchParams.get("bytes"))).fill(97));
    }
    if (url.pathname === "/aborted") return new Response(String(aborted));
    if (url.pathname === "/ticks") {
      const { readable, writable } = new TransformStream();
      const writer = writable.getWriter();
      ctx.waitUntil((async () => {
        try {
          for (let n = 0; n < Number(url.searchParams.get("n") ?? 3); n += 1) {
            await writer.write(new TextEncoder().encode(`data: ${n}\\n\\n`));
            await scheduler.wait(30);
          }
          await writer.close();
        } catch { aborted += 1; }
      })());
      return new Response(readable, { headers: { "content-type": "text/event-stream" } });
    }
    return new Response("plain");
  },
};
"""
FLAGS = ["enable_request_signal", "web_socket_auto_reply_to_close"]
HOST = f"flow.{SUBDOMAIN}.workers.localhost"


@pytest.fixture(scope="module", autouse=True)
def account(sidecar: Sidecar, folder: Path) -> None:
    sidecar.put(
        worker(folder, "flow", FLOW, compatibility_flags=FLAGS), worker(folder, "plain", says("plain"))
    )


def _socket(sidecar: Sidecar, script: str = "flow", **more: Any) -> connect:
    url = f"ws://{script}.{SUBDOMAIN}.workers.localhost/ws"
    return connect(url, host="127.0.0.1", port=sidecar.edge_port, proxy=None, **more)


@pytest.mark.anyio
async def test_websockets_pass_both_ways(sidecar: Sidecar) -> None:
    async with _socket(sidecar, subprotocols=["chat.v2", "chat.v1"]) as socket:
        assert socket.subprotocol == "chat.v2"
        assert socket.response is not None
        assert socket.response.headers["x-url"] == f"http://{HOST}/ws"
        assert len(socket.response.headers["x-cf"]) == 3
        await socket.send("hello")
        assert await socket.recv() == "echo hello"
        large = bytes(range(256)) * 2000
        await socket.send(large)
        assert await socket.recv() == large
        await socket.send("bye")
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4001, "as asked")


@pytest.mark.anyio
async def test_many_websockets_at_once(sidecar: Sidecar) -> None:
    async def talk(number: int) -> str:
        async with _socket(sidecar) as socket:
            await socket.send(str(number))
            return str(await socket.recv())

    assert await asyncio.gather(*map(talk, range(20))) == [f"echo {n}" for n in range(20)]


@pytest.mark.anyio
async def test_an_upgrade_that_is_refused(sidecar: Sidecar) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(
            f"ws://nobody.{SUBDOMAIN}.workers.localhost/",
            host="127.0.0.1",
            port=sidecar.edge_port,
            proxy=None,
        ):
            pass
    assert refused.value.response.status_code == 404
    with pytest.raises(InvalidStatus) as plain:
        async with _socket(sidecar, "plain"):
            pass
    assert plain.value.response.status_code == 200


@pytest.mark.anyio
async def test_a_swap_tells_websockets_to_come_back(sidecar: Sidecar, folder: Path) -> None:
    async with _socket(sidecar) as socket:
        await socket.send("a")
        assert await socket.recv() == "echo a"
        flow = worker(folder, "flow", FLOW, compatibility_flags=FLAGS)
        await asyncio.to_thread(sidecar.put, flow, worker(folder, "plain", says("new"), 2))
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1012
    assert sidecar.get("plain").text == "new"


def test_large_bodies_in_and_out(sidecar: Sidecar) -> None:
    size = 30_000_000
    body = b"x" * size
    assert sidecar.get("flow", "/size", method="POST", body=body).text == str(size)
    large = sidecar.get("flow", f"/large?bytes={size}")
    assert len(large.body) == size
    echoed = sidecar.get("flow", "/echo", method="POST", body=body[:3_000_000])
    assert hashlib.md5(echoed.body).digest() == hashlib.md5(body[:3_000_000]).digest()


def test_a_chunked_request_is_echoed_while_it_is_sent(sidecar: Sidecar) -> None:
    with socket.create_connection(("127.0.0.1", sidecar.edge_port), timeout=20) as raw:
        raw.sendall(f"POST /echo HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        raw.sendall(b"5\r\nfirst\r\n")
        seen = b""
        while b"first" not in seen:
            seen += raw.recv(4096)
        assert b" 200 " in seen
        raw.sendall(b"6\r\nsecond\r\n0\r\n\r\n")
        while b"0\r\n\r\n" not in seen:
            seen += raw.recv(4096)
        assert b"second" in seen


def test_an_event_stream_arrives_piece_by_piece(sidecar: Sidecar) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sidecar.edge_port, timeout=20)
    connection.request("GET", "/ticks", headers={"host": HOST})
    answer = connection.getresponse()
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.read(9) == b"data: 0\n\n"
    assert answer.read() == b"data: 1\n\ndata: 2\n\n"
    connection.close()


def test_the_worker_learns_that_the_client_left(sidecar: Sidecar) -> None:
    before = int(sidecar.get("flow", "/aborted").text)
    connection = http.client.HTTPConnection("127.0.0.1", sidecar.edge_port, timeout=20)
    connection.request("GET", "/ticks?n=1000", headers={"host": HOST})
    answer = connection.getresponse()
    assert answer.read(9) == b"data: 0\n\n"
    connection.sock.shutdown(socket.SHUT_RDWR)
    answer.close()
    connection.close()
    until(lambda: int(sidecar.get("flow", "/aborted").text) > before)
    until(lambda: sidecar.done("GET", "/stats")["in_flight"] == 0)


def test_one_connection_carries_many_requests(sidecar: Sidecar) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sidecar.edge_port, timeout=20)
    local = None
    for _ in range(5):
        connection.request("GET", "/", headers={"host": HOST})
        assert connection.getresponse().read() == b"plain"
        local = local or connection.sock.getsockname()
        assert connection.sock.getsockname() == local
    connection.close()


def test_a_stream_is_cut_when_the_drain_takes_too_long(plane: ControlPlane, tmp_path: Path) -> None:
    sidecar = Sidecar(tmp_path, plane, {"drain_ms": 100})
    try:
        sidecar.put(worker(tmp_path, "flow", FLOW))
        connection = http.client.HTTPConnection("127.0.0.1", sidecar.edge_port, timeout=20)
        connection.request("GET", "/ticks?n=1000", headers={"host": HOST})
        answer = connection.getresponse()
        answer.read(9)
        sidecar.put(worker(tmp_path, "flow", says("next"), 2))
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            answer.read()
        connection.close()
        assert ask(sidecar.edge_port, "GET", "/", None, {"host": HOST}).text == "next"
    finally:
        sidecar.stop()
