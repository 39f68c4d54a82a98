"""A stand-in for a 1Password Connect server on loopback, from its published API (1.7)."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "eyJhbGciOiJFUzI1NiJ9.connect-token.signature"


def identity(name: str) -> str:
    """Twenty-six small letters and digits, as 1Password's ids are."""
    digest = hashlib.sha256(name.encode()).digest()
    return "".join("abcdefghijklmnopqrstuvwxyz234567"[byte % 32] for byte in digest[:26])


class Server:
    """`vaults` as in the stand-in for `op`; `seen` are the requests; `status` answers everything."""

    def __init__(self, vaults: dict[str, list[dict[str, Any]]]) -> None:
        self.vaults, self.seen, self.status, self.body = vaults, [], 0, b""
        self.url, self.most_at_once, self._now = "", 0, 0
        self._lock = threading.Lock()

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self._lock:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            yield
        finally:
            with self._lock:
                self._now -= 1

    def answer(self, path: str, query: dict[str, list[str]], token: str) -> tuple[int, Any]:
        if token != f"Bearer {TOKEN}":
            return 401, {"status": 401, "message": "Invalid token signature"}
        if self.status:
            return self.status, {"status": self.status, "message": "no"}
        names = [unquote(part) for part in path.strip("/").split("/")]
        if names[:2] != ["v1", "vaults"]:
            return 404, {"status": 404, "message": "not found"}
        if len(names) == 2:
            return 200, [{"id": identity(name), "name": name} for name in self.vaults]
        items = {identity(name): items for name, items in self.vaults.items()}.get(names[2])
        if items is None:
            return 404, {"status": 404, "message": "vault not found"}
        if len(names) == 4:
            return 200, self._list(items, query)
        if not re.fullmatch("[a-z0-9]{26}", names[4]):
            return 400, {"status": 400, "message": "Invalid Item UUID"}
        for item in items:
            if _id(item) == names[4]:
                return self._one(item, names)
        return 404, {"status": 404, "message": "item not found"}

    def _list(self, items: list[dict[str, Any]], query: dict[str, list[str]]) -> list[dict[str, Any]]:
        wanted = re.fullmatch(r'title eq "(.*)"', query.get("filter", [""])[0])
        return [
            {"id": _id(item), "title": item["title"], "state": item.get("state", "")}
            for item in items
            if wanted is None or item["title"] == wanted[1]
        ]

    def _one(self, item: dict[str, Any], names: list[str]) -> tuple[int, Any]:
        files = item.get("files", [])
        if len(names) > 5:
            return 200, next(file["content"] for file in files if identity(file["name"]) == names[6])
        sections = sorted({field["section"] for field in item["fields"] if field.get("section")})
        return 200, {
            "id": _id(item),
            "title": item["title"],
            "sections": [{"id": identity(name), "label": name} for name in sections],
            "fields": [_field(field) for field in item["fields"]],
            "files": [
                {"id": identity(f["name"]), "name": f["name"], "size": len(f["content"])} for f in files
            ],
        }


def _id(item: dict[str, Any]) -> str:
    return item.get("id") or identity(item["title"])


def _field(field: dict[str, Any]) -> dict[str, Any]:
    found = {
        "id": identity(field["label"] + field.get("section", "")),
        "label": field["label"],
        "purpose": field.get("purpose", ""),
        "type": "OTP" if "otp" in field else field.get("type", "CONCEALED"),
        "value": field["value"],
    }
    if "otp" in field:
        found["totp"] = field["otp"]
    return found | ({"section": {"id": identity(field["section"])}} if field.get("section") else {})


@contextmanager
def running(vaults: dict[str, list[dict[str, Any]]]) -> Iterator[Server]:
    """A server that answers until the end of the block."""
    server = Server(vaults)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            server.seen.append(self.path)
            with server.counted():
                status, found = server.answer(
                    url.path, parse_qs(url.query), self.headers.get("Authorization", "")
                )
                body = found if isinstance(found, bytes) else json.dumps(found).encode()
            body = server.body or body
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
