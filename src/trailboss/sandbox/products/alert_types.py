"""The catalogue of alerts: every `alert_type` by product, and the filters of those the platform's users set.

Source: the `alert_type` of the official SDK, and Cloudflare's page of available notifications, which adds
the two Workers alerts. What a filter may hold is known only where `values` says so.
https://developers.cloudflare.com/notifications/notification-available/
"""

from __future__ import annotations

from typing import Any

CATALOGUE: dict[str, str] = {
    "Access": "access_custom_certificate_expiration_type expiring_service_token_alert",
    "Abuse": """abuse_report_alert block_notification_block_removed block_notification_new_block
        block_notification_review_rejected""",
    "Billing": "billing_usage_alert",
    "Bots": "bot_traffic_basic_alert custom_bot_detection_alert",
    "Brand Protection": "brand_protection_alert brand_protection_digest logo_match_alert",
    "Cloudforce One": "cloudforce_one_request_notification",
    "Cloudflare Tunnel": "tunnel_health_event tunnel_update_event",
    "Custom Analytics": "custom_analytics",
    "DDoS Protection": """advanced_ddos_attack_l4_alert advanced_ddos_attack_l7_alert dos_attack_l4
        dos_attack_l7""",
    "Firewall": "clickhouse_alert_fw_anomaly clickhouse_alert_fw_ent_anomaly security_insights_alert",
    "Health Checks": "health_check_status_notification",
    "Images": "image_notification image_resizing_notification",
    "Incidents": "incident_alert maintenance_event_notification cni_maintenance_notification",
    "Load Balancing": "load_balancing_health_alert load_balancing_pool_enablement_alert",
    "Logpush": "failing_logpush_job_disabled_alert",
    "Magic Transit": """bgp_hijack_notification fbm_auto_advertisement fbm_dosd_attack fbm_volumetric_attack
        magic_tunnel_health_check_event magic_wan_tunnel_health sentinel_alert""",
    "Origin Monitoring": """advanced_http_alert_error http_alert_edge_error http_alert_origin_error
        real_origin_monitoring""",
    "Page Shield": """scriptmonitor_alert_new_code_change_detections scriptmonitor_alert_new_hosts
        scriptmonitor_alert_new_malicious_hosts scriptmonitor_alert_new_malicious_scripts
        scriptmonitor_alert_new_malicious_url scriptmonitor_alert_new_max_length_resource_url
        scriptmonitor_alert_new_resources""",
    "Pages": "pages_event_alert",
    "Radar": "radar_notification traffic_anomalies_alert",
    "Secondary DNS": """secondary_dns_all_primaries_failing secondary_dns_primaries_failing
        secondary_dns_warning secondary_dns_zone_successfully_updated
        secondary_dns_zone_validation_warning""",
    "SSL/TLS": """custom_ssl_certificate_event_type dedicated_ssl_certificate_event_type
        hostname_aop_custom_certificate_expiration_type mtls_certificate_store_certificate_expiration_type
        universal_ssl_event_type zone_aop_custom_certificate_expiration_type""",
    "Stream": "stream_live_notifications",
    "Synthetic Tests": "synthetic_test_latency_alert synthetic_test_low_availability_alert",
    "Web Analytics": "web_analytics_metrics_update",
    "Workers": "workers_alert workers_observability_alert",
    "Zero Trust": "device_connectivity_anomaly_alert",
}
"""Product -> its alert types."""

_HEALTH = ("Healthy", "Unhealthy")
_ENABLED = ("true", "false")
_TUNNEL = tuple(f"TUNNEL_STATUS_TYPE_{state}" for state in ("HEALTHY", "DEGRADED", "DOWN", "INACTIVE"))

FILTERS: dict[str, dict[str, tuple[str, ...]]] = {
    "billing_usage_alert": {"product": (), "limit": ()},
    "health_check_status_notification": {"health_check_id": (), "status": _HEALTH},
    "http_alert_edge_error": {"zones": (), "slo": ()},
    "http_alert_origin_error": {"zones": (), "slo": ()},
    "incident_alert": {"incident_impact": (), "affected_components": ()},
    "load_balancing_health_alert": {
        "pool_id": (),
        "new_health": _HEALTH,
        "event_source": ("pool", "origin"),
    },
    "load_balancing_pool_enablement_alert": {"pool_id": (), "enabled": _ENABLED},
    "pages_event_alert": {"project_id": (), "environment": (), "event": ()},
    "tunnel_health_event": {"tunnel_id": (), "new_status": _TUNNEL},
    "tunnel_update_event": {"tunnel_id": ()},
    "workers_alert": {"services": ()},
}
"""Alert type -> its filters -> what they may hold; () is anything."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "billing_usage_alert": ("product", "limit"),
    "health_check_status_notification": ("health_check_id",),
    "http_alert_edge_error": ("zones", "slo"),
    "http_alert_origin_error": ("zones", "slo"),
}
"""Alert type -> the filters without which a policy is refused."""

TYPES = frozenset(" ".join(CATALOGUE.values()).split())


def available() -> dict[str, list[dict[str, Any]]]:
    """The catalogue as `GET /available_alerts` answers it."""
    return {
        product: [_shown(product, name) for name in names.split()] for product, names in CATALOGUE.items()
    }


def _shown(product: str, name: str) -> dict[str, Any]:
    words = name.replace("_", " ")
    return {
        "type": name,
        "display_name": words.capitalize(),
        "description": f"{product}: {words}.",
        "filter_options": [_option(name, key, values) for key, values in FILTERS.get(name, {}).items()],
    }


def _option(name: str, key: str, values: tuple[str, ...]) -> dict[str, Any]:
    return {
        "Key": key,
        "ComparisonOperator": "==",
        "Range": "1-n",
        "Optional": key not in REQUIRED.get(name, ()),
        "AvailableValues": [{"ID": value, "Description": value} for value in values] or None,
    }


def missing_filters(name: str, filters: dict[str, Any]) -> list[str]:
    """The filters a policy of this alert type lacks."""
    return [key for key in REQUIRED.get(name, ()) if not filters.get(key)]


def wrong_value(name: str, filters: dict[str, Any]) -> str:
    """A filter's value that its alert type does not have; "" when there is none."""
    for key, values in FILTERS.get(name, {}).items():
        for value in filters.get(key) or []:
            if values and value not in values:
                return f"{key}={value}"
    return ""
