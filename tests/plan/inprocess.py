"""The sandbox's own route handlers in this process, behind the Cloud that plan/ uses.

The account answers in microseconds, so that every crash at every call can be tried. Only the wire and the
runtime are left out."""

from __future__ import annotations

import hashlib
import json
import pickle
import re
import sqlite3
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.plan.virtual import NOW
from trailboss.cloud import Cloud, Reply, Target
from trailboss.cloud.cloud import Raw as Answered
from trailboss.cloud.failures import refusal, unreachable
from trailboss.cloud.redact import Redactor
from trailboss.cloud.retry import is_safe
from trailboss.sandbox.app import App
from trailboss.sandbox.box import Box
from trailboss.sandbox.call import Call
from trailboss.sandbox.clock import Clock
from trailboss.sandbox.envelope import Raw
from trailboss.sandbox.faults import Faults
from trailboss.sandbox.identity import Identity
from trailboss.sandbox.ids import Ids
from trailboss.sandbox.journal import Journal
from trailboss.sandbox.paths import Folder
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import discover
from trailboss.sandbox.routes.d1 import history_of
from trailboss.sandbox.store import Store
from trailboss.sandbox.tails import Tails
from trailboss.values import Secret

ACCOUNT = "a" * 32
TOKEN = "t" * 40
MEMORY = Path(":memory:")
_OPERATION = re.compile(r"op\W+[0-9a-f]{8}\W")
_QUIET = Redactor([])


class Still:
    """A runtime in which nothing runs: it takes every state, and keeps no data."""

    async def sync(self, *_: Any, **__: Any) -> None:
        return None

    async def call(self, *_: Any, **__: Any) -> tuple[int, Any]:
        return 200, {}

    async def validate(self, worker: Any) -> dict[str, Any]:
        return {"ok": True, "startup_time_ms": 1, "handlers": ["fetch", "queue", "scheduled"]}

    @asynccontextmanager
    async def data(self, _: str, path: str, *, body: bytes = b"", **__: Any) -> Any:
        yield Rows(self.databases, path, body) if path.startswith("d1/") else Nothing()

    def __init__(self) -> None:
        self.databases: dict[str, sqlite3.Connection] = {}

    @asynccontextmanager
    async def exclusive(self, *_: Any, **__: Any) -> Any:
        yield


class Nothing:
    """The data plane's answer where there is no data."""

    status = 200

    async def read(self) -> bytes:
        return b""

    async def json(self) -> Any:
        return {
            "objects": [],
            "keys": [],
            "truncated": False,
            "complete": True,
            "delimited_prefixes": [],
        }


