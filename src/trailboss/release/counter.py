"""A small Tail Worker that counts every request of a Worker by version, into an Analytics Engine dataset.

The live tail needs nothing and sees almost everything; this sees everything, and what it saw is still there
when the deployer is not. It costs a Tail Worker's requests and Analytics Engine's points, and it becomes
part of the Worker's settings, so it is only installed when somebody says so.
https://developers.cloudflare.com/workers/observability/logs/tail-workers/
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailboss.errors import CloudError
from trailboss.release import paths
from trailboss.release.reading import no_such_worker

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

NAME = "trailboss-counter"
DATASET = "trailboss_requests"
CODE = """export default {
  async tail(events, env) {
    for (const item of events) {
      const headers = item.event?.request?.headers ?? {};
      if (headers["trailboss-probe"] || headers["cloudflare-workers-version-overrides"]) continue;
      const version = item.scriptVersion?.id ?? "";
      const status = String(item.event?.response?.status ?? "");
      const key = headers["cloudflare-workers-version-key"] ?? "";
      env.COUNTS.writeDataPoint({
        indexes: [version],
        blobs: [item.outcome, status, key === "REDACTED" ? "" : key],
        doubles: [item.wallTime ?? 0, item.cpuTime ?? 0],
      });
    }
  },
};
"""


@dataclass(frozen=True, slots=True)
class Counter:
    """Whether `worker` is counted, by which Worker and into which dataset; `changed` is False when it was so
    before."""

    worker: str
    installed: bool
    counter: str
    dataset: str
    changed: bool


async def install(cloud: Cloud, worker: str) -> Counter:
    """Upload the counter and make `worker` report to it, beside whatever it reports to already.

    One PUT, one GET, one PATCH at most; all of them may be repeated. Raises ReleaseError TB4010."""
    consumers = await _consumers(cloud, worker)
    await _upload(cloud)
    if any(one.get("service") == NAME for one in consumers):
        return Counter(worker, True, NAME, DATASET, changed=False)
    await _write(cloud, worker, [*consumers, {"service": NAME}])
    return Counter(worker, True, NAME, DATASET, changed=True)


async def remove(cloud: Cloud, worker: str) -> Counter:
    """Let `worker` report to the counter no longer; the counter stays for the others. Raises ReleaseError
    TB4010."""
    consumers = await _consumers(cloud, worker)
    rest = [one for one in consumers if one.get("service") != NAME]
    if len(rest) < len(consumers):
        await _write(cloud, worker, rest)
    return Counter(worker, False, NAME, DATASET, changed=len(rest) < len(consumers))


async def _consumers(cloud: Cloud, worker: str) -> list[dict[str, Any]]:
    try:
        found = await cloud.get(paths.script(cloud, worker, "script-settings"))
    except CloudError as error:
        if paths.is_missing(error):
            raise no_such_worker(worker) from error
        raise
    return list((found or {}).get("tail_consumers") or ())


async def _write(cloud: Cloud, worker: str, consumers: list[dict[str, Any]]) -> None:
    path = paths.script(cloud, worker, "script-settings")
    await cloud.patch(path, json={"tail_consumers": consumers}, idempotent=True)


async def _upload(cloud: Cloud) -> None:
    from trailboss.cloud import Multipart, Part

    metadata = {
        "main_module": "counter.js",
        "compatibility_date": "2026-08-04",
        "bindings": [{"type": "analytics_engine", "name": "COUNTS", "dataset": DATASET}],
        "annotations": {"workers/message": "Counts requests by version for rollouts"},
    }
    await cloud.put(
        paths.script(cloud, NAME),
        parts=Multipart(
            [
                Part("metadata", json.dumps(metadata, separators=(",", ":"))),
                Part("counter.js", CODE, filename="counter.js", content_type="application/javascript+module"),
            ]
        ),
    )
