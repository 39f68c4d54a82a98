"""From trailboss.toml and the command line to a `Policy`; None where nobody asked for a rollout."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailboss.errors import ConfigError, UsageError
from trailboss.release.rollout.policy import STATISTICS, Gate, Judgement, Policy, Probe, Timing
from trailboss.release.rollout.spans import seconds

if TYPE_CHECKING:
    from trailboss.config import Project
    from trailboss.release.rollout.tables import GateTable, ProbeTable, ReleaseTable
    from trailboss.release.strategies import Asked, Wish


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says; None where it says nothing. `steps` as typed: `1,10,50,100`;
    `tunnel` has to be healthy."""

    strategy: str | None = None
    steps: str | None = None
    bake: str | None = None
    regions: str | None = None
    tunnel: str | None = None

    @property
    def any(self) -> bool:
        return any((self.strategy, self.steps, self.bake, self.regions, self.tunnel))


def wants_rollout(project: Project, flags: Flags) -> bool:
    """Whether anything asks for a rollout. Reads two tables of the settings and imports nothing."""
    return flags.any or bool(project.settings.release or project.settings.probes or project.settings.gates)


def choose(project: Project, flags: Flags | None = None) -> Policy | None:
    """The policy of the active environment, the command line's words first; None when nothing asks for one.

    Raises ConfigError TB1810 (no such gate), TB1811 (a gate lacks what its kind needs), TB1812 (no such
    probe), TB1813 (no data source), TB1201 and TB1202; UsageError TB9430-TB9436."""
    flags = flags or Flags()
    if not wants_rollout(project, flags):
        return None
    from trailboss.release.rollout.tables import GatesTable, ProbesTable, ReleaseTable
    from trailboss.release.strategies import STRATEGIES

    table = project.section("release", ReleaseTable)
    probes = {name: _probe(name, item) for name, item in project.section("probes", ProbesTable).root.items()}
    gates = _gates(project, table, project.section("gates", GatesTable).root, probes)
    strategy = _strategy(table, flags)
    if strategy not in STRATEGIES:
        raise UsageError(
            "TB9435", f'There is no strategy "{strategy}".', hint=f"There are: {', '.join(STRATEGIES)}."
        )
    steps = STRATEGIES[strategy](_asked(table, flags))
    if flags.tunnel and not any(gate.target == flags.tunnel for gate in gates):
        gates = (*gates, Gate(f"tunnel {flags.tunnel}", "tunnel", flags.tunnel, fails=1))
    if strategy == "edge-first" and not any(gate.kind == "wall" for gate in gates):
        gates = (*gates, Gate("wall", "wall"))
    policy = Policy(
        strategy, steps, gates, tuple(probes.values()), table.evidence, table.dataset, table.undecided
    )
    return _with_numbers(policy, table, flags)


def _with_numbers(policy: Policy, table: ReleaseTable, flags: Flags) -> Policy:
    from dataclasses import replace

    judgement = Judgement(
        table.alpha, table.beta, table.margin, table.theta_max, table.ceiling, table.sticky, table.phi
    )
    spans = (table.window, table.settle, table.lag, table.checkpoint)
    return replace(
        policy,
        judgement=judgement,
        timing=Timing(*(seconds(span) for span in spans)),
        after=None if table.after is None else tuple(table.after),
        regions=flags.regions or table.regions,
        traffic=table.traffic,
        failing=table.failing,
    )


def _strategy(table: ReleaseTable, flags: Flags) -> str:
    if flags.strategy or (table.strategy and not flags.steps):
        return flags.strategy or table.strategy or ""
    walks = table.strategy if table.strategy in ("canary", "edge-first") else "canary"
    return walks if flags.steps or flags.bake or table.steps else "at-once"


def _asked(table: ReleaseTable, flags: Flags) -> Asked:
    from trailboss.release.strategies import Asked

    steps = _typed(flags.steps) if flags.steps else tuple(_wish(step) for step in table.steps)
    if flags.strategy in ("at-once", "blue-green") and not flags.steps:
        steps = ()
    bake = _length(flags.bake) if flags.bake else None if table.bake is None else seconds(table.bake)
    return Asked(steps, bake, None if table.deadline is None else seconds(table.deadline))


