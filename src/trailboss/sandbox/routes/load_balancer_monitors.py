"""Monitors of load balancing, and groups of them.

Faithful: shapes, defaults, limits, references, previews that really probe. Simplified: one place looks, and
ICMP is answered for by whether the host accepts or refuses a connection.
https://developers.cloudflare.com/api/resources/load_balancers/subresources/monitors/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.products.health_state import GROUP, MONITOR, POOL, probe_all, region_health, watched
from trailboss.sandbox.products.health_state import judged as _judged
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.envelope import Reply
    from trailboss.sandbox.store import Record, Store

PREVIEW = "load_balancer_preview"
WEB = frozenset({"http", "https"})
METHODS = {
    "http": ("GET", "HEAD"),
    "https": ("GET", "HEAD"),
    "tcp": ("connection_established",),
    "udp_icmp": ("",),
    "icmp_ping": ("",),
    "smtp": ("",),
}
"""Type -> its methods, the default first."""
BOUNDS = {
    "interval": (10, 3600),
    "retries": (0, 5),
    "timeout": (1, 10),
    "consecutive_up": (0, 10),
    "consecutive_down": (0, 10),
}
WEB_ONLY = ("path", "expected_codes", "expected_body", "header", "follow_redirects", "allow_insecure")


def not_found() -> ApiError:
    """No such object of load balancing."""
    return ApiError(404, 1001, "object not found")


def invalid(what: str) -> ApiError:
    """An object that cannot be."""
    return ApiError(400, 1002, f"{what}: validation failed")


def not_unique(field: str) -> ApiError:
    """Another object has it."""
    return ApiError(400, 1003, f"{field}: value not unique")


def referenced() -> ApiError:
    """Something still uses it."""
    return ApiError(412, 1005, "This object is referenced by other objects, delete them first.")


def reference(kind: str, record: Record) -> Record:
    """An object that uses the one asked about."""
    name = record.get("name") or record.get("description") or ""
    return {
        "reference_type": "referrer",
        "resource_id": record["id"],
        "resource_name": name,
        "resource_type": kind,
    }


def users_of(store: Store, monitor: str) -> list[Record]:
    """The pools and groups with a monitor."""
    pools = [reference("pool", one) for one in store.all(POOL) if one.get("monitor") == monitor]
    groups = [one for one in store.all(GROUP) if monitor in [item["monitor_id"] for item in one["members"]]]
    return [*pools, *(reference("monitor_group", one) for one in groups)]


def _monitor_of(call: Call) -> Record:
    found = call.store.get(MONITOR, call["monitor_id"])
    if found is None:
        raise not_found()
    return found


def built(call: Call, body: Record, present: Record) -> Record:
    """A monitor with its defaults.

    Raises:
        ApiError: a value that cannot be.
    """
    kind = body.get("type") or "http"
    if kind not in METHODS:
        raise invalid(f"type {kind} is not known")
    record: Record = {
        "id": present["id"],
        "type": kind,
        "description": body.get("description") or "",
        "method": body.get("method") or METHODS[kind][0],
        "timeout": 5,
        "retries": 2,
        "interval": 60,
        "consecutive_up": 0,
        "consecutive_down": 0,
        **{name: body[name] for name in (*BOUNDS, "port", "probe_zone") if body.get(name) is not None},
        "created_on": present["created_on"],
        "modified_on": call.clock.iso(),
    }
    if record["method"] not in METHODS[kind]:
        raise invalid(f"method {record['method']} does not fit type {kind}")
    for name, (low, high) in BOUNDS.items():
        if not low <= record[name] <= high:
            raise invalid(f"{name} is not in range [{low}, {high}]")
    _port(record, kind)
    return {**record, **_web(body)} if kind in WEB else _without_web(record, body)


def _port(record: Record, kind: str) -> None:
    if kind in {"tcp", "udp_icmp", "smtp"} and not record.get("port"):
        raise invalid(f"port is required for type {kind}")
    if not 0 <= record.get("port", 0) <= 65535:
        raise invalid("port is not in range [0, 65535]")


def _web(body: Record) -> Record:
    codes = body.get("expected_codes") or "200"
    if not all(_is_code(code.strip()) for code in codes.split(",")):
        raise invalid(f"expected_codes {codes!r} is not a list of codes")
    path = body.get("path") or "/"
    if not path.startswith("/"):
        raise invalid("path must start with /")
    return {
        "path": path,
        "expected_codes": codes,
        "expected_body": body.get("expected_body") or "",
        "header": body.get("header") or {},
        "follow_redirects": bool(body.get("follow_redirects", False)),
        "allow_insecure": bool(body.get("allow_insecure", False)),
    }


def _is_code(code: str) -> bool:
    return len(code) == 3 and code[0] in "12345" and all(one.isdigit() or one in "xX" for one in code[1:])


def _without_web(record: Record, body: Record) -> Record:
    for name in WEB_ONLY:
        if body.get(name):
            raise invalid(f"{name} is only valid for HTTP and HTTPS monitors")
    return record


async def list_monitors(call: Call) -> Reply:
    """All of them."""
    return call.single(call.store.all(MONITOR))


async def create_monitor(call: Call) -> Record:
    """A new monitor; it asks once a pool has it."""
    record = built(call, await call.object(), {"id": call.ids.hex(), "created_on": call.clock.iso()})
    return call.store.put(MONITOR, record["id"], record)


async def get_monitor(call: Call) -> Record:
    """One monitor."""
    return _monitor_of(call)


async def update_monitor(call: Call) -> Record:
    """PUT: everything anew."""
    return _kept(call, built(call, await call.object(), _monitor_of(call)))


async def edit_monitor(call: Call) -> Record:
    """PATCH: what is not named stays; of another type, what that type does not have goes."""
    present, body = _monitor_of(call), await call.object()
    if body.get("type", present["type"]) != present["type"]:
        dropped = {"method", *(WEB_ONLY if body["type"] not in WEB else ())}
        present = {name: value for name, value in present.items() if name not in dropped}
    return _kept(call, built(call, {**present, **body}, present))


def _kept(call: Call, record: Record) -> Record:
    call.store.put(MONITOR, record["id"], record)
    call.clock.touch()  # it may be due sooner
    return record


async def delete_monitor(call: Call) -> Record:
    """Not while a pool or a group has it."""
    record = _monitor_of(call)
    if users_of(call.store, record["id"]):
        raise referenced()
    call.store.delete(MONITOR, record["id"])
    return {"id": record["id"]}


async def list_references(call: Call) -> Reply:
    """The pools and groups that have it."""
    return call.single(users_of(call.store, _monitor_of(call)["id"]))


async def preview_monitor(call: Call) -> Record:
    """Try changed settings on every pool that has the monitor, without changing anything."""
    present = _monitor_of(call)
    monitor = built(call, {**present, **await call.object()}, present)
    pools = [one for one in call.store.all(POOL) if one.get("monitor") == present["id"]]
    return await previewed(call, monitor, pools)


async def previewed(call: Call, monitor: Record, pools: list[Record]) -> Record:
    """Probe now; what was seen is there under the preview's id."""
    seen: dict[str, Any] = {}
    for pool in pools:
        origins = watched(pool)
        outcomes = await probe_all(call.store, monitor, origins)
        names = [origin["name"] for origin in origins]
        states = {name: _judged(None, outcome, 0, 0) for name, outcome in zip(names, outcomes, strict=True)}
        seen[pool["id"]] = region_health(pool, states)
    identifier = call.ids.hex()
    call.store.put(PREVIEW, identifier, {"id": identifier, "seen": seen})
    return {"preview_id": identifier, "pools": {pool["id"]: pool["name"] for pool in pools}}


