"""`deploy` with a rollout: built and uploaded without traffic, then walked; what cannot be split goes at
once, and says so."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trailboss.errors import ReleaseError
from trailboss.release.deciding import decide
from trailboss.release.deploy import finish, run
from trailboss.release.outcomes import DeployReport, Outcome, WorkerReport
from trailboss.release.passing import Go, Pass, Stop
from trailboss.release.proof import require
from trailboss.release.reading import read_details
from trailboss.release.rollout import moves
from trailboss.release.rollout.addresses import address_of
from trailboss.release.rollout.afterwards import AFTERWARDS
from trailboss.release.rollout.clock import Clock, Wall
from trailboss.release.rollout.engine import Ended, drive
from trailboss.release.rollout.outlook import look_ahead
from trailboss.release.rollout.policy import Policy, with_smoke
from trailboss.release.rollout.probing import Prober
from trailboss.release.rollout.report import Outlook, RolloutReport, report
from trailboss.release.rollout.scene import Member, Result, Walk
from trailboss.release.rollout.shape import shape
from trailboss.release.rollout.whole import deploy_whole
from trailboss.release.stages import build, look, preflight
from trailboss.release.surroundings import keep
from trailboss.release.together import together
from trailboss.release.uploading import upload_artifact

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.config import Project

CHECKS = (("preflight", preflight), ("look", look), ("shape", shape), ("build", build), ("decide", decide))
"""As a deploy's, but for the account: it is read before the build, since it may make the build pointless."""
_OUTCOMES = {
    Result.PROMOTED: Outcome.DEPLOYED,
    Result.ROLLED_BACK: Outcome.ROLLED_BACK,
    Result.ABORTED: Outcome.ROLLED_BACK,
    Result.HELD: Outcome.HELD,
    Result.TAKEN_OVER: Outcome.HELD,
}


@dataclass(frozen=True, slots=True)
class Stage:
    """What a walk needs from around it: the clock, and who is shown its pictures."""

    clock: Clock
    show: Callable[[Any], None]


async def roll_out(
    project: Project,
    passes: Sequence[Pass],
    policy: Policy,
    *,
    clock: Clock | None = None,
    show: Callable[[Any], None] | None = None,
) -> DeployReport:
    """Deploy `passes` (callees first) as one rollout. Raises what `deploy` raises, and ConflictError
    TB4401-TB4405, RefusedError TB4420, ReleaseError TB4302, TB4410-TB4415."""
    began = time.perf_counter()
    checked: list[Go | Stop] = await together(*(run(CHECKS, item) for item in passes))
    first = passes[0]
    if first.cloud is not None:
        checked = await require(project, checked, first.cloud)
    if first.options.dry_run or first.cloud is None:
        outlook = await _outlook(policy, first.cloud, checked)
        ended = tuple(finish(step) for step in checked)
        return DeployReport(first.options.dry_run, ended, time.perf_counter() - began, RolloutReport(outlook))
    walkers = {step.now.name for step in checked if isinstance(step, Go) and _walks(step.now)}
    reports: dict[str, WorkerReport] = {}
    for step in checked:
        if step.now.name not in walkers:
            if isinstance(step, Go):
                place = (project.environment.name, str(project.root))
                reports[step.now.name] = await deploy_whole(step.now, policy, *place)
            else:
                reports[step.now.name] = finish(step)
    done: RolloutReport | None = None
    if walkers:
        stage = Stage(clock or Wall(), show or (lambda _item: None))
        walking = [step.now for step in checked if step.now.name in walkers]
        done, walked = await _walk(project, walking, policy, stage, checked)
        reports |= walked
    ordered = tuple(reports[step.now.name] for step in checked)
    return DeployReport(False, ordered, time.perf_counter() - began, done)


def _walks(now: Pass) -> bool:
    """Whether there is a new version, of a Worker that can be split."""
    service_worker = now.artifact is not None and now.artifact.format == "service-worker"
    return now.whole is None and not service_worker and (now.upload or now.waiting is not None)


async def _outlook(policy: Policy, cloud: Cloud | None, checked: Sequence[Go | Stop]) -> Outlook:
    whole = tuple(f"{step.now.name}: {step.now.whole}" for step in checked if step.now.whole)
    names = tuple(step.now.name for step in checked if not step.now.whole)
    return await look_ahead(policy, cloud, names, time.time(), whole)