def _wish(step: object) -> Wish:
    from trailboss.release.rollout.tables import StepTable
    from trailboss.release.strategies import Wish

    if isinstance(step, StepTable):
        spans = [None if span is None else seconds(span) for span in (step.bake, step.deadline)]
        return Wish(step.share, *spans)
    assert isinstance(step, int | float)
    return Wish(float(step))


def _typed(text: str) -> tuple[Wish, ...]:
    from trailboss.release.strategies import Wish

    try:
        return tuple(Wish(float(part.strip().removesuffix("%"))) for part in text.split(","))
    except ValueError:
        raise UsageError(
            "TB9436", f'"{text}" is no list of steps.', hint="For example: --steps 1,10,50,100"
        ) from None


def _length(text: str) -> float:
    try:
        return seconds(text)
    except ValueError as error:
        raise UsageError("TB9437", f"--bake: {error}.", hint="For example: --bake 5m") from None


def _probe(name: str, table: ProbeTable) -> Probe:
    status = table.status
    return Probe(
        name,
        table.path,
        table.method.upper(),
        dict(table.headers),
        table.body,
        () if status is None else (status,) if isinstance(status, int) else tuple(status),
        table.contains,
        None if table.latency is None else seconds(table.latency),
        table.count,
        seconds(table.every),
        seconds(table.timeout),
        table.url,
        table.worker,
    )


_NEEDS = {"probe": "probe", "command": "run", "webhook": "url", "tunnel": "tunnel", "load-balancer": "pool"}


def _gates(
    project: Project, table: ReleaseTable, named: dict[str, GateTable], probes: dict[str, Probe]
) -> tuple[Gate, ...]:
    """Those `[release] gates` names; by default errors, the ceiling, every probe, every table of [gates]."""
    known = {kind: Gate(kind, kind) for kind in STATISTICS}
    known |= {name: Gate(name, "probe", name, every=probe.every) for name, probe in probes.items()}
    known |= {name: _gate(project, name, item, probes) for name, item in named.items()}
    counted = () if table.evidence == "none" else ("errors", "ceiling")
    wanted = table.gates if table.gates is not None else list(dict.fromkeys((*counted, *probes, *named)))
    for number, name in enumerate(wanted):
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise ConfigError(
                "TB1810",
                f'there is no gate "{name}"',
                where=project.locate("release", "gates", number),
                hint=f'Did you mean "{near[0]}"?' if near else f"There are: {', '.join(known)}.",
            )
        if known[name].counts and table.evidence == "none":
            raise ConfigError(
                "TB1813",
                f'the gate "{name}" has no data source: it counts requests, and `evidence` is "none"',
                where=project.locate("release", "evidence"),
                hint='Set evidence = "tail", or take the gate out.',
            )
    return tuple(known[name] for name in wanted)


def _gate(project: Project, name: str, table: GateTable, probes: dict[str, Probe]) -> Gate:
    need = _NEEDS.get(table.kind)
    target = getattr(table, need) if need else ""
    if target is None and table.kind == "probe" and name in probes:
        target = name
    if target is None:
        raise ConfigError(
            "TB1811",
            f'the gate "{name}" is a {table.kind}, which needs `{need}`',
            where=project.locate("gates", name),
            hint=f"Add `{need}` to [gates.{name}].",
        )
    if table.kind == "probe" and target not in probes:
        raise ConfigError(
            "TB1812",
            f'the gate "{name}" asks for the probe "{target}", which is not there',
            where=project.locate("gates", name, "probe"),
            hint=f"Add [probes.{target}].",
        )
    fails = table.fails or (1 if table.kind == "command" else 2)
    spans = (seconds(table.every), seconds(table.timeout))
    return Gate(name, table.kind, target, table.margin, table.limit, *spans, fails)
