"""Permission groups of API tokens by the names the API has, and which of them a path needs: data.

A row of `RULES` is (path below `/accounts/<id>/`, `/zones/<id>/` or the root; the areas any one of which
suffices). The longest path that fits decides. An area's Write group also reads. Sources: the API's own list
of permission groups, https://developers.cloudflare.com/fundamentals/api/reference/permissions/
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from trailboss.sandbox.products.permission_group_ids import KNOWN

ACCOUNT = "com.cloudflare.api.account"
ZONE = "com.cloudflare.api.account.zone"
USER = "com.cloudflare.api.user"
BUCKET = "com.cloudflare.edge.r2.bucket"

AREAS: dict[str, tuple[str, ...]] = {
    ACCOUNT: (
        *("AI Gateway", "AI Search", "Access: Apps and Policies", "Access: Mutual TLS Certificates"),
        *("Access: Organizations, Identity Providers, and Groups", "Access: Service Tokens"),
        *("Account API Tokens", "Account Rulesets", "Account Settings", "Account WAF"),
        *("Account: SSL and Certificates", "Agent Memory", "Billing", "Cloudflare Tunnel", "D1", "Flagship"),
        *("Hyperdrive", "Load Balancing: Monitors and Pools", "Logs", "Notifications", "Pages", "Pipelines"),
        *("Queues", "Secrets Store", "Tag", "Vectorize", "Workers AI", "Workers CI", "Workers Containers"),
        *("Workers KV Storage", "Workers Observability", "Workers R2 Storage", "Workers Scripts"),
        *("Zero Trust",),
    ),
    ZONE: (
        *("Bot Management", "Cache Settings", "Config Settings", "Custom Errors", "DNS"),
        *("Dynamic URL Redirects", "Firewall Services", "HTTP DDoS Managed Ruleset", "Health Checks"),
        *("Load Balancers", "Logs", "Origin", "Page Rules", "Response Compression", "SSL and Certificates"),
        *("Sanitize", "Workers Routes", "Zone", "Zone Settings", "Zone Transform Rules", "Zone WAF"),
    ),
    USER: ("API Tokens", "Memberships", "User Details"),
    BUCKET: ("Workers R2 Storage Bucket Item",),
}
"""Scope -> the areas that have a Read and a Write group."""

SINGLE: dict[str, str] = {
    "Account Analytics Read": ACCOUNT,
    "Workers Observability Telemetry Write": ACCOUNT,
    "Workers Tail Read": ACCOUNT,
    "Flagship Evaluate": ACCOUNT,
    "Analytics Read": ZONE,
    "Cache Purge": ZONE,
}
"""Groups that stand alone -> their scope; as an area they serve reading and writing."""

_PHASES = {
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
"""Phase of a zone's rulesets -> its area."""

