"""What a rollout leaves to be read: the plan before it, and the report after it."""

from __future__ import annotations

from dataclasses import dataclass, field

from trailboss.release.evidence import Plan
from trailboss.release.rollout.afterwards import Rest
from trailboss.release.rollout.engine import Ended
from trailboss.release.rollout.picture import Picture
from trailboss.release.rollout.policy import Policy
from trailboss.release.rollout.scene import Result, Walk


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step: percent, least and most seconds."""

    share: float
    bake: float
    deadline: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is said before it starts. `gates` as "name (kind)"; `exposure` is the price of what may go wrong,
    None where nobody knows the traffic; `traffic` says where those figures come from; `whole` names
    Workers that cannot be split, and why."""

    strategy: str
    steps: tuple[PlannedStep, ...]
    gates: tuple[str, ...]
    source: str
    traffic: str
    exposure: Plan | None
    whole: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RolloutReport:
    """How it went. `result` is None for a dry run, and where nothing had to be rolled out; `healthy` is what
    the probes said of the stable version after a rollback (None: nobody can say); `moves` are the shares it
    had; `picture` the last state; `hint` what to do next; `exit_status` what a command ends with. `rest` are
    the settings and triggers that a resumed rollout wrote at its end."""

    outlook: Outlook
    id: str | None = None
    result: str | None = None
    why: str = ""
    gate: str | None = None
    healthy: bool | None = None
    health: str = ""
    moves: tuple[str, ...] = ()
    seconds: float = 0.0
    picture: Picture | None = None
    hint: str = ""
    exit_status: int = 0
    warnings: tuple[str, ...] = field(default=())
    rest: tuple[Rest, ...] = field(default=())


EXITS = {Result.PROMOTED: 0, Result.ROLLED_BACK: 4, Result.ABORTED: 4, Result.HELD: 1, Result.TAKEN_OVER: 5}


def report(walk: Walk, outlook: Outlook, ended: Ended, seconds: float) -> RolloutReport:
    """The report of a walk that ended."""
    return RolloutReport(
        outlook,
        walk.id,
        ended.result.value,
        ended.why,
        ended.gate,
        ended.healthy,
        ended.health,
        ended.moves,
        round(seconds, 3),
        ended.picture,
        _hint(ended),
        EXITS[ended.result],
    )


def _hint(ended: Ended) -> str:
    if ended.result is Result.HELD:
        return (
            f"The new version keeps {ended.picture.share:g} % of the traffic until you decide: "
            "`trailboss release resume`, `promote` or `abort`."
        )
    if ended.result is Result.ROLLED_BACK and ended.healthy is False:
        return "The old version has all traffic and fails its probes too: the cause may not be this release."
    return ""


def planned(policy: Policy) -> tuple[PlannedStep, ...]:
    """The steps for a report."""
    return tuple(PlannedStep(step.share, step.bake, step.deadline) for step in policy.steps)
