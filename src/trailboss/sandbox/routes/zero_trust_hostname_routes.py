"""Routes of private host names to tunnels. Kept; nothing is resolved by them.

https://developers.cloudflare.com/api/resources/zero_trust/subresources/networks/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailboss.sandbox.call import Call
from trailboss.sandbox.products.tunnel_health import KIND as TUNNEL
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.zero_trust_networks import bad_network, one_of, taken, tunnel_id

if TYPE_CHECKING:
    from trailboss.sandbox.envelope import Reply
    from trailboss.sandbox.store import Record

KIND = "hostname_route"


async def list_hostnames(call: Call) -> Reply:
    """By name and tunnel."""
    found = [] if call.flag("is_deleted") else call.store.all(KIND)
    for name in ("hostname", "tunnel_id", "comment", "id"):
        if call.query(name):
            found = [one for one in found if one[name] == call.query(name)]
    return call.paged([_named(call, one) for one in found])


def _named(call: Call, route: Record) -> Record:
    tunnel = call.store.get(TUNNEL, route["tunnel_id"]) or {}
    return {**route, "tunnel_name": tunnel.get("name", ""), "tun_type": "cfd_tunnel"}


def _write_hostname(call: Call, body: Record, present: Record | None) -> Record:
    whole = {**(present or {}), **body}
    if not isinstance(whole.get("hostname"), str) or "." not in whole["hostname"]:
        raise bad_network("hostname is required")
    other = call.store.find(KIND, hostname=whole["hostname"])
    if other is not None and other["id"] != whole.get("id"):
        raise taken("a route for this hostname")
    record: Record = {
        "id": whole.get("id") or call.ids.uuid(),
        "hostname": whole["hostname"],
        "tunnel_id": tunnel_id(call, whole.get("tunnel_id")),
        "comment": whole.get("comment") or "",
        "created_at": whole.get("created_at") or call.clock.iso(),
        "deleted_at": None,
    }
    return _named(call, call.store.put(KIND, record["id"], record))


async def create_hostname(call: Call) -> Record:
    """One name leads to one tunnel."""
    body = await call.object()
    return _write_hostname(call, {name: body[name] for name in body if name != "id"}, None)


async def get_hostname(call: Call) -> Record:
    """One route of a name."""
    return _named(call, one_of(call, KIND, "hostname_route_id", "Hostname route"))


async def edit_hostname(call: Call) -> Record:
    """What is not named stays."""
    return _write_hostname(call, await call.object(), await get_hostname(call))


async def delete_hostname(call: Call) -> Record:
    """Gone."""
    record = await get_hostname(call)
    call.store.delete(KIND, record["id"])
    return {**record, "deleted_at": call.clock.iso()}


router = Router("zero_trust_hostname_routes")
_SDK, _TYPE = "zero_trust.networks.hostname_routes", "zero_trust.networks.HostnameRoute"
_ROOT, _ONE = "A/zerotrust/routes/hostname", "A/zerotrust/routes/hostname/{hostname_route_id}"
router.add("GET", _ROOT, list_hostnames, sdk=f"{_SDK}.list", reply=_TYPE)
router.add("POST", _ROOT, create_hostname, sdk=f"{_SDK}.create", request=f"{_TYPE}CreateParams", reply=_TYPE)
router.add("GET", _ONE, get_hostname, sdk=f"{_SDK}.get", reply=_TYPE)
router.add("PATCH", _ONE, edit_hostname, sdk=f"{_SDK}.edit", request=f"{_TYPE}EditParams", reply=_TYPE)
router.add("DELETE", _ONE, delete_hostname, sdk=f"{_SDK}.delete", reply=_TYPE)
