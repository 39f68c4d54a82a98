"""What the side-car asks of Python: traces in, previews looked up, bindings served. Plain JSON, no
envelope."""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Raw, Reply, encode_json
from trailboss.sandbox.refusals import ApiError


def plain(value: Any) -> Raw:
    """JSON as it is."""
    return Raw(encode_json(value), content_type="application/json")


async def from_trace(call: Call) -> Raw:
    """Trace items of invocations that ended: [{script, version, ...item}]."""
    items = await call.array()
    return plain({"delivered": sum(call.box.tails.publish(item) for item in items)})


async def from_preview(call: Call) -> Raw:
    """The Workers behind a preview host: {script, version: "<prefix>"} -> [W] ([] when there is none)."""
    from trailboss.sandbox.wanted import preview_worker

    value = await call.object()
    worker = preview_worker(call.box, str(value.get("script", "")), str(value.get("version", "")))
    return plain([worker] if worker else [])


async def from_binding(call: Call) -> Any:
    """A binding that Python serves: handed to the product that declared `router.binding(kind)`."""
    for router in call.box.routers:
        handler = router.bindings.get(call["kind"])
        if handler is not None:
            answer = await handler(call, call["rest"])
            return answer if isinstance(answer, Reply | Raw) else plain(answer)
    raise ApiError(404, 10404, f"nothing here serves {call['kind']} bindings")
