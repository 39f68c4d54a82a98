"""`deploy`: from a project's folder to 100 % of the traffic, read back.

`stages.CHECKS` run for every Worker before anything is written anywhere; then `stages.CHANGES` run Worker
after Worker, a callee before its callers. Reading those two tuples aloud explains a deploy.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from trailboss.errors import UsageError
from trailboss.release.callbacks import Progress, quiet
from trailboss.release.order import callees_first
from trailboss.release.outcomes import (
    DeployOptions,
    DeployReport,
    Outcome,
    ResourceReport,
    StageReport,
    WorkerReport,
)
from trailboss.release.passing import Go, Pass, Stage, Stop
from trailboss.release.secret_shipping import prepare
from trailboss.release.stages import CHANGES, CHECKS
from trailboss.release.together import together

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.config import Project, Worker
    from trailboss.plan.changes import Change


async def deploy(
    project: Project,
    workers: Sequence[Worker],
    cloud: Cloud | None,
    options: DeployOptions | None = None,
    *,
    progress: Progress = quiet,
) -> DeployReport:
    """Deploy `workers` of `project` and report on each, in the order they went.

    `cloud` may be None in a dry run: then nothing of the account is looked at. A Worker the account has
    exactly so already is not uploaded again (unless `options.force`). A trigger that fails does not raise:
    its Worker's outcome is PARTIAL, and `DeployReport.ok` is False.

    Raises:
        UsageError: TB9420 no Worker, TB9421 no account and not a dry run. ConfigError: TB18xx (`checks`).
        BuildError, CloudError. ReleaseError: TB4022, TB4073, TB4090. RefusedError: TB4081 split traffic.
        ConflictError: TB4021, TB4403-TB4405 a rollout is under way. With `options.rollout`: also TB4418 and
        what `rollout.deploying.roll_out` raises. RefusedError TB4420-TB4422 a digest nobody proved.
    """
    options = options or DeployOptions()
    if not workers:
        raise UsageError("TB9420", "There is no Worker to deploy.", hint="Run it where a wrangler config is.")
    if cloud is None and not options.dry_run:
        raise UsageError("TB9421", "Deploying needs an account.", hint="Use --dry-run to check without one.")
    began = time.perf_counter()
    passes = await prepare([begin(worker, cloud, options, progress, project) for worker in workers])
    ordered = callees_first(passes, name=lambda item: item.name, settings=lambda item: item.settings)
    if options.rollout is not None:
        from trailboss.release.gates.tunnel import require as require_tunnels
        from trailboss.release.rollout.deploying import roll_out

        done = await ready(project, cloud, options, progress) if cloud is not None else ()
        if cloud is not None:
            coming = {each.name for each in done if each.kind == "cloudflared_tunnel"}
            await require_tunnels(options.rollout.gates, cloud, coming)
        report = await roll_out(project, ordered, options.rollout, show=options.show)
        return replace(report, resources=done)
    checked: list[Go | Stop] = await together(*(run(CHECKS, item) for item in ordered))
    if project.protected and cloud is not None:
        from trailboss.release.proof import require

        checked = await require(project, checked, cloud)
    done = await ready(project, cloud, options, progress) if cloud is not None else ()
    reports = []
    for step in checked:
        ended = await run(CHANGES, step.now) if isinstance(step, Go) else step
        reports.append(finish(ended))
    return DeployReport(options.dry_run, tuple(reports), time.perf_counter() - began, resources=done)


async def ready(
    project: Project, cloud: Cloud, options: DeployOptions, progress: Progress
) -> tuple[ResourceReport, ...]:
    """The resources that trailboss.toml declares, as it wants them, and the end of an ephemeral environment;
    what was done. Deleting is left to `apply`. A dry run only plans it, and is refused what an apply is.

    Raises: as `plan.apply.apply`.
    """
    if project.tables.get("resources"):
        from trailboss.plan.ensure import ensure, preview

        if options.dry_run:
            return tuple(map(_told, await preview(cloud, project)))
        applied = await ensure(cloud, project, tell=progress, reveal=options.reveal)
        return tuple(map(_told, applied.done)) if applied else ()
    if options.dry_run:
        return ()
    if "ephemeral" in (project.tables.get("environments") or {}).get(project.environment.name or "", {}):
        from trailboss.plan.ensure import note_end

        await note_end(cloud, project)
    return ()


def _told(change: Change) -> ResourceReport:
    return ResourceReport(change.action, change.kind, change.name)


async def run(stages: Sequence[tuple[str, Stage]], now: Pass) -> Go | Stop:
    """The stages in order until one stops; every one of them leaves a line in the report."""
    step: Go | Stop = Go(now)
    for name, stage in stages:
        began = time.perf_counter()
        step = await stage(step.now)
        note = step.note if isinstance(step, Go) else step.why
        report = StageReport(name, round(time.perf_counter() - began, 4), note)
        step = replace(step, now=step.now.noting(stages=(*step.now.report.stages, report)))
        if isinstance(step, Stop):
            return step
    return step


def begin(
    worker: Worker,
    cloud: Cloud | None,
    options: DeployOptions,
    progress: Progress,
    project: Project | None = None,
) -> Pass:
    """What is known before the first stage. Raises UsageError TB9434 (edge-first with several regions)."""
    from trailboss.build.subject import Subject

    if options.rollout is not None and options.rollout.strategy == "edge-first":
        from trailboss.release.strategies.edge_first import placed

        worker = replace(worker, raw=placed(worker.raw, options.rollout.regions))
    subject = Subject.of(worker, options.build)
    return Pass(
        worker=worker,
        subject=replace(subject, settings=options.over(subject.settings)),
        cloud=cloud,
        options=options,
        progress=progress,
        report=WorkerReport(subject.name, Outcome.DEPLOYED),
        project=project,
    )


def finish(step: Go | Stop) -> WorkerReport:
    """The report of a Worker whose stages have ended."""
    report = step.now.report
    if isinstance(step, Stop):
        return replace(report, outcome=step.outcome, why=step.why)
    return replace(
        report, outcome=Outcome.DEPLOYED if step.now.upload or step.now.waiting else Outcome.TRIGGERS
    )
