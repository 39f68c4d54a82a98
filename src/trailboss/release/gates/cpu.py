"""cpu: does the new version compute longer? What it costs, and what its limit counts."""

from __future__ import annotations

from trailboss.release.gates.times import Times
from trailboss.release.rollout.policy import Gate, Judgement


def make(gate: Gate, judgement: Judgement) -> Times:
    """The statistic at its start. Raises ReleaseError TB4302 under version affinity without phi."""
    return Times.of(gate, judgement, lambda record: record.cpu)