RULES: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    ACCOUNT: (
        ("", ("Account Settings",)),
        ("access", ("Access: Apps and Policies", "Zero Trust")),
        ("access/certificates", ("Access: Mutual TLS Certificates",)),
        ("access/groups", ("Access: Organizations, Identity Providers, and Groups",)),
        ("access/organizations", ("Access: Organizations, Identity Providers, and Groups",)),
        ("access/service_tokens", ("Access: Service Tokens",)),
        ("agent-memory", ("Agent Memory",)),
        ("ai", ("Workers AI",)),
        ("ai-gateway", ("AI Gateway",)),
        ("ai-search", ("AI Search",)),
        ("alerting", ("Notifications",)),
        ("analytics_engine", ("Account Analytics Read",)),
        ("billing", ("Billing",)),
        ("cfd_tunnel", ("Cloudflare Tunnel",)),
        ("containers", ("Workers Containers", "Workers Scripts")),
        ("d1", ("D1",)),
        ("event_notifications/r2", ("Workers R2 Storage",)),
        ("event_subscriptions", ("Queues",)),
        ("flagship", ("Flagship",)),
        ("hyperdrive", ("Hyperdrive",)),
        ("infrastructure", ("Zero Trust", "Access: Apps and Policies")),
        ("load_balancers", ("Load Balancing: Monitors and Pools",)),
        ("logs", ("Account Settings",)),
        ("mtls_certificates", ("Account: SSL and Certificates",)),
        ("pages", ("Pages",)),
        ("pipelines", ("Pipelines",)),
        ("queues", ("Queues",)),
        ("r2", ("Workers R2 Storage",)),
        ("rulesets", ("Account Rulesets", "Account WAF")),
        ("secrets_store", ("Secrets Store",)),
        ("storage/kv", ("Workers KV Storage",)),
        ("tags", ("Tag",)),
        ("teamnet", ("Cloudflare Tunnel", "Zero Trust")),
        ("tokens", ("Account API Tokens",)),
        ("triggers", ("Workers Scripts",)),
        ("tunnels", ("Cloudflare Tunnel",)),
        ("vectorize", ("Vectorize",)),
        ("workers", ("Workers Scripts",)),
        ("workers/observability", ("Workers Observability",)),
        ("workers/scripts/*/tails", ("Workers Tail Read",)),
        ("workflows", ("Workers Scripts",)),
        ("zerotrust", ("Zero Trust", "Cloudflare Tunnel")),
    ),
    ZONE: (
        ("", ("Zone",)),
        ("argo", ("Zone Settings",)),
        ("cache", ("Cache Settings", "Zone Settings")),
        ("certificate_authorities", ("SSL and Certificates",)),
        ("client_certificates", ("SSL and Certificates",)),
        ("dns_records", ("DNS",)),
        ("healthchecks", ("Health Checks",)),
        ("load_balancers", ("Load Balancers",)),
        ("origin_tls_client_auth", ("SSL and Certificates",)),
        ("purge_cache", ("Cache Purge",)),
        ("rulesets", tuple(dict.fromkeys(_PHASES.values()))),
        *((f"rulesets/phases/{phase}", (area,)) for phase, area in _PHASES.items()),
        ("settings", ("Zone Settings",)),
        ("ssl", ("SSL and Certificates",)),
        ("tags", ("Tag",)),
        ("tunnels", ("DNS",)),
        ("workers", ("Workers Routes",)),
    ),
    USER: (
        ("memberships", ("Memberships",)),
        ("user", ("User Details",)),
        ("user/tokens", ("API Tokens",)),
        ("zones", ("Zone",)),
        ("graphql", ("Account Analytics Read", "Analytics Read")),
    ),
}
"""Scope of the path -> its rows."""

OPEN = frozenset({"user/tokens/verify", "tokens/verify", "accounts"})
"""What any token may ask: about itself, and which accounts it belongs to."""

ASKING = (
    "ai/run",
    "storage/kv/namespaces/*/bulk/get",
    "vectorize/v2/indexes/*/get_by_ids",
    "vectorize/v2/indexes/*/query",
    "workers/observability/telemetry/*",
)
"""POSTs that change nothing: a Read group suffices."""


def group_id(name: str) -> str:
    """The id of a group: Cloudflare's where it is known, else one that is the same in every sandbox."""
    return KNOWN.get(name) or hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


@cache
def groups() -> tuple[dict[str, Any], ...]:
    """Every group as the API lists them."""
    pairs = [
        (f"{area} {verb}", scope)
        for scope, areas in AREAS.items()
        for area in areas
        for verb in ("Read", "Write")
    ]
    scopes: dict[str, list[str]] = {}
    for name, scope in sorted([*pairs, *SINGLE.items()]):
        scopes.setdefault(name, []).append(scope)
    return tuple({"id": group_id(name), "name": name, "scopes": where} for name, where in scopes.items())


@cache
def group_names() -> dict[str, str]:
    """Id -> name."""
    return {group["id"]: group["name"] for group in groups()}


def needed(scope: str, path: str, method: str) -> frozenset[str]:
    """The groups any one of which lets a call to `path` pass; none: nothing is asked."""
    path = path.strip("/")
    if path in OPEN:
        return frozenset()
    steps = path.split("/")
    fitting = [(rule, areas) for rule, areas in RULES[scope] if _begins(steps, rule)]
    if not fitting:
        return frozenset()
    _, areas = max(fitting, key=lambda row: row[0].count("/") + bool(row[0]))
    reads = method in ("GET", "HEAD") or any(_begins(steps, one) for one in ASKING)
    verbs = ("Read", "Write") if reads else ("Write",)
    return frozenset(
        name
        for area in areas
        for name in ((area,) if area in SINGLE else [f"{area} {verb}" for verb in verbs])
    )


def _begins(steps: list[str], rule: str) -> bool:
    wanted = rule.split("/") if rule else []
    return len(wanted) <= len(steps) and all(
        want in ("*", step) for want, step in zip(wanted, steps, strict=False)
    )
