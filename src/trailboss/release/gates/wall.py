"""wall: does the new version answer later? Wall time of the invocation, waiting included."""

from __future__ import annotations

from trailboss.release.gates.times import Times
from trailboss.release.rollout.policy import Gate, Judgement


def make(gate: Gate, judgement: Judgement) -> Times:
    """The statistic at its start. Raises ReleaseError TB4302 under version affinity without phi."""
    return Times.of(gate, judgement, lambda record: record.wall)
