"""Flagship's feature flags: made, replaced, deleted, and every change of them in a log.

Faithful: shapes, limits and checks, a PUT that replaces all, the flat cursor. Simplified: error codes are the
sandbox's own; no limit on the size of an application.
https://developers.cloudflare.com/api/resources/flagship/subresources/apps/subresources/flags/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.products.flag_rules import Invalid, check
from trailboss.sandbox.refusals import ApiError, bad_request
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.flagship_apps import CHANGE, FLAG, app_of, cursor_page, flag_of
from trailboss.sandbox.routes.user import email

if TYPE_CHECKING:
    from trailboss.sandbox.envelope import Reply
    from trailboss.sandbox.store import Record

FIELDS = ("key", "enabled", "default_variation", "variations", "rules", "description", "metadata")
STAMPS = ("updated_at", "updated_by")
MAX_FLAGS = 5000


def flag_exists() -> ApiError:
    """The key is taken."""
    return ApiError(409, 10409, "Flag already exists")


def _shown(flag: Record) -> Record:
    return {name: value for name, value in flag.items() if name != "app_id"}


def _checked(call: Call, app: str, body: Record) -> Record:
    """The flag a body describes, whole."""
    try:
        kind = check(body)
    except Invalid as error:
        raise bad_request(str(error), 10400) from None
    given = {name: body[name] for name in FIELDS if body.get(name) is not None}
    stamps = {"updated_at": call.clock.iso(), "updated_by": email(call)}
    return {**given, "type": kind, **stamps, "app_id": app}


def _keep(call: Call, flag: Record, before: Record | None) -> Record:
    with call.store.transaction():
        call.store.put(FLAG, f"{flag['app_id']}/{flag['key']}", flag, parent=flag["app_id"])
        _note(call, "update" if before else "create", flag, before)
    return _shown(flag)


def _note(call: Call, event: str, flag: Record, before: Record | None) -> None:
    entry = {"event": event, "flag_key": flag["key"], "after": _shown(flag), "at": call.clock.iso()}
    if event == "update":
        names = [name for name in (*FIELDS, "type") if (before or {}).get(name) != flag.get(name)]
        entry["diff"] = {name: {"from": (before or {}).get(name), "to": flag.get(name)} for name in names}
    call.store.put(CHANGE, call.ids.uuid(), entry, parent=flag["app_id"])


async def list_flags(call: Call) -> Reply:
    """All of an application's, by cursor."""
    return cursor_page(call, [_shown(one) for one in call.store.all(FLAG, app_of(call)["id"])])


async def create_flag(call: Call) -> Record:
    """Keys are unique in the application."""
    app, body = app_of(call)["id"], await call.object()
    flag = _checked(call, app, body)
    if call.store.get(FLAG, f"{app}/{flag['key']}") is not None:
        raise flag_exists()
    if call.store.count(FLAG, app) >= MAX_FLAGS:
        raise bad_request(f"an app has at most {MAX_FLAGS} flags", 10400)
    return _keep(call, flag, None)


async def get_flag(call: Call) -> Record:
    """One flag."""
    return _shown(flag_of(call, call["flag_key"]))


async def update_flag(call: Call) -> Record:
    """All of it: what the body leaves out is gone."""
    before, body = flag_of(call, call["flag_key"]), await call.object()
    if body.get("key", before["key"]) != before["key"]:
        raise bad_request("the key of a flag cannot be changed", 10400)
    return _keep(call, _checked(call, before["app_id"], {**body, "key": before["key"]}), before)


async def delete_flag(call: Call) -> Record:
    """Gone; its log stays."""
    flag = flag_of(call, call["flag_key"])
    with call.store.transaction():
        call.store.delete(FLAG, f"{flag['app_id']}/{flag['key']}")
        _note(call, "delete", flag, None)
    return {"key": flag["key"]}


async def list_changes(call: Call) -> Reply:
    """Every change, newest first; also of a flag that is gone."""
    entries = call.store.all(CHANGE, app_of(call)["id"], newest_first=True)
    return cursor_page(call, [one for one in entries if one["flag_key"] == call["flag_key"]])


router = Router("flagship_flags")
_ROOT, _ONE = "A/flagship/apps/{app_id}/flags", "A/flagship/apps/{app_id}/flags/{flag_key}"
_SDK, _TYPE = "flagship.apps.flags", "flagship.apps.Flag"
_WRITES: Any = {"create": ("POST", _ROOT, create_flag), "update": ("PUT", _ONE, update_flag)}
router.add("GET", _ROOT, list_flags, sdk=f"{_SDK}.list", reply=f"{_TYPE}ListResponse")
for _name, (_method, _path, _handler) in _WRITES.items():
    router.add(
        _method,
        _path,
        _handler,
        sdk=f"{_SDK}.{_name}",
        request=f"{_TYPE}{_name.capitalize()}Params",
        reply=f"{_TYPE}{_name.capitalize()}Response",
    )
router.add("GET", _ONE, get_flag, sdk=f"{_SDK}.get", reply=f"{_TYPE}GetResponse")
router.add("DELETE", _ONE, delete_flag, sdk=f"{_SDK}.delete", reply=f"{_TYPE}DeleteResponse")
router.add(
    "GET",
    f"{_ONE}/changelog",
    list_changes,
    sdk=f"{_SDK}.changelog.list",
    reply="flagship.apps.flags.ChangelogListResponse",
)
