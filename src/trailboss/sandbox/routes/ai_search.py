"""AI Search: namespaces. Instances in them, indexing and searching are not emulated.

Faithful: shapes, 404 by status. https://developers.cloudflare.com/api/resources/aisearch/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError, bad_request
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record, Store

KIND = "ai_search_namespace"


def namespace_not_found(name: str) -> ApiError:
    """No namespace of that name. Clients go by the status; the code is ours."""
    return ApiError(404, 7002, f"AI Search namespace '{name}' was not found.")


def name_taken(name: str) -> ApiError:
    """The name is in use. The code is ours."""
    return ApiError(409, 7003, f"An AI Search namespace named '{name}' already exists.")


async def list_namespaces(call: Call) -> Any:
    """GET [?search=&page=&per_page=]."""
    wanted = call.query("search").lower()
    found = [
        item
        for item in call.store.all(KIND)
        if wanted in item["name"].lower() or wanted in (item["description"] or "").lower()
    ]
    return call.paged(found)


async def create_namespace(call: Call) -> Any:
    """POST {name, description?}."""
    body = await call.object()
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise bad_request("An AI Search namespace needs a name.")
    if call.store.get(KIND, name) is not None:
        raise name_taken(name)
    record = {
        "name": name,
        "description": body.get("description"),
        "created_at": call.clock.iso(),
        "public_endpoint_params": body.get("public_endpoint_params"),
    }
    return call.store.put(KIND, name, record)


def _namespace(call: Call) -> Record:
    found = call.store.get(KIND, call["name"])
    if found is None:
        raise namespace_not_found(call["name"])
    return found


async def get_namespace(call: Call) -> Any:
    """GET {name}."""
    return _namespace(call)


async def change_namespace(call: Call) -> Any:
    """PUT {name} {description?, public_endpoint_params?}."""
    record, body = _namespace(call), await call.object()
    for key in ("description", "public_endpoint_params"):
        if key in body:
            record[key] = body[key]
    return call.store.put(KIND, record["name"], record)


async def delete_namespace(call: Call) -> Any:
    """DELETE {name}."""
    call.store.delete(KIND, _namespace(call)["name"])
    return None


async def list_instances(call: Call) -> Any:
    """GET {name}/instances: there are none."""
    _namespace(call)
    return call.paged([])


def check_binding(store: Store, binding: Record) -> ApiError | None:
    """An upload may only bind a namespace that exists."""
    name = str(binding.get("namespace", ""))
    return None if store.get(KIND, name) is not None else namespace_not_found(name)


router = Router("ai_search")
_ROOT, _ONE = "A/ai-search/namespaces", "A/ai-search/namespaces/{name}"
_SDK, _TYPE = "aisearch.namespaces", "aisearch.Namespace"
router.add("GET", _ROOT, list_namespaces, sdk=f"{_SDK}.list", reply=f"{_TYPE}ListResponse")
router.add(
    "POST",
    _ROOT,
    create_namespace,
    sdk=f"{_SDK}.create",
    request=f"{_TYPE}CreateParams",
    reply=f"{_TYPE}CreateResponse",
)
router.add("GET", _ONE, get_namespace, sdk=f"{_SDK}.read", reply=f"{_TYPE}ReadResponse")
router.add(
    "PUT",
    _ONE,
    change_namespace,
    sdk=f"{_SDK}.update",
    request=f"{_TYPE}UpdateParams",
    reply=f"{_TYPE}UpdateResponse",
)
router.add("DELETE", _ONE, delete_namespace, sdk=f"{_SDK}.delete", reply="None")
router.add(
    "GET",
    f"{_ONE}/instances",
    list_instances,
    sdk=f"{_SDK}.instances.list",
    reply="aisearch.namespaces.InstanceListResponse",
)
router.target("ai_search_namespace", check_binding)
