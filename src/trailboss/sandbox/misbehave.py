"""Carry out the fault rules around one request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Raw, Reply
from trailboss.sandbox.faults import Fault
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import API

Answer = Callable[[Call], Awaitable[Reply | Raw | ApiError]]
Sender = Callable[[Call, Any, Any, "Outcome"], Awaitable[None]]


@dataclass(slots=True)
class Outcome:
    """What the journal says of a request."""

    status: int = 0
    faults: list[str] = field(default_factory=list)


async def misbehave(call: Call, send: Any, outcome: Outcome, *, answer: Answer, write: Sender) -> None:
    """Answer, in the way the rules that match this request demand."""
    box = call.box
    if not box.faults.rules:
        await write(call, send, await answer(call), outcome)
        return
    rules = {rule.effect: rule for rule in box.faults.hits(call.method, call.raw_path.removeprefix(API))}
    outcome.faults = list(rules)
    if "latency" in rules:
        await asyncio.sleep(rules["latency"].latency_ms / 1000)
    if "drop-before" in rules:
        abort(call)
    elif "status" in rules:
        await call.body()
        await write(call, send, _refusal(rules["status"]), outcome)
    elif "drop-after" in rules:
        await answer(call)
        abort(call)
    elif "truncate" in rules:
        await _truncated(call, send, outcome, await answer(call), write)
    else:
        await _remembering(call, send, outcome, rules.get("stale"), answer=answer, write=write)


def abort(call: Call) -> None:
    """Close the connection without another byte."""
    call.scope["trailboss.abort"]()


def _refusal(rule: Fault) -> ApiError:
    headers = {} if rule.retry_after is None else {"retry-after": str(rule.retry_after)}
    return ApiError(rule.status, rule.code, rule.message, headers=headers)


async def _truncated(call: Call, send: Any, outcome: Outcome, reply: Any, write: Sender) -> None:
    async def half(message: dict[str, Any]) -> None:
        body = message.get("body", b"")
        if message["type"] == "http.response.body" and body:
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            abort(call)
        elif message["type"] == "http.response.start":
            await send(message)

    await write(call, half, reply, outcome)


async def _remembering(
    call: Call, send: Any, outcome: Outcome, stale: Fault | None, *, answer: Answer, write: Sender
) -> None:
    """While a "stale" rule is in force, remember what GETs said and repeat it until it is `seconds` old."""
    if stale is None or call.method != "GET":
        await write(call, send, await answer(call), outcome)
        return
    box = call.box
    key = f"{call.raw_path}?{call.query_string}"
    kept = box.faults.remembered.get(key)
    if kept is not None and box.clock.now() - kept[0] < stale.seconds:
        outcome.status = kept[1]
        await send({"type": "http.response.start", "status": kept[1], "headers": kept[2]})
        await send({"type": "http.response.body", "body": kept[3]})
        return
    sent: list[dict[str, Any]] = []

    async def keep(message: dict[str, Any]) -> None:
        sent.append(message)
        await send(message)

    await write(call, keep, await answer(call), outcome)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    box.faults.remembered[key] = (box.clock.now(), outcome.status, sent[0]["headers"], body)