class Rows(Nothing):
    """What one database answers: SQLite in memory, a database for each id."""

    def __init__(self, databases: dict[str, sqlite3.Connection], path: str, body: bytes) -> None:
        database = databases.setdefault(path, sqlite3.connect(":memory:", isolation_level=None))
        try:
            self.found: Any = [self._run(database, one["sql"]) for one in json.loads(body)["statements"]]
        except sqlite3.Error as error:
            self.status, self.found = 400, {"error": {"message": str(error)}}

    def _run(self, database: sqlite3.Connection, sql: str) -> dict[str, Any]:
        if not sql.lstrip().upper().startswith("SELECT"):
            database.executescript(sql)
            sql = "SELECT 1 WHERE 0"
        cursor = database.execute(sql)
        names = [column[0] for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return {"results": rows, "meta": {"duration": 0, "size_after": 0}}

    async def json(self) -> Any:
        return self.found


class Account:
    """One emulated account. `calls` are those made so far; `before` and `after` may raise at any of them."""

    def __init__(self, folder: Path) -> None:
        identity = Identity("test", ACCOUNT, TOKEN, "b" * 32, "c" * 32, "test")
        clock, ids = Clock(), Ids()
        routers = discover()
        store = Store(MEMORY)
        for router in routers:
            store.define(router.schema)
        self.box = Box(
            folder=Folder(folder),
            identity=identity,
            store=store,
            journal=Journal(MEMORY),
            clock=clock,
            ids=ids,
            faults=Faults(ids),
            runtime=Still(),  # type: ignore[arg-type]
            tails=Tails(clock.now, ids.fraction),
            routers=routers,
            api_root="http://127.0.0.1:1",
            edge_port=0,
        )
        self.app = App(self.box)
        history_of(store)  # defines its tables now, so that every dump has them
        clock.set(freeze=NOW)
        self.empty = self.dump()

    async def worker(self, name: str) -> None:
        """A Worker to point things at."""
        boundary = "x"
        meta = {"main_module": "index.js", "compatibility_date": "2026-01-01"}
        parts = [
            'content-disposition: form-data; name="metadata"\r\n\r\n' + json.dumps(meta),
            'content-disposition: form-data; name="index.js"; filename="index.js"\r\n'
            "content-type: application/javascript+module\r\n\r\nexport default {}",
        ]
        body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"
        headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
        path = f"/accounts/{ACCOUNT}/workers/scripts/{name}"
        found = await self.answer("PUT", path, "", headers, body.encode())
        assert not isinstance(found, ApiError), found.envelope()

    async def zone(self, name: str) -> None:
        """A zone of the account."""
        body = json.dumps({"name": name, "account": {"id": ACCOUNT}, "type": "full"}).encode()
        found = await self.answer("POST", "/zones", "", {}, body)
        assert not isinstance(found, ApiError), found.envelope()

    def dump(self) -> bytes:
        """Everything the account holds, with the data of its databases."""
        rows = {path: one.serialize() if _has_tables(one) else b"" for path, one in self.databases.items()}
        return pickle.dumps((self.box.store._db.serialize(), rows))

    def load(self, state: bytes, run: int = 0) -> None:
        """Back to what was dumped. Equal calls from there, in runs of one number, end in equal states."""
        store, rows = pickle.loads(state)
        self.box.store._db.deserialize(store)
        self.databases.clear()
        for path, data in rows.items():
            self.databases[path] = sqlite3.connect(":memory:", isolation_level=None)
            if data:
                self.databases[path].deserialize(data)
        self.begin(run)

    def begin(self, run: int) -> None:
        """The clock and the identifiers of one run of a story."""
        self.box.clock.set(freeze=NOW + 3600.0 * run)
        self.box.ids.seed(f"run {run}")

    def digest(self) -> str:
        """Equal for equal states, whoever holds the lock."""
        found = hashlib.blake2b(digest_size=16)
        for table in self._tables():
            for row in self.box.store.execute(f"select * from {table}"):
                found.update(_OPERATION.sub("", repr(row)).encode())
        for path, one in sorted(self.databases.items()):
            found.update(repr([path, one.execute("select name from sqlite_master").fetchall()]).encode())
        return found.hexdigest()

    @property
    def databases(self) -> dict[str, sqlite3.Connection]:
        runtime: Any = self.box.runtime
        return runtime.databases  # type: ignore[no-any-return]

    def _tables(self) -> list[str]:
        rows = self.box.store.execute("select name from sqlite_master where type='table' order by name")
        return [name for (name,) in rows if not name.startswith("sqlite_")]

    async def answer(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Any:
        """What the route's handler replies."""
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        scope = {
            "type": "http",
            "method": method,
            "raw_path": f"/client/v4{path}".encode(),
            "query_string": query.encode(),
            "headers": [*sent, (b"authorization", f"Bearer {TOKEN}".encode())],
        }
        return await self.app._answer(Call(self.box, scope, receive))


def _has_tables(database: sqlite3.Connection) -> bool:
    return bool(database.execute("select 1 from sqlite_master").fetchone())


class Crash(BaseException):
    """The process dies here."""


class DirectCloud(Cloud):
    """A Cloud whose calls go straight to an `Account`. `hook(number, stage)` may raise, at each call's
    stages 'before' (not sent) and 'after' (done, the reply is lost)."""

    def __init__(
        self, account: Account, hook: Callable[[int, str, str, str], None] = lambda *_: None
    ) -> None:
        super().__init__(Target("sandbox:test", "http://127.0.0.1:1/client/v4", Secret(TOKEN), ACCOUNT))
        self._account_there, self._hook = account, hook
        self.count = 0

    def guarded(self, check: Callable[[], None]) -> Cloud:
        view = DirectCloud(self._account_there, self._hook)
        view._root, view._guard, view.stats = self._root, check, self.stats
        return view

    @property
    def account(self) -> str:
        return f"/accounts/{ACCOUNT}"

    async def account_id(self) -> str:
        return ACCOUNT

    async def pause(self, seconds: float) -> None:
        self._account_there.box.clock.set(advance=seconds)

    async def call(self, method: str, path: str, *, type: Any = None, **options: Any) -> Reply:
        root = self._root
        assert isinstance(root, DirectCloud)
        if self._guard is not None and not is_safe(method):
            self._guard()
        number = root.count
        root.count += 1
        self.stats.requests[method, path] += 1
        self._hook(number, "before", method, path)
        reply = await self._exchange(method, path, options)
        self._hook(number, "after", method, path)
        return reply

    async def raw(self, method: str, path: str, *, check: bool = True, **options: Any) -> Answered:
        found = await self.call(method, path, **options)
        return Answered(found.status, found.headers, found.result)

    async def _exchange(self, method: str, path: str, options: dict[str, Any]) -> Reply:
        params = options.get("params") or {}
        pairs = list(params.items() if hasattr(params, "items") else params)
        pairs += [("per_page", options["per_page"])] if options.get("per_page") else []
        query = urlencode([(k, _text(v)) for k, v in pairs if v is not None], doseq=True)
        headers = {name.lower(): value for name, value in (options.get("headers") or {}).items()}
        body = options.get("content", b"") if "json" not in options else json.dumps(options["json"]).encode()
        path, _, inline = path.partition("?")
        found = await self._account_there.answer(method, path, query or inline, headers, body)
        if isinstance(found, ApiError):
            raise refusal(
                method, path, found.status, {}, found.envelope()["errors"], redactor=_QUIET, retry_after=0.0
            )
        if isinstance(found, Raw):
            return Reply(found.body, {}, [], found.status, dict(found.pairs()))
        shape = json.loads(found.body())
        return Reply(shape["result"], shape.get("result_info") or {}, [], found.status, dict(found.headers))


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def lost(method: str, path: str) -> Exception:
    """What Cloud raises when a reply never came."""
    error = unreachable(method, path, "the connection was cut", _QUIET, sent=True)
    error.effect_unknown = True
    return error


__all__ = ["ACCOUNT", "Account", "Crash", "DirectCloud", "lost", "sqlite3"]
