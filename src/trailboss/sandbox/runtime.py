"""The one small interface to the side-car: whole-state sync, routing, validation, triggers, data plane.

Every change of the account calls `await sync()`. Calls that come while one is on its way share the next
one; each returns when a state at least as new as its own is live. Only when something beyond the routing
differs is the runtime reloaded; weights, hosts and routes travel alone.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.envelope import encode_json
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.supervisor import Supervisor

if TYPE_CHECKING:
    import aiohttp

State = dict[str, Any]
ATTEMPTS = 4
LASTING = ("data/", "trigger/")
"""Calls whose effect outlives the side-car, so that they must not be sent twice."""
EVENT_SECONDS = 15 * 60.0
"""A cron or queue handler may run so long."""

log = logging.getLogger("trailboss.sandbox")


_PYODIDE = re.compile(r"Request for Pyodide bundle failed; url = ([^\s;]+)")


def plain(message: str) -> str:
    """workerd's words, but for what nobody could guess from them."""
    download = _PYODIDE.search(message)
    if download is None:
        return message
    return (
        f"Python Workers run on Pyodide, which workerd downloads for the first of them: {download[1]} failed."
    )


class Rejected(Exception):
    """The side-car could not bring a state to life; `script` and `version` name the one at fault."""

    def __init__(self, message: str, script: str = "", version: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.script = script
        self.version = version


class Answer:
    """A data-plane reply: `status`, `headers`, and the body whole or in pieces."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers = response.headers

    async def read(self) -> bytes:
        """The whole body."""
        return await self._response.read()

    async def json(self) -> Any:
        """The body as JSON."""
        return await self._response.json(content_type=None)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes."""
        async for chunk in self._response.content.iter_any():
            yield chunk


class Runtime:
    """Talks to the side-car that `supervisor` keeps alive. `describe()` gives the whole wanted state."""

    def __init__(self, supervisor: Supervisor, token: str) -> None:
        self.supervisor = supervisor
        self._token = token
        self._session: aiohttp.ClientSession | None = None
        self.describe: Callable[[], State] = lambda: {"workers": [], "routing": {}, "resources": {}}
        self._applied: State | None = None
        self._waiting: list[asyncio.Future[None]] = []
        self._pump: asyncio.Task[None] | None = None
        self._exclusive = asyncio.Lock()
        self.watched: Callable[[], list[str]] = list
        """The scripts whose traces somebody wants."""
        self._listening: list[str] | None = None
        self._telling = asyncio.Lock()
        self._told: asyncio.Task[None] | None = None
        supervisor.on_ready = self._after_start

    @asynccontextmanager
    async def request(
        self, method: str, path: str, *, seconds: float | None = 60.0, ready: bool = True, **kwargs: Any
    ) -> AsyncIterator[Answer]:
        """One call to the side-car's control port, held while it is being restarted."""
        import aiohttp

        headers = {**kwargs.pop("headers", {}), "authorization": f"Bearer {self._token}"}
        limit = aiohttp.ClientTimeout(total=seconds)
        try:
            response = await self._open(method, path, ready, headers=headers, timeout=limit, **kwargs)
            async with response:
                yield Answer(response)
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            raise ApiError(503, 10013, f"The sandbox's runtime went away: {error}") from error

    async def _open(self, method: str, path: str, ready: bool, **kwargs: Any) -> aiohttp.ClientResponse:
        """Send; when nobody listens any more, wait for the next side-car and send again."""
        import aiohttp

        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0)
            self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False)
        for _ in range(ATTEMPTS):
            if ready and not await self.supervisor.ready():
                break
            port = self.supervisor.child.control_port
            try:
                url = _url(f"http://127.0.0.1:{port}/{path}")
                return await self._session.request(method, url, **kwargs)
            except aiohttp.ClientConnectorError:
                self.supervisor.lost(port)
            except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
                # An idle connection to a side-car that has died: what the call did there died with it.
                if path.startswith(LASTING):
                    raise
        raise ApiError(503, 10013, "The sandbox's runtime is not running; `sandbox status` says why.")

    async def call(
        self, method: str, path: str, body: Any = None, *, ready: bool = True, seconds: float = 60.0
    ) -> tuple[int, Any]:
        """(status, JSON) of a control call."""
        data = None if body is None else encode_json(body)
        async with self.request(
            method, path, data=data, headers=_JSON, ready=ready, seconds=seconds
        ) as answer:
            raw = await answer.read()
            return answer.status, (await answer.json() if raw else None)

    @asynccontextmanager
    async def data(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | AsyncIterator[bytes] | None = None,
    ) -> AsyncIterator[Answer]:
        """The storage that Workers' bindings use: `path` is below `/data/` and already percent-encoded."""
        from urllib.parse import urlencode

        query = f"?{urlencode(params)}" if params else ""
        async with self.request(
            method, f"data/{path}{query}", headers=dict(headers or {}), data=body, seconds=None
        ) as answer:
            yield answer

    async def sync(self) -> None:
        """Return when the account's present state is live.

        Raises:
            Rejected: a Worker does not start; the old state stays.
        """
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._apply_waiting())
        await waiter

    async def _apply_waiting(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)  # what became ready together is applied together
            waiting, self._waiting = self._waiting, []
            try:
                async with self._exclusive:
                    await self._apply(self.describe())
            except Exception as error:  # noqa: BLE001 handed to those who wait
                for waiter in waiting:
                    if not waiter.done():
                        waiter.set_exception(error)
            else:
                for waiter in waiting:
                    if not waiter.done():
                        waiter.set_result(None)

    async def _apply(self, state: State, *, ready: bool = True) -> None:
        old = self._applied
        if old is not None and _same_but_routing(old, state):
            if old["routing"] != state["routing"]:
                await self.call("PUT", "routing", state["routing"], ready=ready)
        else:
            status, answer = await self.call("PUT", "state", state, ready=ready)
            if status >= 400:
                error = (answer or {}).get("error") or {}
                message = str(error.get("message", f"the runtime answered {status}"))
                raise Rejected(plain(message), str(error.get("script", "")), str(error.get("version", "")))
        self._applied = state

    async def _after_start(self) -> None:
        self._applied = self._listening = None
        await self._listen(ready=False)  # one who listens may wait for this start, holding the lock
        state = self.describe()
        if state["workers"] or any(state["resources"].values()) or any(state["routing"].values()):
            await self._apply(state, ready=False)

    async def listen(self) -> None:
        """Return when the side-car sends the traces of the watched scripts, and of no others: each costs
        the edge."""
        async with self._telling:
            await self._listen()

    async def _listen(self, *, ready: bool = True) -> None:
        wanted = self.watched()
        if wanted == self._listening:
            return
        status, _ = await self.call("PUT", "trace", {"scripts": wanted}, ready=ready)
        if status >= 400:
            raise ApiError(503, 10013, f"The sandbox's runtime answered {status} to who is listening.")
        self._listening = wanted

    def listen_soon(self) -> None:
        """The same, for those who do not wait. What fails is made good with the next change or start."""
        if self._told is None or self._told.done():
            self._told = asyncio.get_running_loop().create_task(self._listen_quietly())

    async def _listen_quietly(self) -> None:
        try:
            await self.listen()
        except ApiError as error:
            log.warning("traces nobody wants go on: %s", error)

    async def validate(self, worker: Mapping[str, Any]) -> dict[str, Any]:
        """What Cloudflare's upload check finds: {"ok", "startup_time_ms", "handlers", ...} or {"ok": False,
        "message"}."""
        _, answer = await self.call("POST", "validate", worker)
        return dict(answer or {})

    async def trigger(self, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Run a scheduled, queue or email handler; what came of it."""
        status, answer = await self.call("POST", f"trigger/{kind}", body, seconds=EVENT_SECONDS)
        if status >= 400:
            raise Rejected(str(((answer or {}).get("error") or {}).get("message", status)))
        return dict(answer or {})

    async def stats(self) -> dict[str, Any]:
        """Counts per script and version."""
        return dict((await self.call("GET", "stats"))[1] or {})

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Requests are held and nothing has the data folder open while the block runs."""
        async with self._exclusive:
            await self.call("POST", "exclusive/begin", {})
            try:
                yield
            finally:
                state = self.describe()
                await self.call("PUT", "state", state)  # adopted now, loaded once, by the end of this
                await self.call("POST", "exclusive/end", {})
                self._applied = state

    async def close(self) -> None:
        """End the side-car."""
        if self._told is not None:
            self._told.cancel()
        if self._session is not None:
            await self._session.close()
        await self.supervisor.stop()


_JSON = {"content-type": "application/json"}


def _url(text: str) -> Any:
    from yarl import URL

    return URL(text, encoded=True)


def _same_but_routing(old: State, new: State) -> bool:
    return all(old[part] == new[part] for part in ("workers", "resources"))
