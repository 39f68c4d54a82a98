"""A policy of notifications for the suites over all kinds; it tells a webhook and a person."""

from trailboss.resources.alerting_policy import AlertingPolicy
from trailboss.resources.alerting_webhook import AlertingWebhook

BARE = AlertingPolicy("shop-down", "tunnel_health_event", email=("ops@example.com",))
FULL = AlertingPolicy(
    "shop-down",
    "tunnel_health_event",
    False,
    ("ops@example.com", "boss@example.com"),
    ("shop-chat",),
    filters={"new_status": ["TUNNEL_STATUS_TYPE_DOWN"]},
    description="the way to the office",
    alert_interval="30m",
)
BEFORE: tuple[tuple[str, object], ...] = (
    ("alerting_webhook", AlertingWebhook("shop-chat", "https://hooks.slack.com/services/one")),
)
