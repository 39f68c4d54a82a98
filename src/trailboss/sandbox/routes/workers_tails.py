"""Live tails: a WebSocket per tail, on a port of its own (see `tails.py`).

https://developers.cloudflare.com/api/resources/workers/subresources/scripts/subresources/tail/
"""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError, bad_request
from trailboss.sandbox.routes import Router
from trailboss.sandbox.tails import Tail
from trailboss.sandbox.workers.model import script_named

LIFETIME = 6 * 3600
VIEWERS = 10


def too_many() -> ApiError:
    """Ten may look at once."""
    return ApiError(400, 10058, f"A Worker can have at most {VIEWERS} tails at a time.")


async def create_tail(call: Call) -> Any:
    """POST /workers/scripts/{n}/tails {filters}."""
    script = script_named(call.store, call["script_name"])
    filters = (await call.object()).get("filters") or []
    if not isinstance(filters, list) or not all(isinstance(item, dict) for item in filters):
        raise bad_request("filters must be a list of objects")
    tails = call.box.tails
    if len(tails.of(script["name"])) >= VIEWERS:
        raise too_many()
    tail = Tail(call.ids.hex(32), script["name"], filters, call.clock.now() + LIFETIME)
    url = tails.add(tail)
    try:
        await call.runtime.listen()  # so that nothing is missed from here on
    except ApiError:
        tails.remove(tail.id)
        raise
    return {"id": tail.id, "url": url, "expires_at": call.clock.iso(tail.expires)}


async def list_tails(call: Call) -> Any:
    """GET /workers/scripts/{n}/tails."""
    script = script_named(call.store, call["script_name"])
    tails = call.box.tails
    return call.single(
        [
            {"id": tail.id, "url": tails.url(tail), "expires_at": call.clock.iso(tail.expires)}
            for tail in tails.of(script["name"])
        ]
    )


async def delete_tail(call: Call) -> Any:
    """DELETE /workers/scripts/{n}/tails/{id}."""
    script_named(call.store, call["script_name"])
    if not call.box.tails.remove(call["tail_id"]):
        raise ApiError(404, 10059, "The tail could not be found.")
    return None


router = Router("workers_tails")
_TAILS = "A/workers/scripts/{script_name}/tails"
router.add(
    "POST",
    _TAILS,
    create_tail,
    sdk="workers.scripts.tail.create",
    reply="workers.scripts.TailCreateResponse",
)
router.add(
    "GET",
    _TAILS,
    list_tails,
    sdk="workers.scripts.tail.get",
    unchecked="the SDK expects one tail, the API lists them",
)
router.add(
    "DELETE",
    f"{_TAILS}/{{tail_id}}",
    delete_tail,
    sdk="workers.scripts.tail.delete",
    reply="workers.scripts.TailDeleteResponse",
)
