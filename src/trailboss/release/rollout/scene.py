"""What a pass knows, and what a stage may answer."""

from __future__ import annotations

import getpass
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from trailboss.release.evidence import Exact
from trailboss.release.evidence.windows import NONE
from trailboss.release.gates.base import Answer, Asked, Asking
from trailboss.release.model import Deployment
from trailboss.release.rollout.judging import Judge, weigh
from trailboss.release.rollout.mark import Mark, Phase
from trailboss.release.rollout.policy import Policy

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.release.rollout.clock import Clock
    from trailboss.release.rollout.picture import Picture
    from trailboss.release.rollout.probing import Prober
    from trailboss.release.sources.base import Source


class Result(StrEnum):
    """How a walk ends. There is no other way but an exception, and then nothing was moved since."""

    PROMOTED = "promoted"
    ROLLED_BACK = "rolled-back"
    HELD = "held"
    ABORTED = "aborted"
    TAKEN_OVER = "taken-over"


@dataclass(frozen=True, slots=True)
class Continue:
    """On to the next stage."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Nothing to do before `at` (seconds since 1970); the driver waits, then begins a new pass."""

    at: float
    why: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The walk is over."""

    result: Result
    why: str


@dataclass(frozen=True, slots=True)
class Fail:
    """A gate failed: everything goes back."""

    gate: str
    why: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Undecided past the deadline: the split stays, and somebody has to decide."""

    why: str


Verdict = Continue | WaitUntil | Stop | Fail | Hold


@dataclass(frozen=True, slots=True)
class Member:
    """One Worker of a rollout: its two versions (ids), their labels, the artifact's digest, its address."""

    worker: str
    stable: str
    canary: str
    stable_label: str = ""
    canary_label: str = ""
    digest: str = ""
    address: str | None = None

    @property
    def asked(self) -> Asked:
        return Asked(self.worker, self.stable, self.canary, self.address)


@dataclass(frozen=True, slots=True)
class View:
    """What one pass has read: the current deployment and mark of each Worker, and the `state` they
    amount to (the first Worker's, unless one has gone back already)."""

    now: float
    deployments: Mapping[str, Deployment]
    marks: Mapping[str, Mark]
    state: Mark

    @property
    def elapsed(self) -> float:
        return self.now - self.state.since


@dataclass(slots=True)
class Standing:
    """A check's last answer, failures in a row, and when it is asked again."""

    answer: Answer | None = None
    fails: int = 0
    due: float = 0.0


def whoever() -> str:
    """`user@host`, as far as this machine tells."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = "somebody"
    return f"{user}@{socket.gethostname()}"[:48]


@dataclass(slots=True)
class Walk:
    """One deployer's hold on a rollout: what it was asked, what it may use, and the evidence in its hands.
    Everything else is read from the account in each pass."""

    policy: Policy
    cloud: Cloud
    members: tuple[Member, ...]
    clock: Clock
    prober: Prober
    words: str = ""
    environment: str | None = None
    folder: str | None = None
    id: str = field(default_factory=lambda: secrets.token_hex(4))
    owner: str = field(default_factory=lambda: secrets.token_hex(3))
    who: str = field(default_factory=whoever)
    judges: dict[str, Judge] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    checks: dict[str, Standing] = field(default_factory=dict)
    pending: dict[str, Exact] = field(default_factory=dict)
    taken: dict[str, float] = field(default_factory=dict)
    step: int | None = None
    written: float = 0.0
    listed: dict[str, tuple[float, tuple[Deployment, ...]]] = field(default_factory=dict)
    show: Callable[[Picture], None] = lambda _picture: None
    say: Callable[[str], None] = lambda _line: None

    def __post_init__(self) -> None:
        for member in self.members:
            self.judges.setdefault(member.worker, Judge.start(self.policy))
            self.pending.setdefault(member.worker, NONE)
        for gate in self.policy.checks:
            self.checks.setdefault(gate.name, Standing())

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(member.worker for member in self.members)

    @property
    def weights(self) -> dict[str, float]:
        return weigh(self.policy, self.names)

    def member(self, worker: str) -> Member:
        """The member called so."""
        return next(member for member in self.members if member.worker == worker)

    def asking(self, phase: str, share: float) -> Asking:
        """What checks are told."""
        return Asking(
            cloud=self.cloud,
            policy=self.policy,
            workers=tuple(member.asked for member in self.members),
            share=share,
            phase=phase,
            prober=self.prober,
            rollout=self.id,
            environment=self.environment,
            folder=self.folder,
        )


def state_of(marks: Mapping[str, Mark], order: tuple[str, ...]) -> Mark:
    """The state several marks amount to: that of the first Worker, unless any has gone back."""
    back = next((mark for mark in marks.values() if mark.phase in (Phase.ROLLED_BACK, Phase.ABORTED)), None)
    return back or marks[next(name for name in order if name in marks)]
