"""Groups of monitors: a pool may have one in place of a monitor. See `load_balancer_monitors.py`.

Faithful: shapes, references. Simplified: an origin is healthy when every member that decides says so,
whatever `must_be_healthy` says of the others.
https://developers.cloudflare.com/api/resources/load_balancers/subresources/monitor_groups/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.products.health_state import GROUP, MONITOR, POOL
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.load_balancer_monitors import invalid, not_found, reference, referenced

if TYPE_CHECKING:
    from trailboss.sandbox.envelope import Reply
    from trailboss.sandbox.store import Record

MOST_MEMBERS = 5


def _group_of(call: Call) -> Record:
    found = call.store.get(GROUP, call["monitor_group_id"])
    if found is None:
        raise not_found()
    return found


def _built(call: Call, body: Record, present: Record) -> Record:
    members: list[Any] = body.get("members") or []
    if not 1 <= len(members) <= MOST_MEMBERS:
        raise invalid(f"members is not in range [1, {MOST_MEMBERS}]")
    now = call.clock.iso()
    for one in members:
        if call.store.get(MONITOR, str(one.get("monitor_id"))) is None:
            raise invalid(f"monitor {one.get('monitor_id')} not found")
    names = ("monitor_id", "enabled", "monitoring_only", "must_be_healthy")
    return {
        "id": present["id"],
        "description": body.get("description") or "",
        "members": [
            {**{name: one[name] for name in names}, "created_at": now, "updated_at": now} for one in members
        ],
        "created_on": present["created_on"],
        "modified_on": now,
    }


async def list_groups(call: Call) -> Reply:
    """All of them."""
    return call.single(call.store.all(GROUP))


async def create_group(call: Call) -> Record:
    """A new group of monitors that exist."""
    record = _built(call, await call.object(), {"id": call.ids.hex(), "created_on": call.clock.iso()})
    return call.store.put(GROUP, record["id"], record)


async def get_group(call: Call) -> Record:
    """One group."""
    return _group_of(call)


async def update_group(call: Call) -> Record:
    """PUT: everything anew."""
    record = _built(call, await call.object(), _group_of(call))
    return call.store.put(GROUP, record["id"], record)


async def edit_group(call: Call) -> Record:
    """PATCH: what is not named stays."""
    present = _group_of(call)
    record = _built(call, {**present, **await call.object()}, present)
    return call.store.put(GROUP, record["id"], record)


def _users(call: Call, group: str) -> list[Record]:
    return [reference("pool", one) for one in call.store.all(POOL) if one.get("monitor_group") == group]


async def delete_group(call: Call) -> Record:
    """Not while a pool has it; answers what it was."""
    record = _group_of(call)
    if _users(call, record["id"]):
        raise referenced()
    call.store.delete(GROUP, record["id"])
    return record


async def list_references(call: Call) -> Reply:
    """The pools that have it."""
    return call.single(_users(call, _group_of(call)["id"]))


router = Router("load_balancer_monitor_groups")
_ROOT = "A/load_balancers/monitor_groups"
_ONE, _SDK, _TYPE = (
    f"{_ROOT}/{{monitor_group_id}}",
    "load_balancers.monitor_groups",
    "load_balancers.MonitorGroup",
)
for _method, _path, _handler, _name, _request in (
    ("GET", _ROOT, list_groups, "list", ""),
    ("POST", _ROOT, create_group, "create", f"{_TYPE}CreateParams"),
    ("GET", _ONE, get_group, "get", ""),
    ("PUT", _ONE, update_group, "update", f"{_TYPE}UpdateParams"),
    ("PATCH", _ONE, edit_group, "edit", f"{_TYPE}EditParams"),
    ("DELETE", _ONE, delete_group, "delete", ""),
):
    router.add(_method, _path, _handler, sdk=f"{_SDK}.{_name}", request=_request, reply=_TYPE)
router.add(
    "GET",
    f"{_ONE}/references",
    list_references,
    sdk=f"{_SDK}.references.get",
    reply="load_balancers.monitor_groups.ReferenceGetResponse",
)
