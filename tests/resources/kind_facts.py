"""What pages about kinds say that the code cannot: Cloudflare's names, and where names differ and why."""

from __future__ import annotations

from trailboss.resources.ruleset_limits import GROUPS

CLOUDFLARE = {
    "kv_namespace": ("KV namespaces", "Workers KV", "kv"),
    "d1_database": ("D1 databases", "D1", "d1"),
    "d1_migrations": ("D1 migrations", "D1: migrations", "d1/reference/migrations"),
    "r2_bucket": ("R2 buckets", "R2", "r2/buckets"),
    "queue": ("Queues", "Queues", "queues"),
    "vectorize_index": ("Vectorize indexes", "Vectorize", "vectorize"),
    "analytics_engine_dataset": (
        "Analytics Engine datasets",
        "Workers Analytics Engine",
        "analytics/analytics-engine",
    ),
    "dispatch_namespace": (
        "Dispatch namespaces",
        "Workers for Platforms",
        "cloudflare-for-platforms/workers-for-platforms",
    ),
    "flagship_app": ("Flagship apps", "Flagship", "flagship"),
    "ai_search_namespace": ("AI Search namespaces", "AI Search", "ai-search"),
    "agent_memory_namespace": ("Agent Memory namespaces", "Agent Memory", "agents"),
    "cloudflared_tunnel": ("Tunnels", "Cloudflare Tunnel", "cloudflare-one/connections/connect-networks"),
    "tunnel_configuration": (
        "Tunnel configurations",
        "Cloudflare Tunnel: published applications",
        "cloudflare-one/connections/connect-networks/configure-tunnels",
    ),
    "dns_record": ("DNS records", "DNS", "dns/manage-dns-records"),
    "access_service_token": (
        "Access service tokens",
        "Access: service tokens",
        "cloudflare-one/identity/service-tokens",
    ),
    "access_group": ("Access groups", "Access: groups", "cloudflare-one/identity/users/groups"),
    "access_policy": ("Access policies", "Access: policies", "cloudflare-one/policies/access"),
    "access_application": ("Access applications", "Access: applications", "cloudflare-one/applications"),
    "hyperdrive_config": ("Hyperdrive configurations", "Hyperdrive", "hyperdrive"),
    "vectorize_metadata_index": (
        "Vectorize metadata indexes",
        "Vectorize: metadata filtering",
        "vectorize/reference/metadata-filtering",
    ),
    "secrets_store": ("Secrets Store stores", "Secrets Store", "secrets-store"),
    "r2_bucket_lifecycle": ("R2 lifecycle rules", "R2: object lifecycles", "r2/buckets/object-lifecycles"),
    "r2_bucket_cors": ("R2 CORS rules", "R2: CORS", "r2/buckets/cors"),
    "r2_event_notification": (
        "R2 event notifications",
        "R2: event notifications",
        "r2/buckets/event-notifications",
    ),
    "mtls_certificate": ("mTLS certificates", "Workers: mTLS", "workers/runtime-apis/bindings/mtls"),
    "queue_consumer": ("Queue consumers", "Queues: consumers", "queues/configuration"),
    "cron_trigger": ("Cron triggers", "Workers: cron triggers", "workers/configuration/cron-triggers"),
    "custom_domain": (
        "Custom domains",
        "Workers: custom domains",
        "workers/configuration/routing/custom-domains",
    ),
    "worker_route": ("Routes", "Workers: routes", "workers/configuration/routing/routes"),
    "workflow": ("Workflows", "Workflows", "workflows"),
    "ruleset_rule": ("Rules of rulesets", "Ruleset Engine", "ruleset-engine"),
    "load_balancer_monitor": (
        "Load balancing monitors",
        "Load Balancing: monitors",
        "load-balancing/monitors",
    ),
    "load_balancer_pool": ("Load balancing pools", "Load Balancing: pools", "load-balancing/pools"),
    "load_balancer": ("Load balancers", "Load Balancing", "load-balancing/load-balancers"),
    "certificate_pack": (
        "Advanced certificates",
        "SSL/TLS: advanced certificates",
        "ssl/edge-certificates/advanced-certificate-manager",
    ),
    "zone_setting": ("Zone settings", "Zone settings", "fundamentals/manage-domains"),
    "tiered_cache": ("Tiered cache", "Cache: Tiered Cache", "cache/how-to/tiered-cache"),
    "argo_smart_routing": ("Argo smart routing", "Argo Smart Routing", "argo-smart-routing"),
    "mtls_hostname_association": (
        "Hostnames that ask for a client certificate",
        "SSL/TLS: client certificates",
        "ssl/client-certificates",
    ),
    "alerting_webhook": (
        "Notification webhooks",
        "Notifications: webhooks",
        "notifications/get-started/configure-webhooks",
    ),
    "alerting_policy": ("Notification policies", "Notifications", "notifications"),
}
"""Kind -> (what its page is called, Cloudflare's page, the page's path on developers.cloudflare.com)."""

OF_WRANGLER = {
    "analytics_engine_dataset": "`analytics_engine_datasets`",
    "cron_trigger": "`triggers.crons`",
    "custom_domain": "`routes` with `custom_domain = true`",
    "queue_consumer": "`queues.consumers`",
    "worker_route": "`routes` and `route`",
    "workflow": "`workflows`",
}
"""Kind -> the keys of a wrangler config that want one beside a binding."""

OTHER_ROUTE_FILES = {
    "cron_trigger": "Cloudflare's API calls them the schedules of a script: workers_schedules",
    "mtls_hostname_association": "a part of its API of certificate authorities: certificate_authorities",
}
"""Kinds whose route file in the sandbox, named after Cloudflare's API, shares no word with them, and why."""

BY_FIELD = {"ruleset_rule": ("phase", tuple(dict.fromkeys(GROUPS.values())))}
"""Kinds that need another permission group for each value of a field."""

TESTED_IN = {
    **dict.fromkeys(
        (*("dispatch_namespace", "flagship_app", "ai_search_namespace", "agent_memory_namespace"),),
        "tests/resources/test_kinds.py",
    ),
    **dict.fromkeys(
        ("kv_namespace", "r2_bucket", "queue", "vectorize_index"),
        "tests/resources/kinds/test_storage_kinds.py",
    ),
    **dict.fromkeys(
        ("load_balancer_monitor", "load_balancer_pool", "load_balancer"),
        "tests/resources/kinds/test_load_balancing.py",
    ),
    **dict.fromkeys(
        ("certificate_pack", "zone_setting", "tiered_cache", "argo_smart_routing"),
        "tests/resources/kinds/test_zone_kinds.py",
    ),
}
"""Kinds that share a test file with others."""
