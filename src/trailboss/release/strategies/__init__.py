"""Strategies by name: each turns what was asked into the steps of a walk, and nothing else.

A strategy is one file with `steps(asked) -> tuple[Step, ...]`: pure, and tested by table.
"""

from __future__ import annotations

from trailboss.release.rollout.policy import Step
from trailboss.release.strategies import at_once, blue_green, canary, edge_first
from trailboss.release.strategies.asked import Asked, Wish

STRATEGIES = {
    "at-once": at_once.steps,
    "canary": canary.steps,
    "blue-green": blue_green.steps,
    "edge-first": edge_first.steps,
}

__all__ = ["STRATEGIES", "Asked", "Step", "Wish", "following"]


def following(steps: tuple[Step, ...], at: int) -> int | None:
    """The index of the step after `at` (-1: nobody has the new version yet); None when it was the last."""
    return at + 1 if at + 1 < len(steps) else None
