"""A webhook for the suites over all kinds. `SECRETS` are the values of its references."""

from trailboss.resources.alerting_webhook import AlertingWebhook

SECRETS = {"${SHOP_HOOK_SECRET}": "s3cret-of-the-hook"}
BARE = AlertingWebhook("shop-chat", "https://hooks.slack.com/services/one", "${SHOP_HOOK_SECRET}")
FULL = AlertingWebhook("shop-chat", "https://hooks.example.com/two", "${SHOP_HOOK_SECRET}")
BEFORE: tuple[tuple[str, object], ...] = ()
