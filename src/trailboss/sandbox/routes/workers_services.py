"""Services and environments: the older face of Workers, which wrangler still asks for existence and
references.

Every Worker is a service with one environment, "production". Not part of Cloudflare's published API.
"""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.routes import Router
from trailboss.sandbox.store import Record
from trailboss.sandbox.workers import refusals
from trailboss.sandbox.workers.bindings import shown
from trailboss.sandbox.workers.model import latest_version, script_named
from trailboss.sandbox.workers.removal import (
    incoming_objects,
    incoming_services,
    remove_script,
    tail_producers,
)
from trailboss.sandbox.workers.shapes import code_shape


def _service(call: Call) -> Record:
    return script_named(call.store, call["service"], refusals.service_not_found())


def _environment(call: Call, script: Record) -> dict[str, Any]:
    name = script["name"]
    return {
        "environment": "production",
        "created_on": script["created_on"],
        "modified_on": script["modified_on"],
        "script": {"id": name, **code_shape(script, latest_version(call.store, name))},
    }


async def get_service(call: Call) -> Any:
    """GET /workers/services/{n}."""
    script = _service(call)
    environment = _environment(call, script)
    return {
        "id": script["name"],
        "created_on": script["created_on"],
        "modified_on": script["modified_on"],
        "default_environment": environment,
        "environments": [{key: environment[key] for key in ("environment", "created_on", "modified_on")}],
    }


async def delete_service(call: Call) -> Any:
    """DELETE /workers/services/{n}[?force=true]."""
    _service(call)
    await remove_script(call, call["service"], force=call.flag("force"))
    return None


async def get_environment(call: Call) -> Any:
    """GET /workers/services/{n}/environments/{env}."""
    script = _service(call)
    return {**_environment(call, script), "environment": call["environment"]}


async def get_environment_bindings(call: Call) -> Any:
    """GET .../environments/{env}/bindings."""
    version = latest_version(call.store, _service(call)["name"]) or {"bindings": []}
    return [shown(binding) for binding in version["bindings"]]


async def get_environment_routes(call: Call) -> Any:
    """GET .../environments/{env}/routes[?show_zonename=true]."""
    name = _service(call)["name"]
    routes = [item for item in call.store.all("worker_route") if item.get("script") == name]
    zones = {zone["id"]: zone["name"] for zone in call.store.all("zone")}
    return [{**item, "zone_name": zones.get(item["zone_id"])} for item in routes]


async def get_environment_subdomain(call: Call) -> Any:
    """GET .../environments/{env}/subdomain."""
    return _service(call)["subdomain"]


async def get_references(call: Call) -> Any:
    """GET /workers/scripts/{n}/references: who uses this Worker."""
    name = script_named(call.store, call["script_name"])["name"]
    return {
        "services": {
            "incoming": incoming_services(call.store, name),
            "outgoing": [],
            "pages_function": False,
        },
        "durable_objects": incoming_objects(call.store, name),
        "dispatch_outbounds": [],
    }


async def get_tail_producers(call: Call) -> Any:
    """GET /workers/tails/by-consumer/{n}."""
    return tail_producers(call.store, call["script_name"])


router = Router("workers_services")
_SERVICE = "A/workers/services/{service}"
_ENVIRONMENT = f"{_SERVICE}/environments/{{environment}}"
router.add("GET", _SERVICE, get_service)
router.add("DELETE", _SERVICE, delete_service)
router.add("GET", _ENVIRONMENT, get_environment)
router.add("GET", f"{_ENVIRONMENT}/bindings", get_environment_bindings)
router.add("GET", f"{_ENVIRONMENT}/routes", get_environment_routes)
router.add("GET", f"{_ENVIRONMENT}/subdomain", get_environment_subdomain)
router.add("GET", "A/workers/scripts/{script_name}/references", get_references)
router.add("GET", "A/workers/tails/by-consumer/{script_name}", get_tail_producers)
