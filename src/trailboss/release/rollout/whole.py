"""A Worker that cannot be split: what its gates can still do. Those that ask others are asked before anything
is written; probes are sent once it is live, and take it back where the platform allows that."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from trailboss.errors import ReleaseError
from trailboss.release.deploy import finish, run
from trailboss.release.evidence import Outcome as Answered
from trailboss.release.gates import ask
from trailboss.release.gates.base import Answer, Asked, Asking
from trailboss.release.model import Share
from trailboss.release.outcomes import Outcome, WorkerReport
from trailboss.release.passing import Go, Pass
from trailboss.release.rollout.addresses import address_of
from trailboss.release.rollout.policy import Gate, Policy, with_smoke
from trailboss.release.rollout.probing import Prober
from trailboss.release.stages import CHANGES
from trailboss.release.traffic import shift
from trailboss.release.triggers import read_record


async def deploy_whole(now: Pass, policy: Policy, environment: str | None, folder: str) -> WorkerReport:
    """Deploy `now` at once, between its gates.

    Raises ReleaseError TB4415 when a gate says no (or nothing) before anything was written."""
    moves = now.upload or now.waiting is not None
    others = [gate for gate in policy.checks if gate.kind != "probe"]
    async with Prober(now.account.target.edge_url) as prober:
        asking = Asking(
            now.account,
            policy,
            (_asked(now, None),),
            0.0,
            "before",
            prober,
            environment=environment,
            folder=folder,
        )
        for gate, answer in await _all(others if moves else [], asking):
            if answer.outcome is not Answered.PASS:
                raise ReleaseError(
                    "TB4415",
                    f'The gate "{gate.name}" says {answer.outcome.value}: {answer.note}.',
                    hint="Nothing was deployed. Mend what it watches, then deploy again.",
                )
        step = await run(CHANGES, now)
        done = finish(step)
        if not moves or not isinstance(step, Go):
            return done
        return await _watch_it(step.now, done, replace(asking, phase="after", share=100.0))


async def _watch_it(now: Pass, done: WorkerReport, asking: Asking) -> WorkerReport:
    record = await read_record(now.account, now.name)
    address = address_of(record, now.settings)
    policy = with_smoke(asking.policy, (address,))
    asking = replace(asking, policy=policy, workers=(_asked(now, address),))
    probes = [gate for gate in policy.checks if gate.kind == "probe"]
    for attempt in range(2):  # the first answer may come from before the change
        answers = await _all(probes, asking)
        bad = [f"{gate.name}: {answer.note}" for gate, answer in answers if answer.outcome is Answered.FAIL]
        if not bad or attempt:
            break
        await asyncio.sleep(min(policy.timing.settle, 5.0))
    return done if not bad else await _take_back(now, done, "; ".join(bad))


async def _take_back(now: Pass, done: WorkerReport, why: str) -> WorkerReport:
    """Back to what was live; where there was nothing, or Cloudflare refuses, it stays and says so."""
    before = done.previous_version_id
    migrates = now.whole is not None and "Durable Object" in now.whole
    if before is None or migrates or now.seen is None:
        reason = "its migration cannot be undone" if migrates else "there is no version before it"
        return replace(done, outcome=Outcome.PARTIAL, why=f"it fails its probes ({why}), and {reason}")
    await shift(
        now.account, now.name, [Share(before, 100)], before=None, message=f"rolled back: {why}", force=True
    )
    return replace(done, outcome=Outcome.ROLLED_BACK, why=why)


async def _all(gates: list[Gate], asking: Asking) -> list[tuple[Gate, Answer]]:
    answers = await asyncio.gather(*(ask(gate, asking) for gate in gates))
    return list(zip(gates, answers, strict=True))


def _asked(now: Pass, address: str | None) -> Asked:
    live = now.seen.current.whole if now.seen and now.seen.current else None
    return Asked(now.name, live or "", now.report.version_id or "", address)