async def get_preview(call: Call) -> Any:
    """What a preview saw, by pool."""
    found = call.store.get(PREVIEW, call["preview_id"])
    if found is None:
        raise not_found()
    return found["seen"]


router = Router("load_balancer_monitors")
_ROOT, _ONE = "A/load_balancers/monitors", "A/load_balancers/monitors/{monitor_id}"
_SDK, _TYPES = "load_balancers.monitors", "load_balancers."
_MONITOR = f"{_TYPES}Monitor"
router.add("GET", _ROOT, list_monitors, sdk=f"{_SDK}.list", reply=_MONITOR)
_PARAMS = f"{_TYPES}MonitorCreateParams"
router.add("POST", _ROOT, create_monitor, sdk=f"{_SDK}.create", request=_PARAMS, reply=_MONITOR)
router.add("GET", _ONE, get_monitor, sdk=f"{_SDK}.get", reply=_MONITOR)
_PARAMS = f"{_TYPES}MonitorUpdateParams"
router.add("PUT", _ONE, update_monitor, sdk=f"{_SDK}.update", request=_PARAMS, reply=_MONITOR)
_PARAMS = f"{_TYPES}MonitorEditParams"
router.add("PATCH", _ONE, edit_monitor, sdk=f"{_SDK}.edit", request=_PARAMS, reply=_MONITOR)
router.add("DELETE", _ONE, delete_monitor, sdk=f"{_SDK}.delete", reply=f"{_TYPES}MonitorDeleteResponse")
router.add(
    "GET",
    f"{_ONE}/references",
    list_references,
    sdk=f"{_SDK}.references.get",
    reply=f"{_TYPES}monitors.ReferenceGetResponse",
)
router.add(
    "POST",
    f"{_ONE}/preview",
    preview_monitor,
    sdk=f"{_SDK}.previews.create",
    request=f"{_TYPES}monitors.PreviewCreateParams",
    reply=f"{_TYPES}monitors.PreviewCreateResponse",
)
router.add(
    "GET",
    "A/load_balancers/preview/{preview_id}",
    get_preview,
    sdk="load_balancers.previews.get",
    reply=f"{_TYPES}PreviewGetResponse",
)
