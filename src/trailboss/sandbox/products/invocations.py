"""Invocations of Workers by second, version and outcome: what analytics are made of.

The edge counts; this takes what it counted, gives it the sandbox's time, and keeps it. Only what comes by the
edge is seen: neither schedules and queues nor calls from Worker to Worker.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from trailboss.sandbox.refusals import ApiError

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.store import Store

SCHEMA = """
create table if not exists invocations (
  second integer not null, script text not null, version text not null, status text not null,
  requests integer not null, us real not null, buckets text not null
);
create index if not exists invocations_second on invocations (second);
"""
EVERY = 30.0
"""Seconds after which the edge's counts are taken at the latest, so that a crash loses no more."""
PATIENCE = 5.0
"""Seconds to wait for the side-car, so that nothing depends on it."""
KEPT = 31 * 86400
PER_DOUBLING = 8


@dataclass(frozen=True, slots=True)
class Row:
    """`requests` of one second that took `us` microseconds together; `buckets`: how many took 2^(key/8)."""

    second: int
    script: str
    version: str
    status: str
    requests: int
    us: float
    buckets: dict[int, int]


async def collect(box: Box) -> None:
    """Take what the edge has counted so far. It happened by the clock as it is now, so this goes before a
    change of the clock."""
    # The counts of a side-car that is gone are gone with it; one that is being started has none yet.
    with suppress(ApiError, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            status, answer = await box.runtime.call("POST", "invocations/take")
        rows = ((answer or {}).get("rows") or []) if status == 200 else []
        if rows:
            _keep(box, rows)


def _keep(box: Box, rows: list[dict[str, object]]) -> None:
    ahead = box.clock.now() - time.time()
    frozen = box.clock.state()["frozen"]
    with box.store.transaction():
        for row in rows:
            second = int(box.clock.now() if frozen else float(str(row["second"])) + ahead)
            box.store.execute(
                "insert into invocations values (?, ?, ?, ?, ?, ?, ?)",
                (
                    second,
                    row["script"],
                    row["version"],
                    row["outcome"],
                    row["requests"],
                    row["us"],
                    msgspec.json.encode(row["buckets"]).decode(),
                ),
            )
        box.store.execute("delete from invocations where second < ?", (int(box.clock.now()) - KEPT,))


def read(store: Store, since: float, until: float) -> list[Row]:
    """Those from `since` to `until`, both included, in order."""
    found = store.execute(
        "select second, script, version, status, requests, us, buckets from invocations"
        " where second between ? and ? and script not in (select key from records where kind='hidden_script')"
        " order by second, rowid",
        (since, until),
    )
    decode = msgspec.json.Decoder(dict[int, int]).decode
    return [
        Row(second, script, version, status, requests, us, decode(buckets))
        for second, script, version, status, requests, us, buckets in found
    ]


def quantile(buckets: dict[int, int], share: float) -> float:
    """Microseconds that a `share` of the requests stayed below; 0 where there were none."""
    rest = share * sum(buckets.values())
    for bucket in sorted(buckets):
        rest -= buckets[bucket]
        if rest <= 0:
            return round(2 ** (bucket / PER_DOUBLING))
    return 0.0


async def watch(box: Box) -> None:
    """Collect again and again."""
    while True:
        await asyncio.sleep(EVERY)
        await collect(box)
