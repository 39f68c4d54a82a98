"""analytics-engine: counts that the Worker, or a Tail Worker beside it, wrote to an Analytics Engine dataset.

One point per request, in the columns

    index1 version id   blob1 outcome   blob2 status   blob3 version key   double1 wall ms   double2 cpu ms

All invocations are there, also those from before this deployer listened, so nothing is lost when it dies.
A busy dataset is sampled (`_sample_interval` above 1): its rows are then a part of the requests, and are
counted as rows, never multiplied. https://developers.cloudflare.com/analytics/analytics-engine/
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from trailboss.errors import CloudError, ConfigError
from trailboss.release.evidence.windows import Span
from trailboss.release.gates.base import Record
from trailboss.release.sources.base import Freshness
from trailboss.release.sources.tail import FINE

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

LAG = 30.0
"""Seconds until points can be queried; they usually can within ten."""
MOST_ROWS = 10_000
_NAME = re.compile(r"[A-Za-z0-9_-]{1,96}")
_COLUMNS = "timestamp, index1, blob1, blob2, blob3, double1, double2, _sample_interval"


class EngineSource:
    """One dataset.

    Raises ConfigError TB1814 for a name that is not one."""

    name = "analytics-engine"

    def __init__(self, cloud: Cloud, dataset: str | None, *, lag: float = LAG) -> None:
        if dataset is None or not _NAME.fullmatch(dataset):
            raise ConfigError(
                "TB1814",
                f'"{dataset or ""}" is not the name of an Analytics Engine dataset',
                hint='Name it: [release] evidence = "analytics-engine", dataset = "requests".',
            )
        self._cloud, self._dataset, self._lag = cloud, dataset, lag
        self._sampled, self._trouble = False, ""

    async def open(self) -> None:
        """Nothing has to be begun."""

    async def aclose(self) -> None:
        """Nothing has to be ended."""

    async def read(self, span: Span, canary: str, stable: str | None = None) -> tuple[Record, ...] | None:
        """The span's rows; None when the dataset cannot be asked, or has more rows than an answer holds."""
        try:
            rows = await self._rows(span)
        except (CloudError, ValueError) as error:
            self._trouble = str(error)
            return None
        if len(rows) >= MOST_ROWS:
            self._trouble = f"{MOST_ROWS} requests or more in a window: set a shorter `window`"
            return None
        self._trouble = ""
        self._sampled = self._sampled or any(int(row.get("_sample_interval") or 1) > 1 for row in rows)
        kept = [row for row in rows if stable is None or row.get("index1") in (canary, stable)]
        if rows and not kept:
            self._trouble = f"none of the {len(rows)} points names one of the two versions in index1"
            return None
        return tuple(_record(row, canary) for row in kept)

    def about(self) -> Freshness:
        """Up to half a minute old."""
        note = f"Analytics Engine dataset {self._dataset}" + (
            ", sampled" if self._sampled else ", every request"
        )
        return Freshness(self._lag, self._sampled, note, self._trouble)

    async def _rows(self, span: Span) -> list[dict[str, Any]]:
        """Points have whole seconds, so a span takes those that begin in it."""
        import msgspec

        # The dataset's name was checked; times are numbers. The API takes no parameters.
        sql = (
            f'SELECT {_COLUMNS} FROM "{self._dataset}" '  # noqa: S608
            f"WHERE timestamp >= toDateTime({int(-(-span.start // 1))}) "
            f"AND timestamp < toDateTime({int(-(-span.end // 1))}) LIMIT {MOST_ROWS} FORMAT JSON"
        )
        path = f"{self._cloud.account}/analytics_engine/sql"
        answer = await self._cloud.raw("POST", path, content=sql.encode(), idempotent=True)
        found: list[dict[str, Any]] = msgspec.json.decode(answer.body)["data"]
        return found


def _record(row: dict[str, Any], canary: str) -> Record:
    outcome, status = str(row.get("blob1") or "ok"), str(row.get("blob2") or "")
    wall, cpu = float(row.get("double1") or 0), float(row.get("double2") or 0)
    return Record(
        at=_moment(str(row["timestamp"])),
        canary=row.get("index1") == canary,
        failed=outcome not in FINE or (status.isdigit() and int(status) >= 500),
        raised=outcome == "exception",
        wall=wall or None,
        cpu=cpu or None,
        key=str(row.get("blob3") or "") or None,
        user=str(row.get("blob3") or "") or None,
    )


def _moment(text: str) -> float:
    parsed = datetime.fromisoformat(text.replace("Z", "+00:00").replace(" ", "T", 1))
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
