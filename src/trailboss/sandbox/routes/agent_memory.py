"""Agent Memory: namespaces. What is remembered in them is not emulated.

From wrangler's own requests: Cloudflare's API reference does not list the product.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError, bad_request
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record, Store

KIND = "agent_memory_namespace"


def namespace_not_found(name: str) -> ApiError:
    """No namespace of that name. Clients go by the status; the code is ours."""
    return ApiError(404, 10404, f"Agent Memory namespace '{name}' was not found.")


def name_taken(name: str) -> ApiError:
    """The name is in use. The code is ours."""
    return ApiError(409, 10409, f"An Agent Memory namespace named '{name}' already exists.")


async def list_namespaces(call: Call) -> Any:
    """GET: all of them on one page, so there is no cursor."""
    return call.single(call.store.all(KIND))


async def create_namespace(call: Call) -> Any:
    """POST {name}."""
    name = (await call.object()).get("name")
    if not isinstance(name, str) or not name:
        raise bad_request("An Agent Memory namespace needs a name.")
    if call.store.get(KIND, name) is not None:
        raise name_taken(name)
    now = call.clock.iso()
    record = {
        "id": call.ids.uuid(),
        "name": name,
        "account_id": call.account,
        "created_at": now,
        "updated_at": now,
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


async def delete_namespace(call: Call) -> Any:
    """DELETE {name}."""
    call.store.delete(KIND, _namespace(call)["name"])
    return None


def check_binding(store: Store, binding: Record) -> ApiError | None:
    """An upload may only bind a namespace that exists."""
    name = str(binding.get("namespace", ""))
    return None if store.get(KIND, name) is not None else namespace_not_found(name)


router = Router("agent_memory")
_ROOT, _ONE = "A/agent-memory/namespaces", "A/agent-memory/namespaces/{name}"
router.add("GET", _ROOT, list_namespaces)
router.add("POST", _ROOT, create_namespace)
router.add("GET", _ONE, get_namespace)
router.add("DELETE", _ONE, delete_namespace)
router.target("agent_memory", check_binding)
