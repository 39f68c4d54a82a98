"""What a rollout was asked to do, as frozen values: no file format, no clock, no account."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from trailboss.release.evidence.certificate import BETA, THETA_MAX
from trailboss.release.evidence.combine import ALPHA
from trailboss.release.evidence.conditional import MARGIN
from trailboss.release.evidence.guard import CEILING
from trailboss.release.evidence.windows import LENGTH, PROPAGATION

STATISTICS = {
    "errors": "errors",
    "exceptions": "errors",
    "wall": "latency",
    "cpu": "latency",
    "ceiling": "absolute",
}
"""Gates that count requests, and the family each belongs to (evidence/combine.py)."""

CHECKS = ("probe", "command", "webhook", "tunnel", "load-balancer")
"""Gates that ask somebody else."""


@dataclass(frozen=True, slots=True)
class Step:
    """`share` of the traffic in percent for the new version; at least `bake` seconds; undecided after
    `deadline` seconds it is held."""

    share: float
    bake: float
    deadline: float


@dataclass(frozen=True, slots=True)
class Probe:
    """A synthetic request. `statuses` are the answers that are good (empty: anything below 500), `contains`
    must be in the body, `latency` is the most it may take in seconds. `count` requests each time, every
    `every` seconds. `url` replaces the Worker's own address; `worker` names one of several."""

    name: str
    path: str = "/"
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    statuses: tuple[int, ...] = ()
    contains: str | None = None
    latency: float | None = None
    count: int = 1
    every: float = 30.0
    timeout: float = 10.0
    url: str | None = None
    worker: str | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """One question. `kind` is a key of `STATISTICS` or one of `CHECKS`; `target` is what a check asks: a
    probe's name, a command line, a URL, a tunnel, a pool. `fails` answers in a row make a failure."""

    name: str
    kind: str
    target: str = ""
    margin: float | None = None
    limit: float | None = None
    every: float = 30.0
    timeout: float = 30.0
    fails: int = 2

    @property
    def counts(self) -> bool:
        """Whether it counts requests, as opposed to asking somebody."""
        return self.kind in STATISTICS


@dataclass(frozen=True, slots=True)
class Judgement:
    """The risks: `alpha` of rolling back a good release, `beta` of leaving a step with one that fails at
    `theta_max`; `margin` is the odds ratio put up with, `ceiling` the share of failures that ends it
    whoever is at fault. `sticky`: users keep a version; `phi`: dispersion measured in an A/A run."""

    alpha: float = ALPHA
    beta: float = BETA
    margin: float = MARGIN
    theta_max: float = THETA_MAX
    ceiling: float = CEILING
    sticky: bool = False
    phi: float | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: `window` of evidence, `settle` after a change of weights, `lag` of the live tail,
    `checkpoint` between two saves of the evidence within one step."""

    window: float = LENGTH
    settle: float = PROPAGATION
    lag: float = 2.0
    checkpoint: float = 300.0


@dataclass(frozen=True, slots=True)
class Policy:
    """How a release walks. `source` names the evidence to read; `undecided` what happens at a step's
    deadline; `traffic` requests per second and `failing` their share of failures where the account
    cannot say."""

    strategy: str
    steps: tuple[Step, ...]
    gates: tuple[Gate, ...] = ()
    probes: tuple[Probe, ...] = ()
    source: str = "tail"
    dataset: str | None = None
    undecided: str = "hold"
    judgement: Judgement = Judgement()
    timing: Timing = Timing()
    after: tuple[str, ...] | None = None
    regions: str | None = None
    traffic: float | None = None
    failing: float | None = None

    @property
    def shares(self) -> tuple[float, ...]:
        return tuple(step.share for step in self.steps)

    @property
    def statistics(self) -> tuple[Gate, ...]:
        return tuple(gate for gate in self.gates if gate.counts)

    @property
    def checks(self) -> tuple[Gate, ...]:
        return tuple(gate for gate in self.gates if not gate.counts)

    def probe(self, name: str) -> Probe:
        """The probe called `name`; the configuration was checked for it."""
        return next(probe for probe in self.probes if probe.name == name)

    @property
    def design(self) -> str:
        """Six hexadecimal digits for all that saved evidence depends on."""
        gates = [(gate.name, gate.kind, gate.margin, gate.limit) for gate in self.statistics]
        text = repr((gates, self.judgement, self.timing.window))
        return hashlib.sha256(text.encode()).hexdigest()[:6]


def with_smoke(policy: Policy, addresses: Iterable[str | None]) -> Policy:
    """A policy without any probe gets one, where there is somewhere to send it: `/` must not answer with a
    5xx, before anybody is sent there."""
    if policy.probes or any(gate.kind == "probe" for gate in policy.gates) or not any(addresses):
        return policy
    gate = Gate("home", "probe", "home", every=60.0)
    return replace(policy, probes=(Probe("home"),), gates=(*policy.gates, gate))