async def _walk(
    project: Project,
    walking: list[Pass],
    policy: Policy,
    stage: Stage,
    checked: Sequence[Go | Stop],
) -> tuple[RolloutReport, dict[str, WorkerReport]]:
    """Upload, and keep what surrounds the stable versions; say what may come; claim, drive; then what is
    written once it is over."""
    began = time.perf_counter()
    stables = [_stable(now) for now in walking]
    outlook, uploaded, *kept = await together(
        _shown(_outlook(policy, walking[0].account, checked), stage),
        _upload_all(walking),
        *(_keep(now, stable) for now, stable in zip(walking, stables, strict=True)),
    )
    members = tuple(_member(now, stable) for now, stable in zip(uploaded, stables, strict=True))
    policy = with_smoke(policy, (member.address for member in members))
    _refuse_unreachable(policy, members)
    async with Prober(walking[0].account.target.edge_url) as prober:
        walk = Walk(
            policy,
            walking[0].account,
            members,
            stage.clock,
            prober,
            words=walking[0].options.message or "",
            environment=project.environment.name,
            folder=str(project.root),
            show=stage.show,
            say=stage.show,
        )
        await moves.claim(
            walk, {now.name: now.seen.current for now in uploaded if now.seen and now.seen.current}
        )
        ended = await drive(walk)
    rotated = [await _as_rotated(now, walk.member(now.name)) for now in uploaded]
    reports = {now.name: await _afterwards(now, ended) for now in rotated}
    done = report(walk, outlook, ended, time.perf_counter() - began)
    return replace(done, warnings=tuple(filter(None, kept))), reports


async def _shown(looking: Coroutine[Any, Any, Outlook], stage: Stage) -> Outlook:
    outlook = await looking
    stage.show(outlook)
    return outlook


async def _keep(now: Pass, stable: str) -> str | None:
    return await keep(now.account, now.name, stable, now.seen.record if now.seen else None)


async def _upload_all(walking: Sequence[Pass]) -> list[Pass]:
    """Callees first: a version may need what the one before it brought."""
    return [await _upload(now) for now in walking]


async def _upload(now: Pass) -> Pass:
    """The version without traffic: the one that waits, or a new one."""
    if now.waiting is not None:
        return now.noting(version_id=now.waiting.id, version_number=now.waiting.number)
    now = await upload_artifact(now, mode="version")
    record = await read_details(now.account, now.name, now.report.version_id or "")
    return now.noting(version_number=int(record.get("number") or 0) or None)


async def _as_rotated(now: Pass, member: Member) -> Pass:
    """Where secrets were rotated on the way, the version that is live is the uploaded one's successor."""
    if member.canary == now.report.version_id:
        return now
    record = await read_details(now.account, now.name, member.canary)
    return now.noting(version_id=member.canary, version_number=int(record.get("number") or 0) or None)


def _stable(now: Pass) -> str:
    """The version to compare with: raises ReleaseError TB4412 where the traffic is split by somebody else."""
    current = now.seen.current if now.seen else None
    stable = None
    if current is not None:
        stable = current.mark.stable if current.mark and not current.mark.phase.over else current.whole
    if stable is None:
        raise ReleaseError(
            "TB4412",
            f'The traffic of "{now.name}" is split, so there is no stable version to compare with.',
            hint="End the split first: `trailboss versions deploy <version>`.",
        )
    return stable


def _member(now: Pass, stable: str) -> Member:
    assert now.seen is not None and now.report.version_id is not None
    known = next((version for version in now.seen.versions if version.id == stable), None)
    return Member(
        now.name,
        stable,
        now.report.version_id,
        known.label if known else stable[:8],
        f"v{now.report.version_number}" if now.report.version_number else now.report.version_id[:8],
        now.report.digest or "",
        address_of(now.seen.record, now.settings),
    )


def _refuse_unreachable(policy: Policy, members: tuple[Member, ...]) -> None:
    """A probe that can be sent nowhere is a gate without a source (ReleaseError TB4411)."""
    for probe in policy.probes:
        asked = [member for member in members if probe.worker in (None, member.worker)]
        configured = any(gate.kind == "probe" and gate.target == probe.name for gate in policy.gates)
        if configured and not probe.url and not any(member.address for member in asked):
            names = ", ".join(member.worker for member in members)
            raise ReleaseError(
                "TB4411",
                f'The probe "{probe.name}" can be sent nowhere: {names} has no address of its own.',
                hint=f'Give it one: [probes.{probe.name}] url = "https://…".',
            )


async def _afterwards(now: Pass, ended: Ended) -> WorkerReport:
    """Settings and triggers belong to no version: they are written once the new one has all traffic."""
    outcome = _OUTCOMES[ended.result]
    if ended.result is not Result.PROMOTED:
        return replace(now.report, outcome=outcome, why=ended.why)
    step = await run(AFTERWARDS, replace(now, upload=False))
    return finish(step) if isinstance(step, Stop) else replace(finish(step), outcome=outcome)
