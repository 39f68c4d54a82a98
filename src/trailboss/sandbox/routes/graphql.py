"""The GraphQL analytics API: answers of the right structure, with what the sandbox really counted.

Faithful: the envelope, aliases, `viewer`, the data sets wrangler asks for. Simplified: it is no query engine.
Workers' invocations come from the edge's counters; every other data set is empty.
https://developers.cloudflare.com/analytics/graphql-api/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Raw, encode_json
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record

INVOCATIONS = "workersInvocationsAdaptive"
_FIELD = re.compile(r"(?:(\w+)\s*:\s*)?(\w+(?:Groups|Adaptive|AdaptiveGroups))\s*\(")


async def query(call: Call) -> Raw:
    """One query document."""
    body = await call.object()
    document = str(body.get("query") or "")
    if "{" not in document:
        return _answer(None, [{"message": "query must be a GraphQL document", "path": None}])
    sets: Record = {}
    for alias, name in _FIELD.findall(document):
        rows = await _invocations(call, body) if name == INVOCATIONS else []
        sets[alias or name] = rows
    scope = "zones" if re.search(r"\bzones\s*\(", document) else "accounts"
    return _answer({"viewer": {scope: [sets]}}, None)


def _answer(data: Any, errors: Any) -> Raw:
    return Raw(encode_json({"data": data, "errors": errors}), content_type="application/json")


async def _invocations(call: Call, body: Record) -> list[Record]:
    wanted = _names(body)
    rows = []
    for script, versions in ((await call.runtime.stats()).get("scripts") or {}).items():
        if not wanted or script in wanted:
            requests = sum(one["requests"] for one in versions.values())
            errors = sum(_failed(one["statuses"]) for one in versions.values())
            rows.append(
                {
                    "dimensions": {"scriptName": script, "status": "success", "datetime": call.clock.iso()},
                    "sum": {"requests": requests, "errors": errors, "subrequests": 0, "duration": 0},
                    "quantiles": {"cpuTimeP50": 0, "cpuTimeP99": 0, "durationP50": 0, "durationP99": 0},
                    "count": requests,
                }
            )
    return rows


def _failed(statuses: dict[str, int]) -> int:
    return sum(count for status, count in statuses.items() if int(status) >= 500)


def _names(body: Record) -> set[str]:
    text = f"{body.get('query')} {encode_json(body.get('variables') or {}).decode()}"
    return set(re.findall(r'"?(?:scriptName|scriptname)"?\s*:\s*"([^"]+)"', text))


router = Router("graphql")
router.add("POST", "/graphql", query, unchecked="GraphQL, not in the SDK")
