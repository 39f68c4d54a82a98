"""at-once: probed without traffic, then all of it."""

from __future__ import annotations

from trailboss.errors import UsageError
from trailboss.release.rollout.policy import Step
from trailboss.release.strategies.asked import Asked, Wish


def steps(asked: Asked) -> tuple[Step, ...]:
    """One step to 100 %, watched for `bake` where one is given. Raises UsageError TB9432 for more."""
    if len(asked.steps) > 1 or any(wish.share != 100 for wish in asked.steps):
        raise UsageError(
            "TB9432", "at-once has no steps but 100 %.", hint="Use --strategy canary for a walk of steps."
        )
    wish = asked.steps[0] if asked.steps else Wish(100.0)
    return (asked.step(wish, 0.0),)
