"""Resource tags: which types can carry them, their ETag, and the `tag=` filter language.

Source: the official SDK's `resource_tagging` types, which describe the API in public beta.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping

_ACCOUNT = """
access_application access_group account account_ruleset ai_gateway alerting_policy alerting_webhook
cloudflared_tunnel cws_deployment cws_policy cws_policy_set cws_workload d1_database durable_object_namespace
gateway_list gateway_rule image infrastructure_target kv_namespace load_balancer_monitor load_balancer_pool
pages_project queue r2_bucket resource_share stream_live_input stream_video vectorize_index worker
worker_version
"""
_ZONE = """
access_application_policy api_gateway_operation custom_certificate custom_hostname dns_record healthcheck
load_balancer managed_client_certificate worker_route zone zone_ruleset
"""
ACCOUNT_TYPES = frozenset(_ACCOUNT.split())
ZONE_TYPES = frozenset(_ZONE.split())
KEY_LENGTH, VALUE_LENGTH = 256, 1024
Tags = Mapping[str, str]


def etag(tags: Tags) -> str:
    """`v1:` and the first 128 bits of the SHA-256 of the tags in canonical JSON (RFC 8785)."""
    canonical = json.dumps(dict(tags), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(canonical.encode()).digest()[:16]
    return f"v1:{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def problem(tags: object) -> str | None:
    """Why these cannot be tags; None when they can."""
    if not isinstance(tags, dict):
        return "tags must be an object of strings"
    for key, value in tags.items():
        if not key or len(key) > KEY_LENGTH:
            return f"tag keys must have 1 to {KEY_LENGTH} characters"
        if not isinstance(value, str) or len(value) > VALUE_LENGTH:
            return f"the value of tag {key!r} must be a string of at most {VALUE_LENGTH} characters"
    return None


def satisfies(tags: Tags, condition: str, *, fold: bool) -> bool:
    """One `tag=` condition: `key`, `key=a,b`, `!key`, `key!=value`."""
    if fold:
        tags = {key.casefold(): value.casefold() for key, value in tags.items()}
        condition = condition.casefold()
    if condition.startswith("!"):
        return condition[1:] not in tags
    key, unequal, value = condition.partition("!=")
    if unequal and "=" not in key:
        return tags.get(key) != value
    key, equal, values = condition.partition("=")
    return key in tags and (not equal or tags[key] in values.split(","))
