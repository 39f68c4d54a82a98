"""Phases: who runs where, with which actions, how many rules each plan has.

Source: https://developers.cloudflare.com/ruleset-engine/reference/phases-list/ and the products' own pages.
"""

from __future__ import annotations

from dataclasses import dataclass

MITIGATIONS = ("block", "challenge", "js_challenge", "managed_challenge", "log")
PLANS = ("free", "pro", "business", "enterprise")


@dataclass(frozen=True, slots=True)
class Phase:
    """`actions` by level; `limits` are rules per zone on Free, Pro, Business and Enterprise."""

    zone: tuple[str, ...] = ()
    account: tuple[str, ...] = ()
    limits: tuple[int, int, int, int] = (1000, 1000, 1000, 1000)


_CUSTOM = (*MITIGATIONS, "skip")
_MANAGED = ("execute", "skip", "log")
_MAGIC = ("block", "skip", "log", "execute")
_TRANSFORM = (10, 25, 50, 300)

PHASES: dict[str, Phase] = {
    "ddos_l4": Phase((), ("execute",)),
    "ddos_l7": Phase(("execute",), ("execute",), (10, 10, 10, 10)),
    "http_config_settings": Phase(("set_config",), (), (10, 25, 50, 300)),
    "http_custom_errors": Phase(("serve_error",), ("serve_error",), (0, 25, 50, 300)),
    "http_log_custom_fields": Phase(("log_custom_field",), (), (0, 0, 0, 300)),
    "http_ratelimit": Phase((*MITIGATIONS, "execute"), (*MITIGATIONS, "execute"), (1, 2, 5, 100)),
    "http_request_cache_settings": Phase(("set_cache_settings",), (), (10, 25, 50, 300)),
    "http_request_dynamic_redirect": Phase(("redirect",), (), (10, 25, 50, 300)),
    "http_request_firewall_custom": Phase(
        (*_CUSTOM, "execute", "score"), (*_CUSTOM, "execute"), (5, 20, 100, 1000)
    ),
    "http_request_firewall_managed": Phase(_MANAGED, (*_MANAGED, *MITIGATIONS)),
    "http_request_late_transform": Phase(("rewrite", "execute"), ("execute",), _TRANSFORM),
    "http_request_origin": Phase(("route",), (), (10, 25, 50, 300)),
    "http_request_redirect": Phase((), ("redirect",)),
    "http_request_sanitize": Phase(("execute",), ()),
    "http_request_sbfm": Phase(("execute", "managed_challenge", "block"), ()),
    "http_request_transform": Phase(("rewrite",), (), _TRANSFORM),
    "http_response_cache_settings": Phase(
        ("set_cache_settings", "set_cache_control", "set_cache_tags"), (), (10, 25, 50, 300)
    ),
    "http_response_compression": Phase(("compress_response",), (), (10, 25, 50, 300)),
    "http_response_firewall_managed": Phase(_MANAGED, _MANAGED),
    "http_response_headers_transform": Phase(("rewrite", "execute"), ("execute",), _TRANSFORM),
    "magic_transit": Phase((), _MAGIC),
    "magic_transit_ids_managed": Phase((), ("execute",)),
    "magic_transit_managed": Phase((), ("execute",)),
    "magic_transit_ratelimit": Phase((), _MAGIC),
}

ACTIONS = frozenset(action for phase in PHASES.values() for action in (*phase.zone, *phase.account)) | {
    "ddos_dynamic",
    "force_connection_close",
    "transform_response_html",
}
"""Every action there is; some are only in managed rulesets."""

KINDS = {"zone": ("zone", "custom"), "account": ("root", "custom")}
"""The kinds a ruleset made at a level can have; the first is the entry point's."""

PERIODS = frozenset({10, 15, 20, 30, 40, 45, 60, 90, 120, 180, 240, 300, 480, 600, 900, 1200, 1800})
PERIODS |= {2400, 3600, 65535, 86400}
"""Seconds a rate limit may count or last."""
LONGEST_PERIOD = {"free": 10, "pro": 60, "business": 600, "enterprise": 65535}
LONGEST_TIMEOUT = {"free": 10, "pro": 3600, "business": 86400, "enterprise": 86400}


def actions_at(phase: str, level: str) -> tuple[str, ...]:
    """What a rule of the phase may do, at "zone" or "account"."""
    found = PHASES[phase]
    return found.zone if level == "zone" else found.account


def most_rules(phase: str, plan: str) -> int:
    """How many rules a phase's entry point may have."""
    return PHASES[phase].limits[PLANS.index(plan)]
