"""Routes: URL patterns of a zone that go to a Worker, or to none.

Faithful: patterns are unique in their zone, wildcards only at the start of the host and the end of the
path, wrangler's replace-all call.
https://developers.cloudflare.com/api/resources/workers/subresources/routes/
"""

from __future__ import annotations

import re
from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.store import Record
from trailboss.sandbox.workers.model import script_named
from trailboss.sandbox.workers.zones import zone_for

Shape = dict[str, Any]


def route_not_found() -> ApiError:
    """No route of that id."""
    return ApiError(404, 10009, "The route could not be found.")


def duplicate(pattern: str, script: str | None) -> ApiError:
    """The pattern is in use."""
    return ApiError(
        409, 10020, f"A route with the same pattern already exists: {pattern} ({script or 'none'})."
    )


def invalid_pattern(pattern: str, reason: str) -> ApiError:
    """A pattern Cloudflare does not take."""
    return ApiError(400, 10022, f"Invalid route pattern {pattern!r}: {reason}.")


def check_pattern(pattern: str, zone: Record) -> None:
    """Refuse a pattern that is malformed or outside its zone."""
    bare = re.sub(r"^https?://", "", pattern)
    host, _, path = bare.partition("/")
    if not host:
        raise invalid_pattern(pattern, "it has no host name")
    if "?" in bare:
        raise invalid_pattern(pattern, "query strings are not matched")
    if "*" in host[1:] or "*" in path[:-1]:
        raise invalid_pattern(
            pattern, "wildcards stand only at the start of the host and the end of the path"
        )
    name = host.lstrip("*").lstrip(".").lower()
    if name != zone["name"] and not name.endswith(f".{zone['name']}"):
        raise invalid_pattern(pattern, f"it is not in the zone {zone['name']}")


def shape(route: Record) -> Shape:
    """A route as the API shows it."""
    return {
        "id": route["id"],
        "pattern": route["pattern"],
        **({"script": route["script"]} if route.get("script") else {}),
    }


def _in_zone(call: Call, pattern: str) -> Record | None:
    routes = call.store.all("worker_route", call["zone_id"])
    return next((item for item in routes if item["pattern"] == pattern), None)


def _route(call: Call) -> Record:
    route = call.store.get("worker_route", call["route_id"])
    if route is None or route["zone_id"] != call["zone_id"]:
        raise route_not_found()
    return route


def write(call: Call, zone_id: str, pattern: str, script: str | None, route_id: str = "") -> Record:
    """Write a route record."""
    route: Record = {
        "id": route_id or call.ids.hex(32),
        "zone_id": zone_id,
        "pattern": pattern,
        "script": script,
    }
    return call.store.put("worker_route", route["id"], route, parent=zone_id)


async def list_routes(call: Call) -> Any:
    """GET /zones/{z}/workers/routes."""
    return call.single([shape(route) for route in call.store.all("worker_route", call["zone_id"])])


async def create_route(call: Call) -> Any:
    """POST /zones/{z}/workers/routes {pattern, script?}."""
    pattern, script = await _wanted(call)
    existing = _in_zone(call, pattern)
    if existing is not None:
        raise duplicate(pattern, existing.get("script"))
    route = write(call, call["zone_id"], pattern, script)
    await call.runtime.sync()
    return shape(route)


async def _wanted(call: Call) -> tuple[str, str | None]:
    value = await call.object()
    pattern, script = str(value.get("pattern") or ""), value.get("script") or None
    zone = call.store.get("zone", call["zone_id"])
    assert zone is not None
    check_pattern(pattern, zone)
    if script is not None:
        script_named(call.store, str(script))
    return pattern, script


async def get_route(call: Call) -> Any:
    """GET /zones/{z}/workers/routes/{id}."""
    return shape(_route(call))


async def put_route(call: Call) -> Any:
    """PUT /zones/{z}/workers/routes/{id}."""
    route = _route(call)
    pattern, script = await _wanted(call)
    existing = _in_zone(call, pattern)
    if existing is not None and existing["id"] != route["id"]:
        raise duplicate(pattern, existing.get("script"))
    changed = write(call, call["zone_id"], pattern, script, route["id"])
    await call.runtime.sync()
    return shape(changed)


async def delete_route(call: Call) -> Any:
    """DELETE /zones/{z}/workers/routes/{id}."""
    route = _route(call)
    call.store.delete("worker_route", route["id"])
    await call.runtime.sync()
    return {"id": route["id"]}


async def replace_script_routes(call: Call) -> Any:
    """PUT /workers/scripts/{n}/routes [{pattern, zone_id?, zone_name?}]: these and no others."""
    script = script_named(call.store, call["script_name"])["name"]
    wanted: list[tuple[Record, str]] = []
    for item in await call.array():
        fields = {"pattern": item} if isinstance(item, str) else item
        pattern = str(fields.get("pattern", ""))
        zone = zone_for(call.store, fields, re.sub(r"^https?://", "", pattern).partition("/")[0])
        check_pattern(pattern, zone)
        wanted.append((zone, pattern))
    taken = {(item["zone_id"], item["pattern"]): item for item in call.store.all("worker_route")}
    for zone, pattern in wanted:
        existing = taken.get((zone["id"], pattern))
        if existing is not None and existing.get("script") != script:
            raise duplicate(pattern, existing.get("script"))
    with call.store.transaction():
        keep = {(zone["id"], pattern) for zone, pattern in wanted}
        for key, item in taken.items():
            if item.get("script") == script and key not in keep:
                call.store.delete("worker_route", item["id"])
        for zone, pattern in wanted:
            if (zone["id"], pattern) not in taken:
                write(call, zone["id"], pattern, script)
    await call.runtime.sync()
    return [{"pattern": pattern, "zone_name": zone["name"]} for zone, pattern in wanted]


router = Router("workers_routes")
_ROUTES = "Z/workers/routes"
router.add("GET", _ROUTES, list_routes, sdk="workers.routes.list", reply="workers.RouteListResponse")
router.add(
    "POST",
    _ROUTES,
    create_route,
    sdk="workers.routes.create",
    request="workers.RouteCreateParams",
    reply="workers.RouteCreateResponse",
)
router.add(
    "GET",
    f"{_ROUTES}/{{route_id}}",
    get_route,
    sdk="workers.routes.get",
    reply="workers.RouteGetResponse",
)
router.add(
    "PUT",
    f"{_ROUTES}/{{route_id}}",
    put_route,
    sdk="workers.routes.update",
    request="workers.RouteUpdateParams",
    reply="workers.RouteUpdateResponse",
)
router.add(
    "DELETE",
    f"{_ROUTES}/{{route_id}}",
    delete_route,
    sdk="workers.routes.delete",
    reply="workers.RouteDeleteResponse",
)
router.add("PUT", "A/workers/scripts/{script_name}/routes", replace_script_routes)
