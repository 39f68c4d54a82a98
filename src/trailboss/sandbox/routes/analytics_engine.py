"""The Analytics Engine: points that Workers write, and the SQL API over them.

Faithful: the path, raw SQL in, the columns, `SHOW TABLES`, a dataset that exists from its first point on, the
three formats, errors in plain text. Simplified: nothing is sampled (`_sample_interval` is 1), points are
there at once, and the dialect is SQLite's with some of ClickHouse's functions (`products/data_points.py`).
https://developers.cloudflare.com/analytics/analytics-engine/sql-api/
"""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import unquote

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Raw, encode_json
from trailboss.sandbox.products import data_points
from trailboss.sandbox.routes import Router

_FORMAT = re.compile(r"\s+FORMAT\s+(JSON|JSONEachRow|TabSeparated)\s*;?\s*$", re.IGNORECASE)
_SHOW = re.compile(r"\s*show\s+tables\s*;?\s*", re.IGNORECASE)


async def write_point(call: Call, rest: str) -> dict[str, Any]:
    """A Worker wrote {indexes, blobs, doubles} to the dataset `rest`."""
    data_points.write(call.store, unquote(rest.strip("/")), await call.object(), call.clock.now())
    return {}


async def query(call: Call) -> Raw:
    """One statement, in the body or in `query`."""
    text = call.query("query") or (await call.body()).decode(errors="replace")
    wanted = _FORMAT.search(text)
    sql = text[: wanted.start()] if wanted else text
    names = data_points.datasets(call.store)
    if _SHOW.fullmatch(sql):
        return _answer(["dataset", "type"], [(name, "regular") for name in names], "json")
    now = call.clock.now()
    try:
        found = await asyncio.to_thread(data_points.query, call.box.folder.database, names, sql, now)
    except data_points.Refused as error:
        return Raw(str(error).encode(), 422, content_type="text/plain")
    return _answer(*found, wanted[1].lower() if wanted else "json")


def _answer(columns: list[str], rows: list[tuple[Any, ...]], form: str) -> Raw:
    if form == "tabseparated":
        lines = ["\t".join("\\N" if value is None else str(value) for value in row) for row in rows]
        return Raw("".join(f"{line}\n" for line in lines).encode(), content_type="text/tab-separated-values")
    data = [dict(zip(columns, row, strict=True)) for row in rows]
    if form == "jsoneachrow":
        return Raw(b"".join(encode_json(row) + b"\n" for row in data), content_type="application/x-ndjson")
    meta = [{"name": name, "type": _type(name, [row[at] for row in rows])} for at, name in enumerate(columns)]
    answer = {"meta": meta, "data": data, "rows": len(rows), "rows_before_limit_at_least": len(rows)}
    return Raw(encode_json(answer), content_type="application/json")


def _type(name: str, values: list[Any]) -> str:
    value = next((one for one in values if one is not None), "")
    if isinstance(value, str):
        return "DateTime" if name == "timestamp" else "String"
    if name == "_sample_interval":
        return "UInt32"
    return "Int64" if isinstance(value, int) else "Float64"


router = Router("analytics_engine")
router.schema = data_points.SCHEMA
router.binding("analytics_engine", write_point)
_WHY = "plain SQL, not in the SDK"
router.add("POST", "A/analytics_engine/sql", query, unchecked=_WHY)
router.add("GET", "A/analytics_engine/sql", query, unchecked=_WHY)
