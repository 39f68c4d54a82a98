"""The settings of a zone, one by one and (deprecated, still answered) all together.

Faithful: names, defaults, which values each takes, `editable` by the zone's plan, development mode that ends
by itself after three hours. Simplified: settings are kept and not enforced.
https://developers.cloudflare.com/api/resources/zones/subresources/settings/
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record

SETTING = "zone_setting"
DEVELOPMENT_SECONDS = 3 * 3600.0
Check = Callable[[Any], bool]
ON_OFF = ("on", "off")
_ON = """automatic_https_rewrites brotli browser_check email_obfuscation http2 http3 ip_geolocation ipv6
opportunistic_encryption opportunistic_onion privacy_pass websockets"""
_OFF = """0rtt always_online always_use_https china_network_enabled content_converter development_mode
early_hints hotlink_protection mirage orange_to_orange origin_error_page_pass_thru pre_render
prefetch_preload redirects_for_ai_training replace_insecure_js response_buffering rocket_loader
search_for_agents server_side_exclude sha1_support sort_query_string_for_cache tls_1_2_only
tls_client_auth true_client_ip_header waf webmcp_enabled webp"""
_BROWSER_TTLS = """0 30 60 120 300 1200 1800 3600 7200 10800 14400 18000 28800 43200 57600 72000 86400 172800
259200 345600 432000 691200 1382400 2073600 2678400 5356800 16070400 31536000"""
_EDGE_TTLS = """30 60 300 1200 1800 3600 7200 10800 14400 18000 28800 43200 57600 72000 86400 172800 259200
345600 432000 518400 604800"""
_CHALLENGE_TTLS = "300 900 1800 2700 3600 7200 10800 14400 28800 57600 86400 604800 2592000 31536000"
_CIPHERS = """ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-RSA-AES128-GCM-SHA256
ECDHE-RSA-CHACHA20-POLY1305 ECDHE-ECDSA-AES128-SHA256 ECDHE-ECDSA-AES128-SHA ECDHE-RSA-AES128-SHA256
ECDHE-RSA-AES128-SHA AES128-GCM-SHA256 AES128-SHA256 AES128-SHA ECDHE-ECDSA-AES256-GCM-SHA384
ECDHE-ECDSA-AES256-SHA384 ECDHE-RSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-SHA384 ECDHE-RSA-AES256-SHA
AES256-GCM-SHA384 AES256-SHA256 AES256-SHA DES-CBC3-SHA AEAD-AES128-GCM-SHA256 AEAD-AES256-GCM-SHA384
AEAD-CHACHA20-POLY1305-SHA256"""
_HSTS = {"enabled": False, "max_age": 0, "include_subdomains": False, "preload": False, "nosniff": False}
_APO = {
    **{"enabled": False, "cf": False, "wordpress": False, "wp_plugin": False},
    **{"hostnames": [], "cache_by_device_type": False},
}
_PAID_NAMES = """h2_prioritization http2 image_resizing max_upload mirage origin_error_page_pass_thru polish
prefetch_preload proxy_read_timeout pseudo_ipv4 response_buffering sort_query_string_for_cache
tls_client_auth true_client_ip_header waf webp"""
_PAID = frozenset(_PAID_NAMES.split())
_NEVER = frozenset({"advanced_ddos"})
SWITCHES = {"ssl_recommender": True, "auto_origin_tls_kex": False}
"""Settings that are `enabled` and have no value, with their defaults."""


def _one_of(*values: Any) -> Check:
    return lambda value: any(value == one and type(value) is type(one) for one in values)


def _numbers(text: str) -> Check:
    return _one_of(*map(int, text.split()))


def _between(low: int, high: int) -> Check:
    return lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
    )


def _object(model: dict[str, Any]) -> Check:
    """Some of the model's fields, of their types."""

    def fits(value: Any) -> bool:
        if not isinstance(value, dict) or not set(value) <= set(model):
            return False
        return all(
            _object(model[name])(given)
            if isinstance(model[name], dict)
            else isinstance(given, bool) == isinstance(model[name], bool)
            and isinstance(given, type(model[name]) if model[name] is not None else str)
            for name, given in value.items()
        )

    return fits


def _cipher_names(value: Any) -> bool:
    return isinstance(value, list) and set(map(str, value)) <= set(_CIPHERS.split())


SETTINGS: dict[str, tuple[Any, Check]] = {
    **dict.fromkeys(_ON.split(), ("on", _one_of(*ON_OFF))),
    **dict.fromkeys(_OFF.split(), ("off", _one_of(*ON_OFF))),
    "advanced_ddos": ("on", _one_of(*ON_OFF)),
    "aegis": ({"enabled": False}, _object({"enabled": False, "pool_id": None})),
    "automatic_platform_optimization": (_APO, _object(_APO)),
    "browser_cache_ttl": (14400, _numbers(_BROWSER_TTLS)),
    "cache_level": ("aggressive", _one_of("aggressive", "basic", "simplified")),
    "challenge_ttl": (1800, _numbers(_CHALLENGE_TTLS)),
    "ciphers": ([], _cipher_names),
    "cname_flattening": ("flatten_at_root", _one_of("flatten_at_root", "flatten_all")),
    "edge_cache_ttl": (7200, _numbers(_EDGE_TTLS)),
    "h2_prioritization": ("off", _one_of("on", "off", "custom")),
    "image_resizing": ("off", _one_of("on", "off", "open")),
    "max_upload": (100, _one_of(*range(100, 525, 25), *range(1000, 5500, 500))),
    "min_tls_version": ("1.0", _one_of("1.0", "1.1", "1.2", "1.3")),
    "nel": ({"enabled": True}, _object({"enabled": True})),
    "origin_h2_max_streams": (200, _between(1, 1000)),
    "origin_max_http_version": ("2", _one_of("1", "2")),
    "polish": ("off", _one_of("off", "lossless", "lossy")),
    "proxy_read_timeout": (100, _between(1, 6000)),
    "pseudo_ipv4": ("off", _one_of("off", "add_header", "overwrite_header")),
    "security_header": (
        {"strict_transport_security": _HSTS},
        _object({"strict_transport_security": _HSTS}),
    ),
    "security_level": (
        "medium",
        _one_of("off", "essentially_off", "low", "medium", "high", "under_attack"),
    ),
    "ssl": ("full", _one_of("off", "flexible", "full", "strict", "origin_pull")),
    "ssl_automatic_mode": ("auto", _one_of("auto", "custom")),
    "tls_1_3": ("on", _one_of("on", "off", "zrt")),
    "transformations": ("off", _one_of("on", "off", "open")),
    "transformations_allowed_origins": ("", lambda value: isinstance(value, str)),
    "webmcp_packs": ("", lambda value: isinstance(value, str)),
}
"""Setting -> its default, and whether a value is one of its."""


