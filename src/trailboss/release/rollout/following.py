"""`release watch`: look at a rollout again and again, until it is over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from trailboss.release.rollout.clock import Clock, Wall
from trailboss.release.rollout.control import find, picture_of
from trailboss.release.rollout.picture import Picture
from trailboss.release.rollout.policy import Policy

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

_OVER = ("promoted", "rolled-back", "aborted")


async def follow(
    cloud: Cloud,
    workers: Sequence[str],
    policy: Policy,
    show: Callable[[Picture], None],
    *,
    every: float = 5.0,
    clock: Clock | None = None,
) -> Picture:
    """Show every change until the rollout is over, or held, or abandoned; the last picture.

    Raises ReleaseError TB4406 when there is none, and CloudError."""
    clock, last = clock or Wall(), None
    while True:
        picture = picture_of(await find(cloud, workers), policy, cloud, clock.now())
        still = replace(picture, elapsed=0.0, left=0.0)
        if still != last:
            show(picture)
            last = still
        if (
            picture.phase in _OVER
            or picture.phase == "held"
            or not (picture.alive or picture.phase == "paused")
        ):
            return picture
        await clock.wait(clock.now() + every)
