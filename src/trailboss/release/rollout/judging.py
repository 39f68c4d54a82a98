"""The evidence of one Worker: its statistics, the certificate of the step, what the canary has served."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from trailboss.errors import ReleaseError
from trailboss.release.evidence import Certificate, Exact, Verdict, combined, shares, verdict
from trailboss.release.evidence.combine import Limits
from trailboss.release.evidence.wealth import Wealth
from trailboss.release.evidence.windows import NONE
from trailboss.release.gates import make
from trailboss.release.gates.base import Batch, Record, Statistic
from trailboss.release.gates.streams import Stream
from trailboss.release.rollout.mark import Mark, lowered
from trailboss.release.rollout.policy import STATISTICS, Policy, Step

_CERTIFICATE = 6
"""Numbers of a saved certificate: four of wealth, requests, failures."""


@dataclass(frozen=True, slots=True)
class Judge:
    """`window` is the last one taken. `seen` is what the canary served in the whole rollout, probes left
    out; `users` who asked it (digests), `before` how many had before this deployer took over."""

    statistics: tuple[Statistic, ...]
    certificate: Certificate
    window: int | None = None
    seen: Exact = NONE
    users: frozenset[str] = frozenset()
    before: int = 0

    @classmethod
    def start(cls, policy: Policy) -> Self:
        """No evidence yet. Raises ReleaseError TB4302 where sticky labels leave a gate without a unit."""
        made = tuple(make(gate, policy.judgement) for gate in policy.statistics)
        return cls(made, Certificate(policy.judgement.theta_max))

    def after(self, batch: Batch) -> Judge:
        """One window later; itself for a window it knows."""
        if self.window is not None and batch.span.id <= self.window:
            return self
        statistics = tuple(one.after(batch) for one in self.statistics)
        plain = batch.window(lambda record: record.failed)
        keyed = next((one.met for one in statistics if isinstance(one, Stream) and one.met), None)
        asked = {record.user for record in batch.records if record.canary and record.user}
        return replace(
            self,
            statistics=statistics,
            certificate=self.certificate.after(keyed or plain),
            window=batch.span.id,
            seen=self.seen + plain.canary,
            users=self.users | asked,
        )

    def saw(self, records: Sequence[Record]) -> Judge:
        """What the canary still served when it was decided: it counts as met, and proves nothing."""
        mine = [one for one in records if one.canary]
        served = Exact(len(mine), sum(one.failed for one in mine))
        return replace(
            self, seen=self.seen + served, users=self.users | {one.user for one in mine if one.user}
        )

    def next_step(self) -> Judge:
        """For the next step: what was proved of the last says nothing of more load."""
        kept = tuple(one.next_step() if isinstance(one, Stream) else one for one in self.statistics)
        return replace(self, statistics=kept, certificate=Certificate(self.certificate.theta_max))

    @property
    def exposed(self) -> tuple[int, int, int]:
        """Requests the canary served, failed ones, users (those without an address count as none)."""
        return self.seen.requests, self.seen.errors, self.before + len(self.users)

    def saved(self) -> tuple[float, ...]:
        """All of it as numbers for a mark."""
        seen = self.certificate.seen
        found = [*lowered(self.certificate.wealth.log), float(seen.requests), float(seen.errors)]
        for statistic in self.statistics:
            found += statistic.saved()
        return tuple(found)

    @classmethod
    def resumed(cls, policy: Policy, mark: Mark) -> Judge:
        """The judge that saved a mark. Raises ReleaseError TB4303 when it was made under other settings."""
        fresh = cls.start(policy)
        if mark.design != policy.design or len(mark.evidence) != len(fresh.saved()):
            raise ReleaseError(
                "TB4303",
                "the evidence of this rollout was gathered under other gates or other risks than those here",
                hint="Finish it with the settings it began with, or `trailboss release abort`.",
            )
        values = list(mark.evidence)
        log, (requests, errors) = values[: _CERTIFICATE - 2], values[_CERTIFICATE - 2 : _CERTIFICATE]
        certificate = Certificate(
            fresh.certificate.theta_max, Wealth(tuple(log), mark.window), Exact(int(requests), int(errors))
        )
        statistics, at = [], _CERTIFICATE
        for statistic in fresh.statistics:
            size = len(statistic.saved())
            statistics.append(statistic.loaded(values[at : at + size], mark.window))
            at += size
        seen = Exact(mark.seen[0], mark.seen[1])
        return cls(tuple(statistics), certificate, mark.window, seen, before=mark.seen[2])


def weigh(policy: Policy, workers: tuple[str, ...]) -> dict[str, float]:
    """The weight of every gate of every Worker in the one average: fixed before the first window."""
    return shares(
        {f"{worker}/{gate.name}": STATISTICS[gate.kind] for worker in workers for gate in policy.statistics}
    )


def evidence(judges: Mapping[str, Judge], weights: Mapping[str, float]) -> float:
    """log E of the whole rollout; 0 where nothing counts requests."""
    if not weights:
        return 0.0
    found = {
        f"{worker}/{statistic.name}": statistic.log_e
        for worker, judge in judges.items()
        for statistic in judge.statistics
    }
    return combined(found, weights)


def loudest(judges: Mapping[str, Judge], weights: Mapping[str, float]) -> str:
    """The gate that speaks most against the canary: `worker/gate`."""
    ranked = [
        (statistic.log_e + math.log(weights[f"{worker}/{statistic.name}"]), f"{worker}/{statistic.name}")
        for worker, judge in judges.items()
        for statistic in judge.statistics
    ]
    return max(ranked)[1] if ranked else ""


def decide(judge: Judge, policy: Policy, log_e: float, elapsed: float, step: Step) -> Verdict:
    """The verdict for one Worker, `elapsed` seconds into the step, given the evidence of all."""
    risks = policy.judgement
    limits = Limits(risks.alpha, risks.beta, step.bake, step.deadline)
    return verdict(log_e, judge.certificate, elapsed=elapsed, limits=limits)


def figures(judge: Judge) -> dict[str, Any]:
    """Each gate's E and counts, for people."""
    return {
        one.name: {"e": round(math.exp(min(one.log_e, 700.0)), 3), **one.figures()}
        for one in judge.statistics
    }
