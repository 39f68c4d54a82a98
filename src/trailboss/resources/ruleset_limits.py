"""What rules of rulesets may be: which action goes in which phase of a zone, and the numbers of rate limits.

Source: edge reference 3.2 to 3.4, https://developers.cloudflare.com/ruleset-engine/reference/phases-list/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trailboss.resources import expressions

_STOPS = ("block", "challenge", "js_challenge", "managed_challenge", "log")
_MANAGED = ("execute", "skip", "log")
ACTIONS: dict[str, tuple[str, ...]] = {
    "ddos_l7": ("execute",),
    "http_config_settings": ("set_config",),
    "http_custom_errors": ("serve_error",),
    "http_log_custom_fields": ("log_custom_field",),
    "http_ratelimit": (*_STOPS, "execute"),
    "http_request_cache_settings": ("set_cache_settings",),
    "http_request_dynamic_redirect": ("redirect",),
    "http_request_firewall_custom": (*_STOPS, "skip", "execute", "score"),
    "http_request_firewall_managed": _MANAGED,
    "http_request_late_transform": ("rewrite", "execute"),
    "http_request_origin": ("route",),
    "http_request_sanitize": ("execute",),
    "http_request_sbfm": ("execute", "managed_challenge", "block"),
    "http_request_transform": ("rewrite",),
    "http_response_cache_settings": ("set_cache_settings", "set_cache_control", "set_cache_tags"),
    "http_response_compression": ("compress_response",),
    "http_response_firewall_managed": _MANAGED,
    "http_response_headers_transform": ("rewrite", "execute"),
}
"""Phase of a zone -> the actions of its rules."""

GROUPS = {
    "ddos_l7": "HTTP DDoS Managed Ruleset",
    "http_config_settings": "Config Settings",
    "http_custom_errors": "Custom Errors",
    "http_log_custom_fields": "Logs",
    "http_ratelimit": "Zone WAF",
    "http_request_cache_settings": "Cache Settings",
    "http_request_dynamic_redirect": "Dynamic URL Redirects",
    "http_request_firewall_custom": "Zone WAF",
    "http_request_firewall_managed": "Zone WAF",
    "http_request_late_transform": "Zone Transform Rules",
    "http_request_origin": "Origin",
    "http_request_sanitize": "Sanitize",
    "http_request_sbfm": "Bot Management",
    "http_request_transform": "Zone Transform Rules",
    "http_response_cache_settings": "Cache Settings",
    "http_response_compression": "Response Compression",
    "http_response_firewall_managed": "Zone WAF",
    "http_response_headers_transform": "Zone Transform Rules",
}
"""Phase of a zone -> the permission group its rules need, without " Read" or " Write". Source: the groups
that the API accepts for an entry point, and those that each product's own pages name."""

BARE = (*_STOPS, "score", "serve_error")  # actions that need no parameters
COUNTED = "http_ratelimit"
COLO = "cf.colo.id"
_SHORT = (10, 15, 20, 30, 40, 45, 60, 90, 120, 180, 240, 300, 480, 600, 900, 1200, 1800, 2400, 3600)
PERIODS = (*_SHORT, 65_535, 86_400)  # seconds
CONTENT_TYPES = ("text/html", "text/plain", "application/json", "text/xml")
LARGEST_RESPONSE = 30 * 1024  # bytes
LONGEST_DESCRIPTION = 500
LIMIT_KEYS = (
    "characteristics",
    "period",
    "requests_per_period",
    "mitigation_timeout",
    "counting_expression",
    "requests_to_origin",
    "score_per_period",
    "score_response_header_name",
)


def limit_problems(limit: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a `ratelimit`."""
    for name in limit:
        if name not in LIMIT_KEYS:
            yield f"ratelimit has the unknown key '{name}'; it may have {', '.join(LIMIT_KEYS)}"
    for name, allowed in (("period", PERIODS), ("mitigation_timeout", (0, *PERIODS))):
        value = limit.get(name, 0 if name == "mitigation_timeout" else None)
        if value not in allowed:
            listed = ", ".join(map(str, allowed))
            shown = "missing" if value is None else value
            yield f"ratelimit.{name} is {shown}; it may be {listed} (seconds)"
    if not limit.get("requests_per_period") and not limit.get("score_per_period"):
        yield "ratelimit lacks requests_per_period"
    given = limit.get("characteristics")
    if not isinstance(given, list | tuple) or not set(given) - {COLO}:
        yield 'ratelimit lacks characteristics to count by, such as ["ip.src"]'
    elif {"ip.src", "cf.unique_visitor_id"} <= set(given):
        yield "ratelimit counts by ip.src or by cf.unique_visitor_id, not by both"
    wrong = expressions.problem(str(limit.get("counting_expression") or "true"))
    if wrong:
        yield f"ratelimit.counting_expression, {wrong}"


def response_problems(response: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the `response` of a block."""
    for name in ("status_code", "content", "content_type"):
        if name not in response:
            yield f"action_parameters.response lacks {name}"
            return
    status, kind = response["status_code"], response["content_type"]
    if not isinstance(status, int) or not 400 <= status <= 499:
        yield f"a block answers with a status_code from 400 to 499, not {status}"
    if kind not in CONTENT_TYPES:
        yield f"content_type is '{kind}'; it may be {', '.join(CONTENT_TYPES)}"
    size = len(str(response["content"]).encode())
    if size > LARGEST_RESPONSE:
        yield f"the content of the response has {size} bytes; Cloudflare allows {LARGEST_RESPONSE}"
