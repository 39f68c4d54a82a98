"""Health checks of a zone: an address asked in intervals, for its own sake. Really asked, as pools are.

Faithful: shapes, defaults, thresholds, suspension, previews. Simplified: one place looks.
https://developers.cloudflare.com/api/resources/healthchecks/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.products.health_probe import FINE, Target, probe
from trailboss.sandbox.products.health_state import HEALTH, judged, resolved
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.envelope import Reply
    from trailboss.sandbox.store import Record, Store

KIND, PREVIEW = "healthcheck", "healthcheck_preview"
TYPES = ("HTTP", "HTTPS", "TCP")
DEFAULTS: Record = {
    "interval": 60,
    "retries": 2,
    "timeout": 5,
    "consecutive_fails": 1,
    "consecutive_successes": 1,
    "description": "",
    "suspended": False,
    "check_regions": None,
}
BOUNDS = {
    "interval": (10, 3600),
    "retries": (0, 5),
    "timeout": (1, 10),
    "consecutive_fails": (1, 10),
    "consecutive_successes": (1, 10),
}
HTTP: Record = {
    "method": "GET",
    "path": "/",
    "expected_codes": ["200"],
    "expected_body": "",
    "header": None,
    "follow_redirects": False,
    "allow_insecure": False,
}
REGIONS = frozenset(
    ("WNAM", "ENAM", "WEU", "EEU", "NSAM", "SSAM", "OC", "ME", "NAF", "SAF", "IN", "SEAS", "NEAS")
) | {"ALL_REGIONS"}


def not_found() -> ApiError:
    """No such health check in the zone."""
    return ApiError(404, 1001, "object not found")


def invalid(what: str) -> ApiError:
    """A health check that cannot be."""
    return ApiError(400, 1002, f"{what}: validation failed")


def not_unique(field: str) -> ApiError:
    """Another health check of the zone has it."""
    return ApiError(400, 1003, f"{field}: value not unique")


def _check_of(call: Call, kind: str = KIND) -> Record:
    found = call.store.get(kind, call["healthcheck_id"])
    if found is None or found["zone"] != call["zone_id"]:
        raise not_found()
    return found


def _built(call: Call, body: Record, present: Record) -> Record:
    kind = str(body.get("type") or "HTTP").upper()
    record: Record = {
        "id": present["id"],
        "name": str(body.get("name") or ""),
        "address": str(body.get("address") or ""),
        "type": kind,
        **DEFAULTS,
        **{name: body[name] for name in DEFAULTS if body.get(name) is not None},
        "created_on": present["created_on"],
        "modified_on": call.clock.iso(),
        "zone": call["zone_id"],
    }
    if kind not in TYPES:
        raise invalid(f"type {kind} is not known")
    if kind == "TCP":
        config = {"method": "connection_established", **(body.get("tcp_config") or {})}
        record["tcp_config"] = {"port": 80, **config}
    else:
        port = 443 if kind == "HTTPS" else 80
        record["http_config"] = {**HTTP, "port": port, **(body.get("http_config") or {})}
    _validate(record)
    return record


def _validate(record: Record) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", record["name"]):
        raise invalid("name may have letters, digits, hyphens and underscores only")
    if not record["address"]:
        raise invalid("address is required")
    for name, (low, high) in BOUNDS.items():
        if not low <= record[name] <= high:
            raise invalid(f"{name} is not in range [{low}, {high}]")
    if not set(record["check_regions"] or []) <= REGIONS:
        raise invalid("check_regions has unknown regions")
    port = (record.get("http_config") or record.get("tcp_config") or {})["port"]
    if not 1 <= port <= 65535:
        raise invalid("port is not in range [1, 65535]")


def _shown(store: Store, record: Record) -> Record:
    state = (store.get(HEALTH, record["id"]) or {}).get("state")
    shape = {name: value for name, value in record.items() if name != "zone"}
    if record["suspended"]:
        return {**shape, "status": "suspended", "failure_reason": ""}
    if state is None:
        return {**shape, "status": "unknown", "failure_reason": ""}
    reason = "" if state["seen"]["failure_reason"] == FINE else state["seen"]["failure_reason"]
    return {**shape, "status": "healthy" if state["healthy"] else "unhealthy", "failure_reason": reason}


def _target(store: Store, record: Record) -> Target:
    http = record.get("http_config") or {}
    return Target(
        kind=record["type"].lower(),
        address=resolved(store, record["address"]),
        port=(http or record["tcp_config"])["port"],
        method=http.get("method") or "GET",
        path=http.get("path") or "/",
        headers={name: values[0] for name, values in (http.get("header") or {}).items() if values},
        codes=tuple(http.get("expected_codes") or ()),
        body=http.get("expected_body") or "",
        timeout=float(record["timeout"]),
        retries=int(record["retries"]),
        redirects=bool(http.get("follow_redirects")),
        insecure=bool(http.get("allow_insecure")),
    )


async def _probe(box: Box, record: Record, kind: str = KIND) -> None:
    if record["suspended"]:
        return
    outcome = await probe(_target(box.store, record))
    before = (box.store.get(HEALTH, record["id"]) or {}).get("state")
    state = judged(before, outcome, record["consecutive_successes"], record["consecutive_fails"])
    if box.store.get(kind, record["id"]) is not None:
        box.store.put(HEALTH, record["id"], {"at": box.clock.now(), "state": state})


def _kept(call: Call, record: Record) -> Record:
    others = call.store.all(KIND, call["zone_id"])
    if any(one["name"] == record["name"] and one["id"] != record["id"] for one in others):
        raise not_unique("name")
    call.store.put(KIND, record["id"], record, parent=call["zone_id"])
    call.clock.touch()  # it may be due
    return _shown(call.store, record)


async def list_checks(call: Call) -> Reply:
    """Of the zone, with the state last seen."""
    found = call.store.all(KIND, call["zone_id"])
    return call.paged([_shown(call.store, one) for one in found], per_page=25)


async def create_check(call: Call) -> Record:
    """A new health check, its state unknown."""
    present = {"id": call.ids.hex(), "created_on": call.clock.iso()}
    return _kept(call, _built(call, await call.object(), present))


async def get_check(call: Call) -> Record:
    """One health check, asked now."""
    record = _check_of(call)
    await _probe(call.box, record)
    return _shown(call.store, record)


async def update_check(call: Call) -> Record:
    """PUT: everything anew."""
    return _kept(call, _built(call, await call.object(), _check_of(call)))


async def edit_check(call: Call) -> Record:
    """PATCH: what is not named stays."""
    present, body = _check_of(call), await call.object()
    for name in ("http_config", "tcp_config"):
        if body.get(name):
            body[name] = {**(present.get(name) or {}), **body[name]}
    return _kept(call, _built(call, {**present, **body}, present))


async def delete_check(call: Call) -> Record:
    """Gone."""
    record = _check_of(call)
    with call.store.transaction():
        call.store.delete(KIND, record["id"])
        call.store.delete(HEALTH, record["id"])
    return {"id": record["id"]}


async def create_preview(call: Call) -> Record:
    """Ask without keeping a health check."""
    record = _built(call, await call.object(), {"id": call.ids.hex(), "created_on": call.clock.iso()})
    call.store.put(PREVIEW, record["id"], record, parent=call["zone_id"])
    await _probe(call.box, record, PREVIEW)
    return _shown(call.store, record)


async def get_preview(call: Call) -> Record:
    """What a preview saw."""
    return _shown(call.store, _check_of(call, PREVIEW))


async def delete_preview(call: Call) -> Record:
    """Forget a preview."""
    record = _check_of(call, PREVIEW)
    call.store.delete(PREVIEW, record["id"])
    return {"id": record["id"]}


async def watch(box: Box) -> None:
    """Ask every address as often as wanted, by the sandbox's clock."""
    while True:
        now, moments = box.clock.now(), []
        for record in box.store.all(KIND):
            if record["suspended"]:
                continue
            seen = box.store.get(HEALTH, record["id"])
            moment = now if seen is None else seen["at"] + record["interval"]
            if moment <= now:
                box.store.put(HEALTH, record["id"], {**(seen or {}), "at": now})
                box.spawn(_probe(box, record), f"health check {record['name']}")
                moment = now + record["interval"]
            moments.append(moment)
        await box.clock.sleep_until(min(moments, default=None))


