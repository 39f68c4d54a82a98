"""The Analytics Engine SQL API. Data points a Worker writes are accepted by the runtime and not kept.

Faithful: the path, raw SQL in, `SHOW TABLES`, errors in plain text. Simplified: there is never a data set,
which the real API answers too until the first point has arrived.
https://developers.cloudflare.com/analytics/analytics-engine/sql-api/
"""

from __future__ import annotations

import re

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Raw, encode_json
from trailboss.sandbox.routes import Router


async def query(call: Call) -> Raw:
    """One statement, in the body or in `query`."""
    text = call.query("query") or (await call.body()).decode(errors="replace")
    if re.match(r"\s*show\s+tables\b", text, re.IGNORECASE):
        columns = [{"name": "dataset", "type": "String"}, {"name": "type", "type": "String"}]
        empty = {"meta": columns, "data": [], "rows": 0, "rows_before_limit_at_least": 0}
        return Raw(encode_json(empty), content_type="application/json")
    table = re.search(r"\bfrom\s+[\"`']?([\w-]+)", text, re.IGNORECASE)
    if table is None:
        return Raw(b"unable to parse query", 422, content_type="text/plain")
    return Raw(f"unable to find type of table {table[1]}".encode(), 422, content_type="text/plain")


router = Router("analytics_engine")
_WHY = "plain SQL, not in the SDK"
router.add("POST", "A/analytics_engine/sql", query, unchecked=_WHY)
router.add("GET", "A/analytics_engine/sql", query, unchecked=_WHY)
