"""analytics: what Cloudflare's GraphQL analytics say of a version. Sampled, scaled up, minutes late.

For display, and to say beforehand what a rollout may cost. Never evidence: `Estimated` does not fit into a
window (TB4301).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from trailboss.errors import CloudError
from trailboss.release.evidence import Estimated, Traffic

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

LAG = 300.0
QUERY = """query ($account: String!, $script: String!, $from: Time!, $to: Time!) {
  viewer { accounts(filter: {accountTag: $account}) {
    workersInvocationsAdaptive(limit: 10000,
      filter: {scriptName: $script, datetime_geq: $from, datetime_lt: $to}) {
      dimensions { scriptVersion status } sum { requests errors }
      quantiles { cpuTimeP50 cpuTimeP99 wallTimeP50 wallTimeP99 }
} } } }"""


@dataclass(frozen=True, slots=True)
class Estimates:
    """Per version id (empty where the account does not say) what it is estimated to have done in `seconds`;
    `trouble` says why there is nothing."""

    seconds: float
    versions: Mapping[str, Estimated]
    trouble: str = ""

    @property
    def traffic(self) -> Traffic | None:
        """The Worker's traffic, None when there is none to see."""
        requests = sum(one.requests for one in self.versions.values())
        errors = sum(one.errors for one in self.versions.values())
        return Traffic(requests / self.seconds, min(1.0, errors / requests)) if requests else None


async def estimate(cloud: Cloud, worker: str, *, minutes: float = 60.0, now: float) -> Estimates:
    """The last `minutes`, but for the five that are not there yet. Never raises: no answer is no estimate."""
    until = datetime.fromtimestamp(now, UTC) - timedelta(seconds=LAG)
    since = until - timedelta(minutes=minutes)
    try:
        from trailboss.cloud.graphql import graphql

        names = {"account": await cloud.account_id(), "script": worker}
        data = await graphql(cloud, QUERY, {**names, "from": _iso(since), "to": _iso(until)})
        accounts = (data.get("viewer") or {}).get("accounts") or [{}]
        rows = accounts[0].get("workersInvocationsAdaptive") or ()
        return Estimates(minutes * 60, _by_version(rows))
    except (CloudError, KeyError, TypeError, ValueError, AttributeError) as error:
        return Estimates(minutes * 60, {}, str(error) or type(error).__name__)


def _by_version(rows: Any) -> dict[str, Estimated]:
    found: dict[str, Estimated] = {}
    for row in rows:
        version = str((row.get("dimensions") or {}).get("scriptVersion") or "")
        sums = row.get("sum") or {}
        before = found.get(version, Estimated(0, 0))
        found[version] = Estimated(
            before.requests + float(sums.get("requests") or 0), before.errors + float(sums.get("errors") or 0)
        )
    return found


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
