"""exceptions: does the new version throw more often? Uncaught only, whatever the visitor saw."""

from __future__ import annotations

from trailboss.release.gates.streams import Stream
from trailboss.release.rollout.policy import Gate, Judgement


def make(gate: Gate, judgement: Judgement) -> Stream:
    """The statistic at its start."""
    return Stream.of(gate, judgement, lambda record: record.raised)
