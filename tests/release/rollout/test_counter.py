"""The Tail Worker that counts: really deployed, really counting, and good enough to roll back on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.release.rollout.conftest import Stage, policy
from trailboss.cloud import Cloud
from trailboss.errors import ReleaseError
from trailboss.release.counter import DATASET, NAME, install, remove
from trailboss.release.evidence.windows import Span
from trailboss.release.rollout.probing import MARK
from trailboss.release.sources.engine import EngineSource


def test_every_request_is_counted_once(stage: Stage) -> None:
    stage.live()
    desk = stage.desk
    version = desk.deploy().workers[0].version_id or ""
    done = desk.run(lambda cloud: install(cloud, "hello"))
    assert (done.installed, done.changed, done.dataset) == (True, True, DATASET)
    again = desk.run(lambda cloud: install(cloud, "hello"))
    assert not again.changed
    for _ in range(5):
        desk.account.worker("hello")
    desk.account.worker("hello", headers={MARK: "probe"})

    async def main(cloud: Cloud) -> None:
        source, found = EngineSource(cloud, DATASET, lag=0), ()
        for _ in range(200):
            found = await source.read(Span(1.5, 4e9), version) or ()  # type: ignore[assignment]
            if len(found) >= 5:
                break
            await asyncio.sleep(0.05)
        assert len(found) == 5 and not any(record.failed for record in found)  # type: ignore[attr-defined]
        told = await source.read(Span(1.5, 4e9), version, "stable") or ()
        assert len(told) == 5 and all(record.canary for record in told), "the Tail Worker knows the version"

    desk.run(main)
    assert desk.run(lambda cloud: remove(cloud, "hello")).changed
    settings = desk.account.call("GET", f"{desk.account.account}/workers/scripts/hello/script-settings")
    assert not [one for one in settings.get("tail_consumers") or () if one["service"] == NAME]
    with pytest.raises(ReleaseError) as caught:
        desk.run(lambda cloud: install(cloud, "nobody"))
    assert caught.value.code == "TB4010"


COUNTING = """export default { async fetch(request, env) {
  const bad = env.FAILING === "1" && new URL(request.url).pathname !== "/health";
  const blobs = [bad ? "exception" : "ok", bad ? "500" : "200", ""];
  if (request.headers.get("trailboss-probe") === null) {
    env.COUNTS.writeDataPoint({ indexes: [env.VERSION.id], blobs, doubles: [1, 1] });
  }
  return new Response(env.TEXT, { status: bad ? 500 : 200 });
} };"""


def counting(stage: Stage, text: str, **more: Any) -> None:
    stage.write(
        text,
        analytics_engine_datasets=[{"binding": "COUNTS", "dataset": "mine"}],
        version_metadata={"binding": "VERSION"},
        **more,
    )
    (stage.desk.folder / "index.js").write_text(COUNTING)


def test_a_rollout_on_exact_counts(stage: Stage) -> None:
    """A Worker that writes its own points; the deployer listens to nothing."""
    counting(stage, "one")
    stage.desk.deploy()
    counting(stage, "two", vars={"FAILING": "1"})
    chosen: Any = policy(50, 100, source="analytics-engine", dataset="mine")
    chosen = replace(chosen, timing=replace(chosen.timing, window=1.0))
    report, seen = stage.released(chosen)
    assert report.rollout is not None and report.rollout.gate == "hello/errors", report.rollout
    assert report.rollout.picture is not None
    assert "every request" in report.rollout.picture.workers[0].source and seen["failed"]


def test_a_rollout_on_what_the_counter_saw(stage: Stage) -> None:
    """The Worker knows nothing of it: the Tail Worker beside it tells the versions apart."""
    stage.live()
    stage.desk.run(lambda cloud: install(cloud, "hello"))
    stage.write("two", vars={"FAILING": "1"})
    chosen: Any = policy(50, 100, source="analytics-engine", dataset=DATASET)
    chosen = replace(chosen, timing=replace(chosen.timing, window=1.0))
    report, seen = stage.released(chosen)
    assert report.rollout is not None and report.rollout.gate == "hello/errors", report.rollout
    assert report.exit_status == 4 and seen["failed"] and stage.desk.account.worker("hello").text == "one"
