"""errors: does the new version fail more often? Failed is an outcome that is not ok, or a status of 500 and
above; a client that went away is no failure."""

from __future__ import annotations

from trailboss.release.gates.streams import Stream
from trailboss.release.rollout.policy import Gate, Judgement


def make(gate: Gate, judgement: Judgement) -> Stream:
    """The statistic at its start."""
    return Stream.of(gate, judgement, lambda record: record.failed)
