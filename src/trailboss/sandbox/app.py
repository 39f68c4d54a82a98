"""The ASGI application: guard, faults, credentials, route, handler, envelope, journal. In that order,
always."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from trailboss.sandbox.box import Box
from trailboss.sandbox.call import Call, Disconnected
from trailboss.sandbox.callers import check_permission, identify
from trailboss.sandbox.control import CONTROL
from trailboss.sandbox.envelope import Raw, Reply, encode_json
from trailboss.sandbox.guard import check_account, refuse_foreign
from trailboss.sandbox.misbehave import Outcome, misbehave
from trailboss.sandbox.refusals import ApiError, internal, no_route, unknown_identifier, wrong_method
from trailboss.sandbox.routes import API, Route
from trailboss.sandbox.table import Table

log = logging.getLogger("trailboss.sandbox")

Send = Callable[[dict[str, Any]], Any]


class App:
    """`await App(box)(scope, receive, send)`."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.table = Table()
        for router in box.routers:
            for route in router.routes:
                self.table.add(route)
        for route in CONTROL.routes:
            self.table.add(route)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        """Answer one HTTP request; other kinds of connection are not for this port."""
        if scope["type"] != "http":
            raise RuntimeError(f"no {scope['type']} here")
        began = time.perf_counter()
        call = Call(self.box, scope, receive)
        outcome = Outcome()
        try:
            await self._serve(call, send, outcome)
        except Disconnected:
            outcome.status = 499
        finally:
            if not call.raw_path.startswith("/_sandbox"):
                self._note(call, outcome, (time.perf_counter() - began) * 1000)

    async def _serve(self, call: Call, send: Send, outcome: Outcome) -> None:
        foreign = refuse_foreign(call.headers, call.raw_path)
        if foreign is not None:
            await self._send(call, send, foreign, outcome)
        elif call.raw_path.startswith(API):
            await misbehave(call, send, outcome, answer=self._answer, write=self._send)
        else:
            await self._send(call, send, await self._answer(call), outcome)

    async def _answer(self, call: Call) -> Reply | Raw | ApiError:
        """Everything between the guard and the wire; never raises but for a client that went away."""
        try:
            return await self._handle(call)
        except ApiError as refusal:
            return refusal
        except Disconnected:
            raise
        except Exception:
            log.exception("%s %s failed", call.method, call.raw_path)
            return internal("the sandbox failed; its log has the details")

    async def _handle(self, call: Call) -> Reply | Raw:
        route, values, known = self.table.find(call.method, call.raw_path)
        if route is None or not route.open:
            call.caller = identify(call)
        if route is None:
            self._check_prefix(call)
            raise wrong_method() if known else no_route()
        call.route, call.path = route, values
        self._check_scope(call, route)
        check_permission(call)
        if self.box.strict:
            return await self._by_contract(call, route)
        reply = await route.handler(call)
        return reply if isinstance(reply, Reply | Raw) else Reply(reply)

    async def _by_contract(self, call: Call, route: Route) -> Reply | Raw:
        from trailboss.sandbox.contract import check_reply, check_request

        await check_request(call, route)
        reply = await route.handler(call)
        if isinstance(reply, Raw):
            return reply
        reply = reply if isinstance(reply, Reply) else Reply(reply)
        check_reply(route, reply.result)
        return reply

    def _check_prefix(self, call: Call) -> None:
        parts = call.raw_path.removeprefix(API).split("/")
        if len(parts) > 2 and parts[1] == "accounts":
            check_account(call.raw_path.removeprefix(API), parts[2], self.box.identity)

    def _check_scope(self, call: Call, route: Route) -> None:
        account = call.path.get("account_id")
        if account is not None and not route.open:
            check_account(call.raw_path.removeprefix(API), account, self.box.identity)
        zone = call.path.get("zone_id")
        if zone is not None and self.box.store.get("zone", zone) is None:
            raise unknown_identifier(call.raw_path.removeprefix(API))

    async def _send(self, call: Call, send: Send, reply: Reply | Raw | ApiError, outcome: Outcome) -> None:
        if isinstance(reply, ApiError):
            outcome.status = reply.status
            await _write(send, reply.status, list(reply.headers.items()), encode_json(reply.envelope()), call)
        elif isinstance(reply, Reply):
            outcome.status = reply.status
            await _write(send, reply.status, list(reply.headers.items()), reply.body(), call)
        elif isinstance(reply.body, bytes):
            outcome.status = reply.status
            await _write(send, reply.status, reply.pairs(), reply.body, call, json=False)
        else:
            outcome.status = reply.status
            await _stream(send, reply)

    def _note(self, call: Call, outcome: Outcome, ms: float) -> None:
        self.box.journal.write(
            at=self.box.clock.iso(),
            method=call.method,
            path=call.raw_path,
            query=call.query_string,
            status=outcome.status,
            ms=ms,
            route=call.route.name if call.route else "",
            fault=",".join(outcome.faults),
            headers=call.headers,
        )


async def _write(
    send: Send, status: int, headers: list[tuple[str, str]], body: bytes, call: Call, *, json: bool = True
) -> None:
    pairs = [(name.lower(), value) for name, value in headers]
    if json and not any(name == "content-type" for name, _ in pairs):
        pairs.append(("content-type", "application/json"))
    has_length = any(name == "content-length" for name, _ in pairs)
    if not has_length and status not in (204, 304):
        pairs.append(("content-length", str(len(body))))
    if json:
        pairs.append(("cf-ray", f"{call.box.ids.hex(16)}-BOX"))
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if call.method == "HEAD" else body})


async def _stream(send: Send, reply: Raw) -> None:
    assert not isinstance(reply.body, bytes)
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.pairs()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    async for piece in reply.body:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
