#!/usr/bin/env python3
"""Stands in for cloudflared 2026.8: `--version`; `tunnel … run` with TUNNEL_TOKEN or --token-file, its log
lines on standard error, `/ready` on its metrics address, a graceful end on SIGTERM; `access ssh` over stdio
and `access tcp` on a port, to the edge at STANDIN_EDGE (host:port) with the service token of its environment.

STANDIN_VERSION, STANDIN_READY_AFTER (seconds), STANDIN_FAIL (a message) and STANDIN_RECORD (a file that is
told how it was called) change what it does.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

VERSION = os.environ.get("STANDIN_VERSION", "2026.8.2")
READY_AFTER = float(os.environ.get("STANDIN_READY_AFTER", "0.1"))


def say(level: str, text: str) -> None:
    """One line, as cloudflared's default log has it."""
    print(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {level} {text}", file=sys.stderr, flush=True)


def token(words: list[str]) -> dict[str, str]:
    """The token's three parts: account, tunnel, secret; the environment wins over the file."""
    text = os.environ.get("TUNNEL_TOKEN")
    if text is None and "--token-file" in words:
        with open(words[words.index("--token-file") + 1]) as file:
            text = file.read().strip()
    if not text:
        say("ERR", '"cloudflared tunnel run" requires the ID or name of the tunnel to run')
        sys.exit(255)
    found: dict[str, str] = json.loads(base64.b64decode(text))
    return found


def serve(address: str, connected: threading.Event) -> None:
    """The metrics server."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            connections = 4 if connected.is_set() else 0
            body = {
                "status": 200 if connections else 503,
                "readyConnections": connections,
                "connectorId": "c",
            }
            self.send_response(body["status"])
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            """Quiet."""

    host, _, port = address.rpartition(":")
    server = ThreadingHTTPServer((host, int(port)), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say("INF", f"Starting metrics server on {address}/metrics")


def reach(host: str) -> Any:
    """A WebSocket to `host` at the edge."""
    from websockets.sync.client import connect

    edge, _, port = os.environ["STANDIN_EDGE"].rpartition(":")
    shown = {
        "Cf-Access-Client-Id": os.environ.get("TUNNEL_SERVICE_TOKEN_ID", ""),
        "Cf-Access-Client-Secret": os.environ.get("TUNNEL_SERVICE_TOKEN_SECRET", ""),
    }
    sock = socket.create_connection((edge, int(port)))
    return connect(f"ws://{host}", sock=sock, additional_headers=shown, compression=None, proxy=None)


def carry(host: str, read: Callable[[], bytes], write: Callable[[bytes], object]) -> None:
    """One connection: what is read goes out in binary frames, frames that come are written."""
    with reach(host) as edge:

        def outgoing() -> None:
            with contextlib.suppress(Exception):
                while data := read():
                    edge.send(data)
            edge.close()

        threading.Thread(target=outgoing, daemon=True).start()
        with contextlib.suppress(Exception):
            for frame in edge:
                write(frame)


def carry_socket(host: str, client: socket.socket) -> None:
    """One connection of a client; it ends with the tunnel's."""
    with client:
        carry(host, lambda: client.recv(65536), client.sendall)


def access(words: list[str]) -> int:
    """`access ssh --hostname H`, `access tcp --hostname H --url A`."""
    host = words[words.index("--hostname") + 1]
    if words[0] == "ssh":
        carry(host, lambda: os.read(0, 65536), lambda data: os.write(1, data))
        return 0
    address, _, port = words[words.index("--url") + 1].rpartition(":")
    with socket.create_server((address, int(port))) as server:
        say("INF", f"Start Websocket listener host={address}:{port}")
        while True:
            client, _ = server.accept()
            threading.Thread(target=carry_socket, args=(host, client), daemon=True).start()


def main(words: list[str]) -> int:
    """What is run."""
    if words[:1] == ["access"]:
        return access(words[1:])
    if "--version" in words or words == ["version"]:
        print(f"cloudflared version {VERSION} (built 2026-08-20-1200 UTC)")
        return 0
    if record := os.environ.get("STANDIN_RECORD"):
        with open(record, "w") as file:
            json.dump({"argv": words, "token": token(words), "pid": os.getpid()}, file)
    if message := os.environ.get("STANDIN_FAIL"):
        say("ERR", message)
        return 1
    connected = threading.Event()
    serve(words[words.index("--metrics") + 1], connected)
    say("INF", f"Starting tunnel tunnelID={token(words)['t']}")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    ended.wait(READY_AFTER)
    for number in range(4):
        say("INF", f"Registered tunnel connection connIndex={number} location=dfw08 protocol=quic")
    connected.set()
    ended.wait()
    say("INF", "Initiating graceful shutdown due to signal terminated ...")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
