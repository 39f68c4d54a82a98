#!/usr/bin/env python3
"""Stands in for cloudflared 2026.8: `--version`; `tunnel … run` with TUNNEL_TOKEN or --token-file, its log
lines on standard error, `/ready` on its metrics address, a graceful end on SIGTERM.

STANDIN_VERSION, STANDIN_READY_AFTER (seconds), STANDIN_FAIL (a message) and STANDIN_RECORD (a file that is
told how it was called) change what it does.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

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


def serve(address: str, started: float) -> None:
    """The metrics server."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            connections = 4 if time.monotonic() - started > READY_AFTER else 0
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


def main(words: list[str]) -> int:
    """What is run."""
    if "--version" in words or words == ["version"]:
        print(f"cloudflared version {VERSION} (built 2026-08-20-1200 UTC)")
        return 0
    started = time.monotonic()
    if record := os.environ.get("STANDIN_RECORD"):
        with open(record, "w") as file:
            json.dump({"argv": words, "token": token(words), "pid": os.getpid()}, file)
    if message := os.environ.get("STANDIN_FAIL"):
        say("ERR", message)
        return 1
    serve(words[words.index("--metrics") + 1], started)
    say("INF", f"Starting tunnel tunnelID={token(words)['t']}")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    ended.wait(READY_AFTER)
    for number in range(4):
        say("INF", f"Registered tunnel connection connIndex={number} location=dfw08 protocol=quic")
    ended.wait()
    say("INF", "Initiating graceful shutdown due to signal terminated ...")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
