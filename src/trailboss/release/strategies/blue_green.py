"""blue-green: the new version beside the old one, then all traffic at once; the old one is kept ready, at
0 %, until the bake time is over."""

from __future__ import annotations

from trailboss.errors import UsageError
from trailboss.release.rollout.policy import Step
from trailboss.release.strategies.asked import Asked, Wish

WATCH = 300.0


def steps(asked: Asked) -> tuple[Step, ...]:
    """One step to 100 %, watched for five minutes unless said otherwise. Raises UsageError TB9433."""
    if len(asked.steps) > 1 or any(wish.share != 100 for wish in asked.steps):
        raise UsageError(
            "TB9433", "blue-green switches once: it has no steps.", hint="Use --bake for how long to watch."
        )
    wish = asked.steps[0] if asked.steps else Wish(100.0)
    return (asked.step(wish, WATCH),)
