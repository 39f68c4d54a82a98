"""A real side-car process, the control plane it calls back to, and the declarations it takes."""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from trailboss.toolchain import ensure

MAIN = Path(__file__).parents[3] / "src/trailboss/sandbox/sidecar/main.mjs"
TOKEN = "side-car-token"
SUBDOMAIN = "dev"
Headers = dict[str, str] | None
Shares = dict[str, dict[int, float]] | None


def version(number: int) -> str:
    """A version id whose first eight digits are `number` repeated."""
    return f"{str(number) * 8}-0000-4000-8000-{number:012d}"


@dataclass
class Reply:
    status: int
    body: bytes
    headers: http.client.HTTPMessage

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(port: int, method: str, path: str, body: Any = None, headers: Headers = None) -> Reply:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return Reply(answer.status, answer.read(), answer.headers)
    finally:
        connection.close()


class ControlPlane:
    """Stands where the Python control plane listens for the side-car's callbacks."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any, dict[str, str]]] = []
        self.traces: list[dict[str, Any]] = []
        self.previews: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.answers: dict[str, Any] = {}
        self.changed = threading.Condition()
        plane = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                plane.answer(self, _read(self))

            do_GET = do_POST

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet: pytest shows what failed."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/_sandbox/runtime"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def answer(self, handler: BaseHTTPRequestHandler, raw: bytes) -> None:
        path = handler.path.removeprefix("/_sandbox/runtime")
        body = json.loads(raw) if raw else None
        reply: Any = self.answers.get(path.split("?")[0], {})
        with self.changed:
            if path == "/trace":
                self.traces.extend(body)
            else:
                self.calls.append((path, body, {k.lower(): v for k, v in handler.headers.items()}))
            if path == "/preview":
                reply = self.previews.get((body["script"], body["version"]), [])
            self.changed.notify_all()
        data = json.dumps(reply).encode()
        handler.send_response(200)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def wait(self, condition: Callable[[], Any], seconds: float = 10) -> Any:
        """What `condition` gives as soon as it is true; it is asked again after every callback."""
        with self.changed:
            assert self.changed.wait_for(condition, seconds), "the callback never came"
            return condition()

    def trace(self, condition: Callable[[dict[str, Any]], bool], seconds: float = 10) -> dict[str, Any]:
        return self.wait(lambda: next((item for item in self.traces if condition(item)), None), seconds)

    def called(self, path: str) -> list[Any]:
        return [body for name, body, _ in self.calls if name == path]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def _read(handler: BaseHTTPRequestHandler) -> bytes:
    if handler.headers.get("transfer-encoding") is None:
        return handler.rfile.read(int(handler.headers.get("content-length") or 0))
    body = b""
    while size := int(handler.rfile.readline(), 16):
        body += handler.rfile.read(size)
        handler.rfile.readline()
    handler.rfile.readline()
    return body


@dataclass
class Sidecar:
    """One running side-car."""

    folder: Path
    plane: ControlPlane
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        toolchain = ensure()
        self.log = (self.folder / "sidecar.log").open("ab")
        self.process = subprocess.Popen(
            [str(toolchain.node), str(MAIN)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
        )
        boot = {
            "toolchain": str(toolchain.root),
            "persist": str(self.folder / "data"),
            "edge": {"host": "127.0.0.1", "port": 0},
            "control": {"host": "127.0.0.1", "port": 0},
            "api": self.plane.url,
            "token": TOKEN,
            "account": {"id": "a" * 32, "subdomain": SUBDOMAIN},
            **self.settings,
        }
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(boot).encode() + b"\n")
        self.process.stdin.flush()
        self.ready = json.loads(self.process.stdout.readline())
        self.edge_port: int = self.ready.get("edge_port", 0)
        self.control_port: int = self.ready.get("control_port", 0)

    def control(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Reply:
        return ask(
            self.control_port, method, path, body, {"authorization": f"Bearer {TOKEN}", **(headers or {})}
        )

    def done(self, method: str, path: str, body: Any = None, headers: Headers = None) -> Any:
        """A control call that must succeed; its JSON."""
        reply = self.control(method, path, body, headers)
        assert reply.status == 200, f"{method} {path}: {reply.status} {reply.text}"
        return reply.json

    def put(self, *workers: dict[str, Any], routing: dict[str, Any] | None = None) -> Any:
        """Declare `workers`; without `routing` each script's last version takes all traffic."""
        state = {"workers": list(workers), "routing": routing or routed(*workers)}
        return self.done("PUT", "/state", state)

    def get(
        self, host: str, path: str = "/", *, method: str = "GET", body: Any = None, **headers: str
    ) -> Reply:
        """One request at the edge; a bare script name is its workers.localhost address."""
        if "." not in host:
            host = f"{host}.{SUBDOMAIN}.workers.localhost"
        sent = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return ask(self.edge_port, method, path, body, sent)

    def children(self) -> list[int]:
        """Process ids of the workerd children."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                name, rest = (entry / "stat").read_text().rsplit(")", 1)
            except OSError:
                continue
            state, parent = rest.split()[:2]
            if int(parent) == self.process.pid and state != "Z" and name.endswith("(workerd"):
                found.append(int(entry.name))
        return found

    def stop(self) -> int:
        assert self.process.stdin is not None and self.process.stdout is not None
        if not self.process.stdin.closed:
            self.process.stdin.close()
        code = self.process.wait(15)
        self.process.stdout.close()
        self.log.close()
        return code


def worker(folder: Path, script: str, code: str, number: int = 1, **more: Any) -> dict[str, Any]:
    """A version of `script` whose main module is `code`."""
    home = folder / f"{script}-{number}-{abs(hash(code))}"
    home.mkdir(parents=True, exist_ok=True)
    (home / "index.js").write_text(code)
    module = {"name": "index.js", "type": "application/javascript+module", "path": str(home / "index.js")}
    return {
        "script": script,
        "version": version(number),
        "number": number,
        "format": "modules",
        "main": "index.js",
        "modules": [module],
        "compatibility_date": "2026-01-01",
        "compatibility_flags": [],
        "bindings": [],
        "durable_objects": [],
        "workflows": [],
        "assets": None,
        **more,
    }


def routed(
    *workers: dict[str, Any], shares: dict[str, dict[int, float]] | None = None, **more: Any
) -> dict[str, Any]:
    """Routing for `workers`; `shares` gives a script's percentages by version number."""
    scripts: dict[str, Any] = {}
    for entry in workers:
        percentages = (shares or {}).get(entry["script"], {entry["number"]: 100})
        versions = [
            {"version": version(number), "percentage": share} for number, share in percentages.items()
        ]
        scripts[entry["script"]] = {
            "deployment": "deployment",
            "versions": versions,
            "workers_dev": True,
            "previews": True,
            "aliases": {},
            "previewable": [],
        }
    return {"scripts": scripts, "hosts": [], "routes": [], **more}


def says(text: str) -> str:
    """A Worker that answers `text`."""
    return f"export default {{ fetch() {{ return new Response({json.dumps(text)}); }} }};"


def base64_json(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def until(condition: Callable[[], Any], seconds: float = 15) -> Any:
    """Ask `condition` until it is true; for states that nobody announces."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "the state never came"
        threading.Event().wait(0.01)
    return found
