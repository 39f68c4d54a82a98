"""All kinds by name. Adding a kind is adding its file and its line here."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from trailboss.resources.protocol import Kind

NAMES = (
    "kv_namespace",
    "d1_database",
    "d1_migrations",
    "r2_bucket",
    "queue",
    "vectorize_index",
    "analytics_engine_dataset",
    "dispatch_namespace",
    "flagship_app",
    "ai_search_namespace",
    "agent_memory_namespace",
    "cloudflared_tunnel",
    "tunnel_configuration",
    "dns_record",
    "access_service_token",
    "access_group",
    "access_policy",
    "access_application",
    "hyperdrive_config",
    "vectorize_metadata_index",
    "secrets_store",
    "r2_bucket_lifecycle",
    "r2_bucket_cors",
    "r2_event_notification",
    "mtls_certificate",
    "queue_consumer",
    "cron_trigger",
    "custom_domain",
    "worker_route",
    "workflow",
    "ruleset_rule",
    "load_balancer_monitor",
    "load_balancer_pool",
    "load_balancer",
    "certificate_pack",
    "zone_setting",
    "tiered_cache",
    "argo_smart_routing",
    "mtls_hostname_association",
    "alerting_webhook",
    "alerting_policy",
)


@cache
def kind(name: str) -> Kind[Any, Any]:
    """The kind called `name`, loaded now.

    Raises:
        KeyError: there is no such kind.
    """
    if name not in NAMES:
        raise KeyError(name)
    found: Kind[Any, Any] = import_module(f"trailboss.resources.{name}").KIND
    return found


def kinds() -> tuple[Kind[Any, Any], ...]:
    """Every kind, in the order in which a plan lists them."""
    return tuple(kind(name) for name in NAMES)
