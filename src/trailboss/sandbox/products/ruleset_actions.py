"""What the parameters of each action may be.

Source: https://developers.cloudflare.com/ruleset-engine/rules-language/actions/ and the products' own pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from trailboss.sandbox.products import expression
from trailboss.sandbox.products.ruleset_phases import PHASES
from trailboss.sandbox.products.ruleset_refusals import (
    bad_expression,
    invalid,
    parameters_required,
    refusal,
    required,
    unknown_field,
)

Record = dict[str, Any]
CONTENT_TYPES = frozenset({"text/html", "text/plain", "application/json", "text/xml"})
PRODUCTS = frozenset({"bic", "hot", "rateLimit", "securityLevel", "uaBlock", "waf", "zoneLockdown"})
REDIRECTS = (301, 302, 303, 307, 308)
LARGEST_RESPONSE, LARGEST_ERROR = 30 * 1024, 10 * 1024
SENSITIVITIES = ("default", "medium", "low", "eoff")
TTL_MODES = ("respect_origin", "bypass_by_default", "override_origin", "bypass")
CACHE = """additional_cacheable_ports browser_ttl cache cache_key cache_reserve edge_ttl origin_cache_control
origin_error_page_passthru origin_range_requests read_timeout respect_strong_etags serve_stale
shared_dictionary strip_etags strip_last_modified strip_set_cookie vary"""
CONFIG = """automatic_https_rewrites autominify bic content_converter disable_apps disable_pay_per_crawl
disable_rum disable_zaraz email_obfuscation fonts hotlink_protection mirage opportunistic_encryption polish
redirects_for_ai_training request_body_buffering response_body_buffering rocket_loader security_level
server_side_excludes ssl sxg webmcp_enabled webmcp_packs"""
FIELDS = "cookie_fields raw_response_fields request_fields response_fields transformed_request_fields"
CONFIG_VALUES: dict[str, tuple[str, ...]] = {
    "polish": ("off", "lossless", "lossy", "webp"),
    "security_level": ("off", "essentially_off", "low", "medium", "high", "under_attack"),
    "ssl": ("off", "flexible", "full", "strict", "origin_pull"),
}


def check_parameters(action: str, given: Any, phase: str, pointer: str) -> None:
    """The action's parameters; `pointer` is their place in the body.

    Raises:
        ApiError: what is missing, unknown or out of range.
    """
    check = CHECKS.get(action)
    if check is None:
        return
    optional = action in {"block", "serve_error"} or (action == "skip" and phase.startswith("magic"))
    if not given:
        if not optional:
            raise parameters_required(action, pointer.rpartition("/")[0])
        return
    if not isinstance(given, dict):
        raise refusal(10026, "invalid JSON: action_parameters must be an object", pointer)
    check(given, phase, pointer)


def _only(given: Record, names: str | Iterable[str], pointer: str) -> None:
    known = set(names.split() if isinstance(names, str) else names)
    for name in given:
        if name not in known:
            raise unknown_field(name, f"{pointer}/{name}")


def _one_of(given: Record, name: str, allowed: Iterable[Any], pointer: str) -> None:
    if name in given and given[name] not in allowed:
        raise invalid(given[name], name, "it is not one of the allowed values", f"{pointer}/{name}")


def _either(given: Any, phase: str, pointer: str) -> None:
    """`{value}` or `{expression}`, one of them."""
    if not isinstance(given, dict) or len({"value", "expression"} & set(given)) != 1:
        raise refusal(20003, "exactly one of value and expression is required", pointer)
    _only(given, "value expression operation", pointer)
    if "expression" in given:
        try:
            expression.check_value(str(given["expression"]), phase)
        except expression.ExpressionError as error:
            place = f"{pointer}/expression"
            raise bad_expression(str(given["expression"]), "expression", error, place) from None


def _block(given: Record, phase: str, pointer: str) -> None:
    _only(given, "response", pointer)
    response, place = given.get("response") or {}, f"{pointer}/response"
    for name in ("status_code", "content", "content_type"):
        if name not in response:
            raise required(name, place)
    if not 400 <= response["status_code"] <= 499:
        raise invalid(response["status_code"], "status_code", "it must be between 400 and 499", place)
    _one_of(response, "content_type", CONTENT_TYPES, place)
    if len(response["content"].encode()) > LARGEST_RESPONSE:
        raise invalid("content", "content", f"it is longer than {LARGEST_RESPONSE} bytes", place)


def _skip(given: Record, phase: str, pointer: str) -> None:
    _only(given, "phase phases products rules ruleset rulesets", pointer)
    _one_of(given, "ruleset", ("current",), pointer)
    _one_of(given, "phase", ("current",), pointer)
    for name, known in (("phases", PHASES), ("products", PRODUCTS)):
        for at, value in enumerate(given.get(name) or []):
            if value not in known:
                raise invalid(value, name, "it is not one of the allowed values", f"{pointer}/{name}/{at}")


def _execute(given: Record, phase: str, pointer: str) -> None:
    _only(given, "id version overrides matched_data", pointer)
    if not given.get("id"):
        raise required("id", pointer)
    overrides, place = given.get("overrides") or {}, f"{pointer}/overrides"
    _only(overrides, "action categories enabled rules sensitivity_level", place)
    _one_of(overrides, "sensitivity_level", SENSITIVITIES, place)
    for kind, name in (("categories", "category"), ("rules", "id")):
        for at, one in enumerate(overrides.get(kind) or []):
            if not one.get(name):
                raise required(name, f"{place}/{kind}/{at}")
            if len(one) == 1:
                raise refusal(20004, "an override must change something", f"{place}/{kind}/{at}")
            _one_of(one, "sensitivity_level", SENSITIVITIES, f"{place}/{kind}/{at}")


def _redirect(given: Record, phase: str, pointer: str) -> None:
    _only(given, "from_list from_value", pointer)
    if phase == "http_request_redirect":
        if not {"name", "key"} <= set(given.get("from_list") or {}):
            raise required("from_list", pointer)
        return
    value, place = given.get("from_value"), f"{pointer}/from_value"
    if not isinstance(value, dict):
        raise required("from_value", pointer)
    _one_of(value, "status_code", REDIRECTS, place)
    _either(value.get("target_url"), phase, f"{place}/target_url")


def _rewrite(given: Record, phase: str, pointer: str) -> None:
    _only(given, "uri headers", pointer)
    wanted = "uri" if phase == "http_request_transform" else "headers"
    if wanted not in given:
        raise required(wanted, pointer)
    if wanted == "uri":
        for part in ("path", "query"):
            if part in given["uri"]:
                _either(given["uri"][part], phase, f"{pointer}/uri/{part}")
        return
    for name, change in given["headers"].items():
        place = f"{pointer}/headers/{name}"
        _one_of(change, "operation", ("set", "add", "remove"), place)
        if change.get("operation") == "remove":
            _only(change, "operation", place)
        else:
            _either(change, phase, place)


def _cache(given: Record, phase: str, pointer: str) -> None:
    _only(given, CACHE, pointer)
    for name in ("edge_ttl", "browser_ttl"):
        ttl, place = given.get(name), f"{pointer}/{name}"
        if ttl is None:
            continue
        _one_of(ttl, "mode", TTL_MODES if name == "browser_ttl" else TTL_MODES[:3], place)
        if ttl.get("mode") == "override_origin" and "default" not in ttl:
            raise required("default", place)
        if ttl.get("mode") != "override_origin" and "default" in ttl:
            raise invalid(ttl["default"], "default", "the mode does not override the origin", place)
        if ttl.get("default", 0) < 0:
            raise invalid(ttl["default"], "default", "it must not be negative", place)


def _config(given: Record, phase: str, pointer: str) -> None:
    _only(given, CONFIG, pointer)
    for name, values in CONFIG_VALUES.items():
        _one_of(given, name, values, pointer)


def _route(given: Record, phase: str, pointer: str) -> None:
    _only(given, "host_header origin sni", pointer)
    origin = given.get("origin") or {}
    _only(origin, "host port", f"{pointer}/origin")
    if "port" in origin and not 1 <= origin["port"] <= 65535:
        raise invalid(origin["port"], "port", "it must be between 1 and 65535", f"{pointer}/origin/port")


def _serve_error(given: Record, phase: str, pointer: str) -> None:
    _only(given, "content asset_name content_type status_code", pointer)
    _one_of(given, "content_type", CONTENT_TYPES, pointer)
    if len(given.get("content", "").encode()) > LARGEST_ERROR:
        raise invalid("content", "content", f"it is longer than {LARGEST_ERROR} bytes", pointer)
    if not 400 <= given.get("status_code", 500) <= 999:
        raise invalid(given["status_code"], "status_code", "it must be between 400 and 999", pointer)


def _compress(given: Record, phase: str, pointer: str) -> None:
    _only(given, "algorithms", pointer)
    if not given.get("algorithms"):
        raise required("algorithms", pointer)


def _log_fields(given: Record, phase: str, pointer: str) -> None:
    _only(given, FIELDS, pointer)


def _score(given: Record, phase: str, pointer: str) -> None:
    _only(given, "increment", pointer)
    if not isinstance(given.get("increment"), int):
        raise required("increment", pointer)


CHECKS: dict[str, Callable[[Record, str, str], None]] = {
    "block": _block,
    "compress_response": _compress,
    "execute": _execute,
    "log_custom_field": _log_fields,
    "redirect": _redirect,
    "rewrite": _rewrite,
    "route": _route,
    "score": _score,
    "serve_error": _serve_error,
    "set_cache_settings": _cache,
    "set_config": _config,
    "skip": _skip,
}
