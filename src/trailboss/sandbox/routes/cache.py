"""A zone's cache: purging, smart and regional tiered cache, Cache Reserve, variants.

Faithful: shapes, codes, settings that do not exist before they were set, a clear of Cache Reserve that takes
its time (a minute of the sandbox's clock). Simplified: the edge caches nothing, so there is nothing to purge;
purges are not rate limited.
https://developers.cloudflare.com/api/resources/cache/
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.zones_settings import (
    SETTING,
    invalid_value,
    keep,
    kept,
    not_editable,
    plan_of,
    switched,
)

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record

TOPOLOGY, REGIONAL = "tiered_cache_smart_topology_enable", "tc_regional"
RESERVE, CLEAR, VARIANTS = "cache_reserve", "cache_reserve_clear", "variants"
CLEAR_SECONDS = 60.0
PURGES = ("purge_everything", "files", "tags", "hosts", "prefixes")
MOST = {"files": 500}
MOST_OTHERS = 100
EXTENSIONS = frozenset(["avif", "bmp", "gif", "jpg", "jpeg", "jpg2", "jp2", "png", "tif", "tiff", "webp"])


def never_set(name: str, doing: str = "retrieve", why: str = "") -> ApiError:
    """The setting does not exist in this zone before it was set."""
    message = f"Unable to {doing} {name} setting value. The zone setting does not exist{why}."
    return ApiError(404, 1142, message)


def nothing_to_purge() -> ApiError:
    """A purge that does not say of what."""
    return ApiError(400, 1012, f"Request must contain one of {', '.join(PURGES)}")


def bad_purge(detail: str) -> ApiError:
    """Something that cannot be purged."""
    return ApiError(400, 1016, f"Unable to purge: {detail}")


def reserve_busy(detail: str) -> ApiError:
    """Cache Reserve is on, or being cleared."""
    return ApiError(400, 1147, detail)


def _switch(call: Call, name: str, *, plans: tuple[str, ...] = ()) -> Record:
    editable = not plans or plan_of(call) in plans
    plain = {"id": name, "value": "off", "editable": editable, "modified_on": None}
    return kept(call, name) or plain


async def _turn(call: Call, name: str, present: Record) -> Record:
    value = switched(name, (await call.object()).get("value"))
    if not present["editable"]:
        raise not_editable(name)
    return keep(call, name, {**present, "value": value})


async def purge(call: Call) -> dict[str, str]:
    """Everything, or by address, tag, host or prefix; at most 100 of them (500 addresses)."""
    body = await call.object()
    (what, *more) = [name for name in PURGES if body.get(name)] or [""]
    if not what or more:
        raise nothing_to_purge()
    if what != "purge_everything":
        most = MOST.get(what, MOST_OTHERS)
        if len(body[what]) > most:
            raise bad_purge(f"at most {most} {what} at a time")
        for one in body[what]:
            _check_purge(call, what, one)
    return {"id": call["zone_id"]}


def _check_purge(call: Call, what: str, one: Any) -> None:
    """What is purged is in the zone."""
    address = one.get("url") if isinstance(one, dict) else one
    if not isinstance(address, str) or not address:
        raise bad_purge(f"{one!r} is none of the {what} it may be")
    if what == "files" and urlsplit(address).scheme not in {"http", "https"}:
        raise bad_purge(f"{address} is an invalid URL")
    hosts = {
        "files": lambda: urlsplit(address).hostname or "",
        "hosts": lambda: address,
        "prefixes": lambda: address.partition("/")[0],
    }
    if what in hosts:
        host, zone = hosts[what]().lower(), (call.store.get("zone", call["zone_id"]) or {})["name"]
        if host != zone and not host.endswith(f".{zone}"):
            raise bad_purge(f"{address} is not in the zone {zone}")


async def get_topology(call: Call) -> Record:
    """Smart tiered cache; 404 before it was set."""
    found = kept(call, TOPOLOGY)
    if found is None:
        raise never_set(TOPOLOGY)
    return found


async def set_topology(call: Call) -> Record:
    """On or off."""
    return await _turn(call, TOPOLOGY, _switch(call, TOPOLOGY))


async def delete_topology(call: Call) -> Record:
    """As if it had never been set."""
    return _forget(call, TOPOLOGY)


def _forget(call: Call, name: str) -> Record:
    if kept(call, name) is None:
        raise never_set(name, "delete")
    call.store.delete(SETTING, f"{call['zone_id']}/{name}")
    return {"id": name, "editable": True, "modified_on": call.clock.iso()}


async def get_regional(call: Call) -> Record:
    """Regional tiered cache."""
    return _switch(call, REGIONAL, plans=("enterprise",))


async def edit_regional(call: Call) -> Record:
    """On or off; on Enterprise plans."""
    return await _turn(call, REGIONAL, await get_regional(call))


async def get_reserve(call: Call) -> Record:
    """Cache Reserve."""
    return _switch(call, RESERVE, plans=("pro", "business", "enterprise"))


async def edit_reserve(call: Call) -> Record:
    """On or off; not on while it is being cleared."""
    clearing = kept(call, CLEAR)
    value = (await call.object()).get("value")
    if value == "on" and clearing is not None and _cleared(call, clearing)["state"] != "Completed":
        raise reserve_busy("Cache Reserve cannot be enabled while it is being cleared.")
    return await _turn(call, RESERVE, await get_reserve(call))


def _cleared(call: Call, record: Record) -> Record:
    ends = datetime.fromisoformat(record["start_ts"]).timestamp() + CLEAR_SECONDS
    if call.clock.now() < ends:
        return {**record, "state": "In-progress"}
    return {**record, "state": "Completed", "end_ts": call.clock.iso(ends)}


async def clear_reserve(call: Call) -> Record:
    """Begin to empty it, which must be off."""
    if (await get_reserve(call))["value"] == "on":
        raise reserve_busy("Cache Reserve must be disabled before it can be cleared.")
    record = {"id": CLEAR, "start_ts": call.clock.iso(), "state": "In-progress"}
    return _cleared(call, keep(call, CLEAR, record))


async def get_clear(call: Call) -> Record:
    """How far the last clear is; 404 without any."""
    found = kept(call, CLEAR)
    if found is None:
        raise never_set(CLEAR, why=" because you never performed a Cache Reserve Clear operation")
    return _cleared(call, found)


async def get_variants(call: Call) -> Record:
    """Which other types an image's address may answer with; 404 before it was set."""
    found = kept(call, VARIANTS)
    if found is None:
        raise never_set(VARIANTS)
    return found


