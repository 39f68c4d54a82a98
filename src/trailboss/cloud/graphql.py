"""Cloudflare's GraphQL analytics: its errors arrive as HTTP 200, its limit is counted apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trailboss.errors import CloudError, PermissionDenied, RateLimited, Unavailable

if TYPE_CHECKING:
    from trailboss.cloud.cloud import Cloud

_RIGHTS = re.compile(r"not authorized|does not have access|authz|permission", re.IGNORECASE)
_LIMIT = re.compile(r"rate limit|limit reached|budget (?:depleted|exceeded)|too many", re.IGNORECASE)


async def graphql(cloud: Cloud, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The `data` of a query. Queries only read, so a lost one is repeated.

    Raises:
        PermissionDenied: TB2601. RateLimited: TB2602. Unavailable: TB2604 the answer cannot be read.
        CloudError: TB2603 the query was refused; and what `Cloud.raw` raises.
    """
    import msgspec

    body = {"query": query, "variables": dict(variables or {})}
    answer = await cloud.raw("POST", "/graphql", json=body, idempotent=True, metered=False)
    try:
        reply = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        reply = None
    if not isinstance(reply, dict):
        raise Unavailable("TB2604", "POST /graphql: the answer cannot be read", hint="Try again in a moment.")
    errors = reply.get("errors")
    if errors:
        raise _refusal(errors if isinstance(errors, list) else [errors], answer.headers.get("cf-ray", ""))
    data = reply.get("data")
    return data if isinstance(data, dict) else {}


def _refusal(errors: list[Any], ray: str) -> CloudError:
    told = [error if isinstance(error, dict) else {"message": str(error)} for error in errors]
    text = "; ".join(str(error.get("message", "no message")) for error in told)
    message = f"POST /graphql: {text}"
    if _LIMIT.search(text):
        hint = "GraphQL allows about 320 queries in five minutes, by cost: ask for less, or later."
        return RateLimited("TB2602", message, hint=hint, status=200, errors=told, ray=ray)
    if _RIGHTS.search(text):
        hint = "The token needs 'Account Analytics Read' (a zone: 'Analytics Read'), or the plan lacks it."
        return PermissionDenied("TB2601", message, hint=hint, status=200, errors=told, ray=ray)
    return CloudError("TB2603", message, hint="Check fields and filters.", status=200, errors=told, ray=ray)
