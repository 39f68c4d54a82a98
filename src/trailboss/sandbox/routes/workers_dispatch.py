"""Dispatch namespaces of Workers for Platforms: the namespaces themselves; no user Workers in them.

https://developers.cloudflare.com/api/resources/workers_for_platforms/
"""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError, not_emulated
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.user import email
from trailboss.sandbox.store import Record


def namespace_not_found() -> ApiError:
    """No dispatch namespace of that name."""
    return ApiError(404, 100119, "workers.api.error.dispatch_namespace_not_found")


def name_taken(name: str) -> ApiError:
    """The name is in use."""
    return ApiError(409, 100120, f"A dispatch namespace named '{name}' already exists.")


def user_worker_not_found() -> ApiError:
    """No user Worker of that name in the namespace."""
    return ApiError(404, 10092, "workers.api.error.environment_not_found")


async def list_namespaces(call: Call) -> Any:
    """GET /workers/dispatch/namespaces."""
    return call.paged(call.store.all("dispatch_namespace"), per_page=100)


async def create_namespace(call: Call) -> Any:
    """POST /workers/dispatch/namespaces {name}."""
    name = str((await call.object()).get("name") or "")
    if call.store.get("dispatch_namespace", name) is not None:
        raise name_taken(name)
    now, who = call.clock.iso(), email(call)
    namespace: Record = {
        "namespace_id": call.ids.uuid(),
        "namespace_name": name,
        "created_on": now,
        "created_by": who,
        "modified_on": now,
        "modified_by": who,
        "script_count": 0,
        "trusted_workers": False,
    }
    return call.store.put("dispatch_namespace", name, namespace)


def _namespace(call: Call) -> Record:
    found = call.store.get("dispatch_namespace", call["dispatch_namespace"])
    if found is None:
        raise namespace_not_found()
    return found


async def get_namespace(call: Call) -> Any:
    """GET /workers/dispatch/namespaces/{name}."""
    return _namespace(call)


async def rename_namespace(call: Call) -> Any:
    """PUT /workers/dispatch/namespaces/{name} {name}."""
    namespace = _namespace(call)
    name = str((await call.object()).get("name") or namespace["namespace_name"])
    if name != namespace["namespace_name"] and call.store.get("dispatch_namespace", name) is not None:
        raise name_taken(name)
    call.store.delete("dispatch_namespace", namespace["namespace_name"])
    changed = {**namespace, "namespace_name": name, "modified_on": call.clock.iso()}
    return call.store.put("dispatch_namespace", name, changed)


async def delete_namespace(call: Call) -> Any:
    """DELETE /workers/dispatch/namespaces/{name}."""
    call.store.delete("dispatch_namespace", _namespace(call)["namespace_name"])
    return None


async def get_user_worker(call: Call) -> Any:
    """GET .../scripts/{n}: there are none."""
    _namespace(call)
    raise user_worker_not_found()


async def refuse_user_worker(call: Call) -> Any:
    """Uploads into a namespace."""
    _namespace(call)
    raise not_emulated("Uploading user Workers into a dispatch namespace")


router = Router("workers_dispatch")
_NAMESPACES = "A/workers/dispatch/namespaces"
_NAMESPACE = f"{_NAMESPACES}/{{dispatch_namespace}}"
_SDK, _TYPES = "workers_for_platforms.dispatch.namespaces", "workers_for_platforms.dispatch"
router.add("GET", _NAMESPACES, list_namespaces, sdk=f"{_SDK}.list", reply=f"{_TYPES}.NamespaceListResponse")
router.add(
    "POST",
    _NAMESPACES,
    create_namespace,
    sdk=f"{_SDK}.create",
    reply=f"{_TYPES}.NamespaceCreateResponse",
)
router.add("GET", _NAMESPACE, get_namespace, sdk=f"{_SDK}.get", reply=f"{_TYPES}.NamespaceGetResponse")
router.add("PUT", _NAMESPACE, rename_namespace)
router.add("DELETE", _NAMESPACE, delete_namespace, sdk=f"{_SDK}.delete", reply="None")
router.add("GET", f"{_NAMESPACE}/scripts/{{script_name}}", get_user_worker)
router.add("PUT", f"{_NAMESPACE}/scripts/{{script_name}}", refuse_user_worker)
