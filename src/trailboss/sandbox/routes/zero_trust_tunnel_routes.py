"""What `cloudflared tunnel route dns` and `route lb` ask of a zone: make a host name, or a pool, a tunnel's.

Faithful: request and reply, what counts as new, updated and unchanged, and a name outside the zone that
becomes one inside it. No other client uses it, the SDK has none of it.
Source: cloudflared's `cfapi` package, https://github.com/cloudflare/cloudflared
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailboss.sandbox.call import Call
from trailboss.sandbox.products.dns_rules import full_name
from trailboss.sandbox.products.health_state import POOL
from trailboss.sandbox.products.tunnel_health import KIND
from trailboss.sandbox.products.tunnel_table import SUFFIX
from trailboss.sandbox.refusals import ApiError, bad_request
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.dns import KIND as RECORD
from trailboss.sandbox.routes.dns import write_record
from trailboss.sandbox.routes.load_balancer_pools import BALANCER, built_pool, kept_pool
from trailboss.sandbox.routes.load_balancers import built_balancer, kept_balancer
from trailboss.sandbox.routes.zero_trust_tunnels import tunnel_not_found

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record

NEW, UPDATED, UNCHANGED = "new", "updated", "unchanged"


def cannot_create(name: str, why: str) -> ApiError:
    """The record is in the way of another one."""
    return ApiError(400, 1003, f"Failed to create record {name} with err {why}")


async def put_route(call: Call) -> Record:
    """A CNAME (`dns`), or a load balancer with a pool that has the tunnel as an origin (`lb`)."""
    if call.store.get(KIND, call["tunnel_id"]) is None:
        raise tunnel_not_found()
    body = await call.object()
    target = f"{call['tunnel_id']}{SUFFIX}"
    with call.store.transaction():
        if body.get("type") == "dns":
            answer = _dns(call, body, target)
        elif body.get("type") == "lb":
            answer = _balanced(call, body, target)
        else:
            raise bad_request("type must be dns or lb", 1010)
    await call.runtime.sync()
    return answer


def _zone(call: Call) -> str:
    return str((call.store.get("zone", call["zone_id"]) or {})["name"])


def _dns(call: Call, body: Record, target: str) -> Record:
    name = full_name(str(body.get("user_hostname") or ""), _zone(call))
    there = call.store.where(RECORD, call["zone_id"], name=name)
    if any(one["content"] == target for one in there):
        return {"cname": UNCHANGED, "name": name, "dns_tag": there[0]["id"]}
    if body.get("overwrite_existing"):
        for one in there:
            if one["type"] in ("A", "AAAA", "CNAME"):
                call.store.delete(RECORD, one["id"])
    wanted = {"type": "CNAME", "name": name, "content": target, "proxied": True, "ttl": 1}
    try:
        made = write_record(call, wanted, None)
    except ApiError as error:
        raise cannot_create(name, error.message) from None
    return {"cname": NEW, "name": name, "dns_tag": made["id"]}


def _balanced(call: Call, body: Record, target: str) -> Record:
    pool, of_pool = _pool(call, str(body.get("lb_pool") or ""), target)
    name = full_name(str(body.get("lb_name") or ""), _zone(call))
    present = next(iter(call.store.where(BALANCER, call["zone_id"], name=name)), None)
    if present is not None and pool in present["default_pools"]:
        return {"load_balancer": UNCHANGED, "pool": of_pool}
    pools = [*(present["default_pools"] if present else ()), pool]
    wanted = {"fallback_pool": pool, "proxied": True, "name": name, **(present or {}), "default_pools": pools}
    identity = present or {"id": call.ids.hex(), "created_on": call.clock.iso()}
    kept_balancer(call, built_balancer(call, wanted, identity))
    return {"load_balancer": UPDATED if present else NEW, "pool": of_pool}


def _pool(call: Call, name: str, target: str) -> tuple[str, str]:
    """The id of the pool of that name with the tunnel in it, and what was done to it."""
    present = call.store.find(POOL, name=name)
    origins = present["origins"] if present else []
    if present and any(one["address"] == target for one in origins):
        return str(present["id"]), UNCHANGED
    origin = {"name": target.removesuffix(SUFFIX), "address": target, "enabled": True, "weight": 1}
    wanted = {"name": name, **(present or {}), "origins": [*origins, origin]}
    identity = present or {"id": call.ids.hex(), "created_on": call.clock.iso()}
    made = kept_pool(call, built_pool(call, wanted, identity))
    return str(made["id"]), UPDATED if present else NEW


router = Router("zero_trust_tunnel_routes")
router.add("PUT", "Z/tunnels/{tunnel_id}/routes", put_route, unchecked="not in the SDK")