def unknown_setting(name: str) -> ApiError:
    """Not a setting of a zone."""
    return ApiError(400, 1006, f"Unrecognized zone setting name: {name}")


def invalid_value(name: str) -> ApiError:
    """Not a value the setting takes."""
    return ApiError(400, 1007, f"Invalid value for zone setting {name}")


def not_editable(name: str) -> ApiError:
    """The plan does not have it."""
    return ApiError(400, 1015, f"Not allowed to edit setting for {name}")


def items_missing() -> ApiError:
    """A change of several without any."""
    return ApiError(400, 1004, "Missing 'items'")


def switched(name: str, value: Any) -> str:
    """The value of a switch.

    Raises:
        ApiError: it is neither on nor off.
    """
    if value not in ON_OFF:
        raise invalid_value(name)
    return str(value)


def plan_of(call: Call) -> str:
    """The plan of the path's zone: free, pro, business or enterprise."""
    zone = call.store.get("zone", call["zone_id"]) or {}
    return str(zone.get("plan", {}).get("legacy_id") or "enterprise")


def kept(call: Call, name: str) -> Record | None:
    """What was set of a setting in the path's zone; None when nothing was."""
    return call.store.get(SETTING, f"{call['zone_id']}/{name}")


def keep(call: Call, name: str, record: Record) -> Record:
    """Set it, now."""
    record = {**record, "modified_on": call.clock.iso()}
    return call.store.put(SETTING, f"{call['zone_id']}/{name}", record, parent=call["zone_id"])


def _editable(call: Call, name: str) -> bool:
    return name not in _NEVER and (name not in _PAID or plan_of(call) != "free")


def _read(call: Call, name: str) -> Record:
    if name in SWITCHES:
        zone = call.store.get("zone", call["zone_id"]) or {}
        switch = {"id": name, "enabled": SWITCHES[name], "modified_on": zone.get("created_on")}
        return kept(call, name) or switch
    if name not in SETTINGS:
        raise unknown_setting(name)
    record = {"id": name, "value": SETTINGS[name][0], "editable": _editable(call, name), "modified_on": None}
    record |= kept(call, name) or {}
    return _timed(call, record) if name == "development_mode" else record


def _timed(call: Call, record: Record) -> Record:
    """Development mode with what is left of it."""
    if record["modified_on"] is None or record["value"] == "off":
        return {**record, "time_remaining": 0}
    since = datetime.fromisoformat(record["modified_on"]).timestamp()
    left = round(since + DEVELOPMENT_SECONDS - call.clock.now())
    return {**record, "value": "on" if left > 0 else "off", "time_remaining": left}


def _write(call: Call, name: str, body: Record) -> Record:
    present = _read(call, name)
    if name in SWITCHES:
        if not isinstance(body.get("enabled"), bool):
            raise invalid_value(name)
        return keep(call, name, {**present, "enabled": body["enabled"]})
    value = body.get("value")
    if value is None or not SETTINGS[name][1](value):
        raise invalid_value(name)
    if not present["editable"] or (name, value, plan_of(call)) == ("security_level", "off", "free"):
        raise not_editable(name)
    if name == "security_header":
        hsts = present["value"]["strict_transport_security"]
        value = {"strict_transport_security": {**hsts, **value.get("strict_transport_security", {})}}
    keep(call, name, {"id": name, "value": value, "editable": True})
    return _read(call, name)


async def list_settings(call: Call) -> list[Record]:
    """All that have a value."""
    return [_read(call, name) for name in sorted(SETTINGS)]


async def get_setting(call: Call) -> Record:
    """One setting."""
    return _read(call, call["setting_id"])


async def edit_setting(call: Call) -> Record:
    """A new value."""
    return _write(call, call["setting_id"], await call.object())


async def edit_settings(call: Call) -> list[Record]:
    """Several at once, given as {items: [{id, value}]}: all or none."""
    items = (await call.object()).get("items")
    if not isinstance(items, list) or not items:
        raise items_missing()
    with call.store.transaction():
        return [_write(call, str(item.get("id")), item) for item in items]


router = Router("zones_settings")
_SET, _WHY, _UNION = "Z/settings", "the SDK has no such method", "a union that misses some settings"
_ONE = f"{_SET}/{{setting_id}}"
router.add("GET", _SET, list_settings, unchecked=_WHY)
router.add("PATCH", _SET, edit_settings, unchecked=_WHY)
router.add("GET", _ONE, get_setting, sdk="zones.settings.get", unchecked=_UNION)
router.add("PATCH", _ONE, edit_setting, sdk="zones.settings.edit", unchecked=_UNION)
