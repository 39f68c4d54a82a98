"""Dispatch namespaces of Workers for Platforms. Their user Workers are in `workers_dispatch_scripts.py`.

https://developers.cloudflare.com/api/resources/workers_for_platforms/
"""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.user import email
from trailboss.sandbox.store import Record, Store
from trailboss.sandbox.workers.removal import forget_script


def namespace_not_found() -> ApiError:
    """No dispatch namespace of that name."""
    return ApiError(404, 100119, "workers.api.error.dispatch_namespace_not_found")


def name_taken(name: str) -> ApiError:
    """The name is in use."""
    return ApiError(409, 100120, f"A dispatch namespace named '{name}' already exists.")


def not_empty(name: str) -> ApiError:
    """Simplified: a namespace with user Workers keeps its name."""
    return ApiError(400, 100121, f"The sandbox renames empty namespaces only; '{name}' has user Workers.")


async def list_namespaces(call: Call) -> Any:
    """GET /workers/dispatch/namespaces."""
    return call.paged([_shown(call, item) for item in call.store.all("dispatch_namespace")], per_page=100)


def _shown(call: Call, namespace: Record) -> Record:
    return {**namespace, "script_count": len(user_workers(call.store, namespace["namespace_name"]))}


def user_workers(store: Store, namespace: str) -> list[Record]:
    """The user Workers of a namespace."""
    found = store.all("hidden_script")
    return [item for item in found if item.get("dispatch", {}).get("namespace") == namespace]


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


def namespace_of(call: Call) -> Record:
    """The namespace a path names; 100119 when there is none."""
    found = call.store.get("dispatch_namespace", call["dispatch_namespace"])
    if found is None:
        raise namespace_not_found()
    return found


async def get_namespace(call: Call) -> Any:
    """GET /workers/dispatch/namespaces/{name}."""
    return _shown(call, namespace_of(call))


async def rename_namespace(call: Call) -> Any:
    """PUT /workers/dispatch/namespaces/{name} {name}."""
    namespace = namespace_of(call)
    name = str((await call.object()).get("name") or namespace["namespace_name"])
    if name != namespace["namespace_name"] and call.store.get("dispatch_namespace", name) is not None:
        raise name_taken(name)
    if name != namespace["namespace_name"] and user_workers(call.store, namespace["namespace_name"]):
        raise not_empty(namespace["namespace_name"])
    call.store.delete("dispatch_namespace", namespace["namespace_name"])
    changed = {**namespace, "namespace_name": name, "modified_on": call.clock.iso()}
    return call.store.put("dispatch_namespace", name, changed)


async def delete_namespace(call: Call) -> Any:
    """DELETE /workers/dispatch/namespaces/{name}: with the user Workers in it."""
    name = namespace_of(call)["namespace_name"]
    with call.store.transaction():
        for script in user_workers(call.store, name):
            forget_script(call.store, script["name"])
        call.store.delete("dispatch_namespace", name)
    await call.runtime.sync()
    return None


def check_binding(store: Store, binding: Record) -> ApiError | None:
    """An upload may only bind a namespace that exists."""
    known = store.get("dispatch_namespace", str(binding.get("namespace", "")))
    return None if known is not None else namespace_not_found()


router = Router("workers_dispatch")
router.target("dispatch_namespace", check_binding)
_NAMESPACES = "A/workers/dispatch/namespaces"
_NAMESPACE = f"{_NAMESPACES}/{{dispatch_namespace}}"
_SDK, _TYPES = "workers_for_platforms.dispatch.namespaces", "workers_for_platforms.dispatch"
router.add("GET", _NAMESPACES, list_namespaces, sdk=f"{_SDK}.list", reply=f"{_TYPES}.NamespaceListResponse")
router.add(
    "POST",
    _NAMESPACES,
    create_namespace,
    sdk=f"{_SDK}.create",
    request=f"{_TYPES}.NamespaceCreateParams",
    reply=f"{_TYPES}.NamespaceCreateResponse",
)
router.add("GET", _NAMESPACE, get_namespace, sdk=f"{_SDK}.get", reply=f"{_TYPES}.NamespaceGetResponse")
router.add("PUT", _NAMESPACE, rename_namespace)
router.add("DELETE", _NAMESPACE, delete_namespace, sdk=f"{_SDK}.delete", reply="None")
