"""Flagship: applications, and what their flags serve. The flags are in `flagship_flags.py`.

Faithful: shapes, cursors, the decision and its buckets. Simplified: an attribute of `evaluate` is text, as it
is in a query; a Worker's `flagship` binding is refused by the sandbox's runtime; error codes are the
sandbox's own.
https://developers.cloudflare.com/api/resources/flagship/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Raw, Reply, encode_json
from trailboss.sandbox.products.flag_evaluation import evaluate
from trailboss.sandbox.refusals import ApiError, bad_request
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.user import email

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record, Store

APP, FLAG, CHANGE = "flagship_app", "flagship_flag", "flagship_change"
MAX_APPS = 10_000


def app_not_found() -> ApiError:
    """No application of that id."""
    return ApiError(404, 10404, "App not found")


def flag_not_found() -> ApiError:
    """No flag of that key in the application."""
    return ApiError(404, 10404, "Flag not found")


def app_of(call: Call) -> Record:
    """The application the path names."""
    found = call.store.get(APP, call["app_id"])
    if found is None:
        raise app_not_found()
    return found


def flag_of(call: Call, key: str) -> Record:
    """A flag of that application."""
    found = call.store.get(FLAG, f"{app_of(call)['id']}/{key}")
    if found is None:
        raise flag_not_found()
    return found


def cursor_page(call: Call, items: list[Any], per_page: int = 50) -> Reply:
    """One page by `limit` and the flat `cursor`, which is null at the end."""
    limit, start = call.number("limit", per_page, 1, 200), call.number("cursor", 0)
    page = items[start : start + limit]
    more = start + limit < len(items)
    return Reply(page, info={"count": len(page), "cursor": str(start + limit) if more else None})


async def list_apps(call: Call) -> Reply:
    """All of them, by cursor."""
    return cursor_page(call, call.store.all(APP), 200)


async def create_app(call: Call) -> Record:
    """Names need not differ."""
    if call.store.count(APP) >= MAX_APPS:
        raise bad_request(f"an account has at most {MAX_APPS} apps", 10400)
    record = {"id": call.ids.uuid(), "created_at": call.clock.iso()}
    return _named(call, record, (await call.object()).get("name"))


def _named(call: Call, record: Record, name: Any) -> Record:
    if not isinstance(name, str) or not name.strip():
        raise bad_request("name is required", 10400)
    record |= {"name": name, "updated_at": call.clock.iso(), "updated_by": email(call)}
    return call.store.put(APP, record["id"], record)


async def get_app(call: Call) -> Record:
    """One application."""
    return app_of(call)


async def update_app(call: Call) -> Record:
    """Another name."""
    record = app_of(call)
    return _named(call, record, (await call.object()).get("name", record["name"]))


async def delete_app(call: Call) -> Record:
    """Its flags and their history go with it."""
    record = app_of(call)
    with call.store.transaction():
        call.store.delete(APP, record["id"])
        for kind in (FLAG, CHANGE):
            call.store.delete_all(kind, record["id"])
    return {"id": record["id"]}


async def evaluate_flag(call: Call) -> Raw:
    """What one flag serves for ?targetingKey= and other attributes; without an envelope."""
    context = dict(call.query_pairs)
    flag = flag_of(call, context.pop("flagKey", ""))
    served = evaluate(flag, context, call.account)
    shape = {"flagKey": flag["key"], **served._asdict()}
    if flag.get("metadata"):
        shape["metadata"] = flag["metadata"]
    return Raw(encode_json(shape), content_type="application/json")


def check_binding(store: Store, binding: Record) -> ApiError | None:
    """An upload may only bind an application that exists."""
    if store.get(APP, str(binding.get("app_id", ""))) is not None:
        return None
    return ApiError(400, 10021, f"Flagship app '{binding.get('app_id')}' was not found.")


router = Router("flagship_apps")
_ROOT, _ONE, _SDK, _TYPE = "A/flagship/apps", "A/flagship/apps/{app_id}", "flagship.apps", "flagship.App"
router.add("GET", _ROOT, list_apps, sdk=f"{_SDK}.list", reply=f"{_TYPE}ListResponse")
router.add(
    "POST",
    _ROOT,
    create_app,
    sdk=f"{_SDK}.create",
    request=f"{_TYPE}CreateParams",
    reply=f"{_TYPE}CreateResponse",
)
router.add("GET", _ONE, get_app, sdk=f"{_SDK}.get", reply=f"{_TYPE}GetResponse")
router.add(
    "PUT",
    _ONE,
    update_app,
    sdk=f"{_SDK}.update",
    request=f"{_TYPE}UpdateParams",
    reply=f"{_TYPE}UpdateResponse",
)
router.add("DELETE", _ONE, delete_app, sdk=f"{_SDK}.delete", reply=f"{_TYPE}DeleteResponse")
router.add("GET", f"{_ONE}/evaluate", evaluate_flag, sdk=f"{_SDK}.evaluate.get", unchecked="no envelope")
router.target("flagship", check_binding)