router = Router("healthchecks")
_ROOT, _TYPE = "Z/healthchecks", "healthchecks.Healthcheck"
_ONE, _PREVIEW, _SDK = f"{_ROOT}/{{healthcheck_id}}", f"{_ROOT}/preview", "healthchecks"
_rows: tuple[tuple[str, str, Any, str, str, str], ...] = (
    ("GET", _ROOT, list_checks, "list", "", _TYPE),
    ("POST", _ROOT, create_check, "create", f"{_TYPE}CreateParams", _TYPE),
    ("GET", _ONE, get_check, "get", "", _TYPE),
    ("PUT", _ONE, update_check, "update", f"{_TYPE}UpdateParams", _TYPE),
    ("PATCH", _ONE, edit_check, "edit", f"{_TYPE}EditParams", _TYPE),
    ("DELETE", _ONE, delete_check, "delete", "", f"{_TYPE}DeleteResponse"),
    ("POST", _PREVIEW, create_preview, "previews.create", "healthchecks.PreviewCreateParams", _TYPE),
    ("GET", f"{_PREVIEW}/{{healthcheck_id}}", get_preview, "previews.get", "", _TYPE),
    (
        "DELETE",
        f"{_PREVIEW}/{{healthcheck_id}}",
        delete_preview,
        "previews.delete",
        "",
        "healthchecks.PreviewDeleteResponse",
    ),
)
for _method, _path, _handler, _name, _request, _reply in _rows:
    router.add(_method, _path, _handler, sdk=f"{_SDK}.{_name}", request=_request, reply=_reply)
router.on_start(watch)
