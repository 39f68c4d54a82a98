"""A recording stand-in for the upload side of Cloudflare's API, with an account that can be set up and
faults."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from trailboss.cloud import Cloud, Target
from trailboss.cloud.budget import Budget
from trailboss.cloud.session import Options
from trailboss.values import Secret

ACCOUNT = "0123456789abcdef0123456789abcdef"
SCRIPT = r"/workers/scripts/(?P<name>[^/]+)"


@dataclass
class Recorded:
    """One request: `path` is below the account, `query` as pairs."""

    method: str
    path: str
    query: list[list[str]]
    headers: dict[str, str]
    body: bytes

    def as_json(self) -> dict[str, Any]:
        return {**self.__dict__, "body": base64.b64encode(self.body).decode()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Recorded:
        return cls(**{**value, "body": base64.b64decode(value["body"])})


@dataclass
class Account:
    """What is there before the upload; `known` are asset hashes already held."""

    exists: bool = False
    tags: list[str] = field(default_factory=list)
    migration_tag: str | None = None
    bindings: list[dict[str, Any]] = field(default_factory=list)
    resources: dict[str, str] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    single_assets: bool = False


class Refusal(Exception):
    """An API error: HTTP status and Cloudflare's code."""

    def __init__(self, status: int, code: int) -> None:
        self.status, self.code = status, code


