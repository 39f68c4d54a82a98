"""canary: a small share first, then more, each step left on proof; 100 % is the end of it."""

from __future__ import annotations

from trailboss.release.rollout.policy import Step
from trailboss.release.strategies.asked import BAKE, Asked, Wish, rising

DEFAULT = (1.0, 10.0, 50.0, 100.0)


def steps(asked: Asked) -> tuple[Step, ...]:
    """1, 10, 50, 100 % unless said otherwise. The last one ends the walk and only bakes when it is told to
    itself. Raises UsageError TB9430, TB9431."""
    wishes = rising(asked.steps or tuple(Wish(share) for share in DEFAULT))
    walked = tuple(asked.step(wish, BAKE) for wish in wishes[:-1])
    last = wishes[-1]
    return (*walked, Asked(deadline=asked.deadline).step(last, 0.0))
