"""Alerts on their way out: the webhook's shapes, and who may be called.

The sandbox calls loopback addresses only, whatever a destination says: an emulated account must not page
anybody. Source of the generic payload and the `cf-webhook-auth` header:
https://developers.cloudflare.com/notifications/get-started/configure-webhooks/
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record

SECONDS = 5.0
TEST = (
    "Hello World! This is a test message sent from https://cloudflare.com. If you can see this, your webhook "
    "is configured properly."
)
KINDS = (
    ("hooks.slack.com", "slack"),
    ("discord.com", "discord"),
    ("discordapp.com", "discord"),
    ("chat.googleapis.com", "gchat"),
    ("datadoghq.com", "datadog"),
    ("opsgenie.com", "opsgenie"),
    ("splunkcloud.com", "splunk"),
    ("feishu.cn", "feishu"),
)
"""End of the host name -> type of destination."""


def kind_of(url: str) -> str:
    """What kind of destination a URL is, as Cloudflare tells it by its host."""
    host = urlsplit(url).hostname or ""
    return next((kind for end, kind in KINDS if host == end or host.endswith(f".{end}")), "generic")


def loopback(url: str) -> bool:
    """Whether the URL stays on this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def post(url: str, secret: str, payload: dict[str, Any]) -> int | None:
    """The status the destination answered; None when nobody did, or when it is not on this machine."""
    if not loopback(url):
        return None
    import aiohttp

    parts = urlsplit(url)
    target, headers = url, {"cf-webhook-auth": secret} if secret else {}
    if (parts.hostname or "").endswith(".localhost"):  # a Worker of the sandbox, say: no resolver knows it
        target = parts._replace(netloc=f"127.0.0.1:{parts.port or 80}").geturl()
        headers["host"] = parts.netloc
    limit = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.post(target, json=payload, headers=headers) as answer,
        ):
            return answer.status
    except (aiohttp.ClientError, TimeoutError):
        return None


def payload_of(account: str, policy: Record, event: Record, now: float) -> dict[str, Any]:
    """The body of a generic webhook for one event under one policy."""
    return {
        "name": policy["name"],
        "text": event.get("text") or f"{policy['name']}: {policy['alert_type']}",
        "data": event.get("data") or {},
        "ts": int(now),
        "account_id": account,
        "policy_id": policy["id"],
        "policy_name": policy["name"],
        "alert_type": policy["alert_type"],
        "alert_correlation_id": event["correlation_id"],
        "alert_event": f"ALERT_STATE_EVENT_{event['state']}",
    }


def concerns(policy: Record, event: Record) -> bool:
    """Whether a policy wants an event: enabled, the same type, and every filter holds one of the event's
    values."""
    if not policy["enabled"] or policy["alert_type"] != event["alert_type"]:
        return False
    data = event.get("data") or {}
    filters = policy.get("filters") or {}
    return all(str(data[key]) in wanted for key, wanted in filters.items() if wanted and key in data)