class Stub:
    """The server. `faults` are tried in order on each request: a callable that says "drop" (no answer, no
    effect), "lose" (effect, no answer), raises Refusal, or None."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.requests: list[Recorded] = []
        self.versions: list[dict[str, Any]] = []
        self.deployments: list[dict[str, Any]] = []
        self.missing: set[str] = set()
        self.expires = 4_000_000_000
        self.faults: list[Callable[[Recorded], str | None]] = []
        self.url = ""
        self.lock = threading.Lock()

    def jwt(self, kind: str) -> str:
        claims = {"exp": self.expires, "kind": kind}
        if self.account.single_assets:
            claims["wrangler_single_asset_uploads"] = True
        payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        return f"e30.{payload}.c2ln"

    def sent(self, method: str, pattern: str) -> list[Recorded]:
        """The requests of one kind."""
        return [r for r in self.requests if r.method == method and re.fullmatch(pattern, r.path)]

    def answer(self, request: Recorded) -> Any:
        for method, pattern, handler in ROUTES:
            match = re.fullmatch(pattern, request.path)
            if request.method == method and match:
                return handler(self, request, **{key: unquote(v) for key, v in match.groupdict().items()})
        raise Refusal(404, 7003)

    def version(self, request: Recorded, *, deployed: bool) -> dict[str, Any]:
        """Record an upload as a version."""
        match = re.search(rb'"workers/message":"([^"]*)"', request.body)
        number = len(self.versions) + 1
        version = {
            "id": f"00000000-0000-4000-8000-{number:012d}",
            "number": number,
            "startup_time_ms": 7,
            "metadata": {"has_preview": True},
            "annotations": {"workers/message": match.group(1).decode()} if match else {},
            "resources": {"script": {"etag": f"etag{number}"}, "bindings": []},
        }
        self.versions.insert(0, version)
        self.account.exists = True
        if deployed:
            self.deployments.insert(
                0, {"id": f"d{number}", "versions": [{"version_id": version["id"], "percentage": 100}]}
            )
        return version


def _service(stub: Stub, _: Recorded, name: str) -> Any:
    if not stub.account.exists:
        raise Refusal(404, 10090)
    script = {
        "tag": "t" * 32,
        "tags": stub.account.tags,
        "last_deployed_from": "wrangler",
        "migration_tag": stub.account.migration_tag,
    }
    return {"default_environment": {"environment": "production", "script": script}}


def _settings(stub: Stub, _: Recorded, name: str) -> Any:
    if not stub.account.exists:
        raise Refusal(404, 10007)
    return {"bindings": stub.account.bindings}


def _session(stub: Stub, request: Recorded, name: str) -> Any:
    hashes = {entry["hash"] for entry in json.loads(request.body)["manifest"].values()}
    stub.missing = hashes - stub.account.known
    wanted = sorted(stub.missing)
    buckets = [wanted[index : index + 2] for index in range(0, len(wanted), 2)]
    return {"jwt": stub.jwt("session" if buckets else "done"), "buckets": buckets}


def _bucket(stub: Stub, request: Recorded) -> Any:
    for found in re.findall(rb'name="([0-9a-f]{32})"', request.body):
        _hold(stub, found.decode())
    return {"jwt": stub.jwt("done")} if not stub.missing else {}


def _single(stub: Stub, _: Recorded, hash: str) -> Any:
    _hold(stub, hash)
    return {"jwt": stub.jwt("done")} if not stub.missing else {}


def _hold(stub: Stub, hash: str) -> None:
    stub.missing.discard(hash)
    stub.account.known.add(hash)


def _script(stub: Stub, request: Recorded, name: str) -> Any:
    version = stub.version(request, deployed=True)
    return {"id": name, "etag": "e", "deployment_id": version["id"].replace("-", ""), "startup_time_ms": 7}


def _version(stub: Stub, request: Recorded, name: str) -> Any:
    return stub.version(request, deployed=False)


def _deploy(stub: Stub, request: Recorded, name: str) -> Any:
    body = json.loads(request.body)
    stub.deployments.insert(0, {"id": f"d{len(stub.deployments) + 1}", "versions": body["versions"]})
    return stub.deployments[0]


def _deployments(stub: Stub, _: Recorded, name: str) -> Any:
    if not stub.account.exists:
        raise Refusal(404, 10007)
    return {"deployments": stub.deployments}


def _database(stub: Stub, _: Recorded, name: str) -> Any:
    for title, identifier in stub.account.resources.items():
        if name in (title, identifier):
            return {"uuid": identifier, "name": title}
    raise Refusal(404, 7404)


def _found(code: int) -> Callable[..., Any]:
    def handler(stub: Stub, _: Recorded, name: str) -> Any:
        if name not in stub.account.resources:
            raise Refusal(404, code)
        return {"name": name}

    return handler


def _no_workflow(*_: Any) -> Any:
    raise Refusal(404, 10200)


def _queues(stub: Stub, request: Recorded) -> Any:
    asked = [value for key, value in request.query if key == "name"]
    known = [name for name in stub.account.resources if not asked or name in asked]
    return [{"queue_id": "1" * 32, "queue_name": name, "consumers": []} for name in known]


def _databases(stub: Stub, _: Recorded) -> Any:
    return [{"uuid": identifier, "name": title} for title, identifier in stub.account.resources.items()]


def _buckets(stub: Stub, _: Recorded) -> Any:
    return {"buckets": [{"name": title} for title in stub.account.resources]}


def _always(result: Any) -> Callable[..., Any]:
    return lambda *_, **__: result


def _made(key: str) -> Callable[..., Any]:
    def handler(stub: Stub, request: Recorded) -> Any:
        body = json.loads(request.body)
        name = body.get("title") or body.get("name") or body.get("queue_name")
        stub.account.resources[name] = f"made-{name}"
        return {key: f"made-{name}", "name": name, "title": name, "queue_name": name}

    return handler


ROUTES: list[tuple[str, str, Callable[..., Any]]] = [
    ("GET", r"/workers/services/(?P<name>[^/]+)", _service),
    ("GET", SCRIPT + "/settings", _settings),
    ("GET", SCRIPT + "/secrets", _always([])),
    ("GET", SCRIPT + "/deployments", _deployments),
    ("GET", SCRIPT + "/versions", lambda stub, *_, **__: {"items": stub.versions}),
    ("POST", SCRIPT + "/assets-upload-session", _session),
    ("POST", r"/workers/assets/upload", _bucket),
    ("POST", r"/workers/assets/upload/(?P<hash>[0-9a-f]{32})", _single),
    ("PUT", SCRIPT, _script),
    ("POST", SCRIPT + "/versions", _version),
    ("POST", SCRIPT + "/deployments", _deploy),
    ("PATCH", SCRIPT + "/script-settings", _always({})),
    ("POST", SCRIPT + "/subdomain", _always({"enabled": True, "previews_enabled": True})),
    ("PUT", SCRIPT + "/schedules", _always({})),
    ("PUT", SCRIPT + "/routes", _always([])),
    ("GET", r"/workers/subdomain", _always({"subdomain": "sub"})),
    (
        "GET",
        r"/workers/workers/[^/]+",
        _always(
            {"subdomain": {"enabled": True, "previews_enabled": True, "preview_url_suffix": "-x.sub.dev"}}
        ),
    ),
    ("GET", r"/workflows/[^/]+", _no_workflow),
    ("PUT", r"/workflows/[^/]+", _always({})),
    ("GET", r"/queues", _queues),
    ("POST", r"/queues", _made("queue_id")),
    ("POST", r"/queues/[^/]+/consumers", _always({})),
    ("GET", r"/storage/kv/namespaces", _always([])),
    ("POST", r"/storage/kv/namespaces", _made("id")),
    ("GET", r"/d1/database", _databases),
    ("GET", r"/d1/database/(?P<name>[^/]+)", _database),
    ("POST", r"/d1/database", _made("uuid")),
    ("GET", r"/r2/buckets", _buckets),
    ("GET", r"/r2/buckets/(?P<name>[^/]+)", _found(10006)),
    ("POST", r"/r2/buckets", _made("name")),
]


def connect(stub: Stub) -> Cloud:
    """A Cloud for this account, with a rate budget of its own and no waiting between attempts."""

    async def at_once(_: float) -> None:
        return

    target = Target("cloudflare", stub.url, Secret("token"), ACCOUNT)
    return Cloud(target, options=Options(budget=Budget(None), sleep=at_once))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stub: Stub

    def handle_any(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        body = self._chunked() if self.headers.get("transfer-encoding") else self.rfile.read(length)
        request = Recorded(
            self.command,
            url.path.removeprefix(f"/client/v4/accounts/{ACCOUNT}"),
            [list(pair) for pair in parse_qsl(url.query)],
            {key.lower(): value for key, value in self.headers.items()},
            body,
        )
        with self.stub.lock:
            self.stub.requests.append(request)
            status, envelope, lost = self._answered(request)
        if lost:
            self.close_connection = True
            return
        self._reply(status, envelope)

    def _answered(self, request: Recorded) -> tuple[int, dict[str, Any], bool]:
        lost = False
        try:
            for fault in self.stub.faults:
                said = fault(request)
                if said == "drop":
                    return 0, {}, True
                lost = lost or said == "lose"
            result = self.stub.answer(request)
        except Refusal as refusal:
            errors = [{"code": refusal.code, "message": "no"}]
            return refusal.status, {"success": False, "errors": errors, "messages": [], "result": None}, False
        return 200, {"success": True, "errors": [], "messages": [], "result": result}, lost

    def _reply(self, status: int, envelope: dict[str, Any]) -> None:
        data = json.dumps(envelope).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _chunked(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def log_message(self, *_: Any) -> None:
        return


@contextmanager
def serve(account: Account) -> Iterator[Stub]:
    """A running stub on a free port."""
    stub = Stub(account)
    handler = type("Handler", (_Handler,), {"stub": stub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_address[1]}/client/v4"
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
