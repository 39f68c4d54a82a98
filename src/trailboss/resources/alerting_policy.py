"""Policies of notifications: which alert goes to whom. Source: edge reference 13.1.

Names may be given twice, so the tags say which is ours. Which filters an alert type has, the account's own
catalogue says; here only what every policy needs is checked, and likely slips of the pen.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound
from trailboss.resources.marks import (
    IDENTITY,
    MUTABLE,
    NAMED,
    SERVER_SET,
    UNSET,
    Difference,
    Ref,
    Unset,
    differences,
    set_fields,
    to,
)
from trailboss.resources.protocol import Basis, Permissions, Tagged

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

MECHANISMS = ("email", "webhooks", "pagerduty")
ALERTS = (
    *("access_custom_certificate_expiration_type", "advanced_ddos_attack_l4_alert"),
    *("advanced_ddos_attack_l7_alert", "advanced_http_alert_error", "billing_usage_alert"),
    *("bot_traffic_basic_alert", "clickhouse_alert_fw_anomaly", "custom_analytics"),
    *("custom_ssl_certificate_event_type", "dedicated_ssl_certificate_event_type", "dos_attack_l4"),
    *("dos_attack_l7", "expiring_service_token_alert", "failing_logpush_job_disabled_alert"),
    *("health_check_status_notification", "hostname_aop_custom_certificate_expiration_type"),
    *("http_alert_edge_error", "http_alert_origin_error", "incident_alert", "load_balancing_health_alert"),
    *("load_balancing_pool_enablement_alert", "maintenance_event_notification"),
    *("mtls_certificate_store_certificate_expiration_type", "pages_event_alert", "real_origin_monitoring"),
    *("security_insights_alert", "synthetic_test_latency_alert", "synthetic_test_low_availability_alert"),
    *("traffic_anomalies_alert", "tunnel_health_event", "tunnel_update_event", "universal_ssl_event_type"),
    *("workers_alert", "workers_observability_alert", "zone_aop_custom_certificate_expiration_type"),
)
"""Alert types that are often meant; there are others, and new ones come."""
NEEDED = {
    "billing_usage_alert": ("product", "limit"),
    "http_alert_edge_error": ("zones", "slo"),
    "http_alert_origin_error": ("zones", "slo"),
}
"""Alert type -> the filters without which Cloudflare refuses a policy (17103)."""


@dataclass(frozen=True, slots=True)
class AlertingPolicy:
    """What a file may want: `email` as addresses, `webhooks` as keys of alerting_webhook, `pagerduty` as ids
    of linked services; `filters` as names with lists of texts, `alert_interval` like "30m"."""

    name: str = field(metadata=IDENTITY | NAMED)
    alert_type: str = field(metadata=MUTABLE)
    enabled: bool = field(default=True, metadata=MUTABLE)
    email: tuple[str, ...] = field(default=(), metadata=MUTABLE)
    webhooks: tuple[str | Ref, ...] = field(default=(), metadata=MUTABLE | to("alerting_webhook"))
    pagerduty: tuple[str, ...] = field(default=(), metadata=MUTABLE)
    filters: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)
    description: str | Unset = field(default=UNSET, metadata=MUTABLE)
    alert_interval: str | Unset = field(default=UNSET, metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedAlertingPolicy:
    """A policy of the account; whom it reaches in order of their ids."""

    name: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)
    alert_type: str = field(default="", metadata=MUTABLE)
    enabled: bool = field(default=True, metadata=MUTABLE)
    email: tuple[str, ...] = field(default=(), metadata=MUTABLE)
    webhooks: tuple[str, ...] = field(default=(), metadata=MUTABLE)
    pagerduty: tuple[str, ...] = field(default=(), metadata=MUTABLE)
    filters: Mapping[str, Any] = field(default_factory=dict, metadata=MUTABLE)
    description: str = field(default="", metadata=MUTABLE)
    alert_interval: str = field(default="", metadata=MUTABLE)


class AlertingPolicyKind(Basis):
    """The kind `alerting_policy`."""

    name = "alerting_policy"
    spec = AlertingPolicy
    ownership = Tagged("alerting_policy")
    repeats = True
    permissions = Permissions("Notifications Read", "Notifications Write")

    def problems(self, spec: AlertingPolicy) -> Iterable[str]:
        if not any(getattr(spec, name) for name in MECHANISMS):
            yield f"it tells nobody: give {', '.join(MECHANISMS[:-1])} or {MECHANISMS[-1]}"
        for address in spec.email:
            if "@" not in address:
                yield f"'{address}' is no e-mail address"
        near = get_close_matches(spec.alert_type, ALERTS, 1, 0.85)
        if near and spec.alert_type not in ALERTS:
            yield f"alert_type is '{spec.alert_type}'; did you mean {near[0]}?"
        filters = {} if isinstance(spec.filters, Unset) else spec.filters
        for name in NEEDED.get(spec.alert_type, ()):
            if not filters.get(name):
                yield f"{spec.alert_type} needs the filter {name}"
        for name, values in filters.items():
            if not isinstance(values, list | tuple) or not all(isinstance(one, str) for one in values):
                yield f"the filter {name} must be a list of texts"

    def clashes(self, spec: AlertingPolicy, observed: ObservedAlertingPolicy) -> bool:
        return False

    def differs(self, spec: AlertingPolicy, observed: ObservedAlertingPolicy) -> tuple[Difference, ...]:
        return differences(_ordered(spec), observed)

    def to_wire(self, spec: AlertingPolicy) -> dict[str, Any]:
        mechanisms = {
            name: [{"id": one} for one in getattr(_ordered(spec), name)]
            for name in MECHANISMS
            if getattr(spec, name)
        }
        return set_fields(
            name=spec.name,
            alert_type=spec.alert_type,
            enabled=spec.enabled,
            mechanisms=mechanisms,
            filters=spec.filters if spec.filters is UNSET else _filters(spec.filters),
            description=spec.description,
            alert_interval=spec.alert_interval,
        )

    def from_wire(self, data: Mapping[str, Any]) -> ObservedAlertingPolicy:
        mechanisms = data.get("mechanisms") or {}
        told = {
            name: tuple(sorted(str(one["id"]) for one in mechanisms.get(name) or ())) for name in MECHANISMS
        }
        return ObservedAlertingPolicy(
            str(data["name"]),
            str(data["id"]),
            str(data.get("alert_type") or ""),
            bool(data.get("enabled")),
            filters=_filters(data.get("filters")),
            description=str(data.get("description") or ""),
            alert_interval=str(data.get("alert_interval") or ""),
            **told,
        )

    async def list(
        self, cloud: Cloud, like: AlertingPolicy | None = None
    ) -> AsyncIterator[ObservedAlertingPolicy]:
        async for item in cloud.pages(_path(cloud), style="single"):
            yield self.from_wire(item)

    async def create(self, cloud: Cloud, spec: AlertingPolicy) -> ObservedAlertingPolicy:
        made = await cloud.post(_path(cloud), json=self.to_wire(spec))
        return await self._read(cloud, str(made["id"]))

    async def update(
        self, cloud: Cloud, spec: AlertingPolicy, observed: ObservedAlertingPolicy
    ) -> ObservedAlertingPolicy:
        if not self.differs(spec, observed):
            return observed
        kept = {  # a PUT that does not name them would take them away
            name: getattr(observed, name)
            for name in ("filters", "description", "alert_interval")
            if getattr(spec, name) is UNSET and getattr(observed, name)
        }
        body = self.to_wire(replace(spec, **kept))
        await cloud.put(f"{_path(cloud)}/{observed.id}", json=body)
        return await self._read(cloud, observed.id)

    async def _read(self, cloud: Cloud, identifier: str) -> ObservedAlertingPolicy:
        return self.from_wire(await cloud.get(f"{_path(cloud)}/{identifier}"))

    async def delete(self, cloud: Cloud, observed: ObservedAlertingPolicy) -> None:
        with contextlib.suppress(NotFound):
            await cloud.delete(f"{_path(cloud)}/{observed.id}")


def _ordered(spec: AlertingPolicy) -> AlertingPolicy:
    """The spec with whom it reaches in order, for Cloudflare promises none; references stay behind."""
    told: dict[str, Any] = {name: tuple(sorted(getattr(spec, name), key=str)) for name in MECHANISMS}
    filters = spec.filters if spec.filters is UNSET else _filters(spec.filters)
    return replace(spec, filters=filters, **told)


def _filters(given: Any) -> dict[str, Any]:
    """Filters as lists in order; empty ones are none."""
    return {name: sorted(values) for name, values in (given or {}).items() if values}


def _path(cloud: Cloud) -> str:
    return f"{cloud.account}/alerting/v3/policies"


KIND = AlertingPolicyKind()
