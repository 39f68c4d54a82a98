"""Access groups: rules under a name, for policies and other groups to name.

Faithful: shapes, codes, no deletion while something names them.
https://developers.cloudflare.com/api/resources/zero_trust/subresources/access/subresources/groups/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Reply
from trailboss.sandbox.products.access_rules import (
    GROUP,
    checked_rules,
    in_use,
    invalid,
    not_found,
    scope_of,
)
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record


def _group_of(call: Call) -> Record:
    found = call.store.get(GROUP, call["group_id"])
    if found is None or found["zone"] != scope_of(call.path):
        raise not_found("unknown_group")
    return found


def _shown(group: Record) -> Record:
    """`is_default` is taken and not shown: the API's type of it is a list of rules."""
    return {name: value for name, value in group.items() if name not in ("zone", "is_default")}


async def _write(call: Call, present: Record | None) -> Record:
    body = await call.object()
    if not isinstance(body.get("name"), str) or not body["name"]:
        raise invalid("group name is required")
    now = call.clock.iso()
    record: Record = {
        "id": present["id"] if present else call.ids.uuid(),
        "name": body["name"],
        **checked_rules(call.store, body),
        "is_default": bool(body.get("is_default")),
        "created_at": present["created_at"] if present else now,
        "updated_at": now,
        "zone": scope_of(call.path),
    }
    call.store.put(GROUP, record["id"], record, parent=record["zone"])
    await call.runtime.sync()
    return _shown(record)


async def list_groups(call: Call) -> Reply:
    """By name, or a word of it."""
    found = call.store.all(GROUP, scope_of(call.path))
    found = [one for one in found if call.query("name") in ("", one["name"])]
    search = call.query("search").lower()
    return call.paged([_shown(one) for one in found if search in one["name"].lower()], per_page=25)


async def create_group(call: Call) -> Reply:
    """Names need not be unique."""
    return Reply(await _write(call, None), status=201)


async def get_group(call: Call) -> Record:
    """One group."""
    return _shown(_group_of(call))


async def update_group(call: Call) -> Record:
    """Everything anew."""
    return await _write(call, _group_of(call))


async def delete_group(call: Call) -> Reply:
    """Not while a policy or another group names it."""
    group = _group_of(call)
    if in_use(call.store, "group", group["id"]):
        raise invalid("group is used by one or more policies or groups")
    call.store.delete(GROUP, group["id"])
    return Reply({"id": group["id"]}, status=202)


router = Router("zero_trust_access_groups")
_SDK, _TYPE = "zero_trust.access.groups", "zero_trust.access.Group"
for _root in ("A/access/groups", "Z/access/groups"):
    _one = f"{_root}/{{group_id}}"
    router.add("GET", _root, list_groups, sdk=f"{_SDK}.list", reply=f"{_TYPE}ListResponse")
    router.add(
        "POST",
        _root,
        create_group,
        sdk=f"{_SDK}.create",
        request=f"{_TYPE}CreateParams",
        reply=f"{_TYPE}CreateResponse",
    )
    router.add("GET", _one, get_group, sdk=f"{_SDK}.get", reply=f"{_TYPE}GetResponse")
    router.add(
        "PUT",
        _one,
        update_group,
        sdk=f"{_SDK}.update",
        request=f"{_TYPE}UpdateParams",
        reply=f"{_TYPE}UpdateResponse",
    )
    router.add("DELETE", _one, delete_group, sdk=f"{_SDK}.delete", reply=f"{_TYPE}DeleteResponse")