async def edit_variants(call: Call) -> Record:
    """File extension -> types."""
    value = (await call.object()).get("value")
    if not isinstance(value, dict) or not set(value) <= EXTENSIONS:
        raise invalid_value(VARIANTS)
    return keep(call, VARIANTS, {"id": VARIANTS, "value": value, "editable": True})


async def delete_variants(call: Call) -> Record:
    """None any more."""
    return _forget(call, VARIANTS)


router = Router("cache")
_rows: tuple[tuple[str, str, Any, str, str], ...] = (
    ("POST", "purge_cache", purge, "purge", "CachePurgeParams CachePurgeResponse"),
    ("POST", "invalidate_cache", purge, "invalidate", "CacheInvalidateParams CacheInvalidateResponse"),
    ("GET", f"cache/{TOPOLOGY}", get_topology, "smart_tiered_cache.get", "SmartTieredCacheGetResponse"),
    (
        "POST",
        f"cache/{TOPOLOGY}",
        set_topology,
        "smart_tiered_cache.create",
        "SmartTieredCacheCreateParams SmartTieredCacheCreateResponse",
    ),
    (
        "PATCH",
        f"cache/{TOPOLOGY}",
        set_topology,
        "smart_tiered_cache.edit",
        "SmartTieredCacheEditParams SmartTieredCacheEditResponse",
    ),
    (
        "DELETE",
        f"cache/{TOPOLOGY}",
        delete_topology,
        "smart_tiered_cache.delete",
        "SmartTieredCacheDeleteResponse",
    ),
    (
        "GET",
        "cache/regional_tiered_cache",
        get_regional,
        "regional_tiered_cache.get",
        "RegionalTieredCacheGetResponse",
    ),
    (
        "PATCH",
        "cache/regional_tiered_cache",
        edit_regional,
        "regional_tiered_cache.edit",
        "RegionalTieredCacheEditParams RegionalTieredCacheEditResponse",
    ),
    ("GET", "cache/cache_reserve", get_reserve, "cache_reserve.get", "CacheReserveGetResponse"),
    (
        "PATCH",
        "cache/cache_reserve",
        edit_reserve,
        "cache_reserve.edit",
        "CacheReserveEditParams CacheReserveEditResponse",
    ),
    ("POST", "cache/cache_reserve_clear", clear_reserve, "cache_reserve.clear", "CacheReserveClearResponse"),
    ("GET", "cache/cache_reserve_clear", get_clear, "cache_reserve.status", "CacheReserveStatusResponse"),
    ("GET", "cache/variants", get_variants, "variants.get", "VariantGetResponse"),
    ("PATCH", "cache/variants", edit_variants, "variants.edit", "VariantEditParams VariantEditResponse"),
    ("DELETE", "cache/variants", delete_variants, "variants.delete", "VariantDeleteResponse"),
)
for _method, _path, _handler, _sdk, _types in _rows:
    _request, _, _reply = (f"cache.{one}" if one else "" for one in _types.rpartition(" "))
    router.add(_method, f"Z/{_path}", _handler, sdk=f"cache.{_sdk}", request=_request, reply=_reply)
