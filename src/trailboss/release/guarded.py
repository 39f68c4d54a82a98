"""What a guard is asked, and what it may report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from trailboss.release.burn import DEFAULT, BurnWindow
from trailboss.release.rollout.clock import Clock
from trailboss.release.rollout.policy import Policy

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


class Alarm(StrEnum):
    """What a guard may report."""

    QUIET = "quiet"
    BURNING = "burning"
    TRIED = "tried"
    ROLLED_BACK = "rolled-back"
    NOT_THE_RELEASE = "not-the-release"
    CANNOT = "cannot"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Guarded:
    """One thing that happened: `speed` is how many times faster than allowed the budget burns."""

    worker: str
    alarm: Alarm
    text: str
    at: float
    speed: float | None = None
    requests: int | None = None
    failed: int | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """`objective`: the share of requests that may not fail (0.999); `trial` seconds in which blame is
    decided; without `rollback` it only tells."""

    policy: Policy
    objective: float = 0.999
    windows: tuple[BurnWindow, ...] = DEFAULT
    trial: float = 300.0
    rollback: bool = True


@dataclass(frozen=True, slots=True)
class Post:
    """Where one guard stands."""

    cloud: Cloud
    worker: str
    asked: Watch
    tell: Callable[[Guarded], None]
    clock: Clock
