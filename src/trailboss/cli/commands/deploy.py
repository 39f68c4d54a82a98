"""`trailboss deploy`: from the folder to all of the traffic."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trailboss.cli.beginning import has_beginning, prepare
from trailboss.cli.building import build_flags, build_options, chosen, read_secrets_file, write_outdir
from trailboss.cli.declare import Elsewhere, command
from trailboss.cli.run import Run
from trailboss.errors import AuthenticationError, SandboxError

if TYPE_CHECKING:
    from trailboss.cloud import Target
    from trailboss.config import Project, Worker
    from trailboss.release.outcomes import DeployOptions, DeployReport


@command(
    "trailboss deploy --env staging",
    "trailboss deploy --env production --strategy canary --steps 1,10,50,100 --bake 5m",
)
@build_flags
@click.option(
    "--triggers", "--schedule", "--schedules", "schedules", multiple=True, metavar="CRON", help="Schedules."
)
@click.option("--routes", "--route", "routes", multiple=True, metavar="PATTERN", help="Routes; may repeat.")
@click.option(
    "--domains", "--domain", "domains", multiple=True, metavar="HOST", help="Custom domains; may repeat."
)
@click.option("--strategy", metavar="NAME", help="at-once, canary, blue-green or edge-first.")
@click.option("--steps", metavar="PERCENT,...", help="Shares of the traffic on the way to 100.")
@click.option("--bake", metavar="TIME", help="Least time in each step, such as 5m.")
@click.option("--tunnel", metavar="NAME", help="A tunnel that has to be healthy before any traffic moves.")
@click.option("--regions", metavar="REGION", help="edge-first: all, or one region to be placed near.")
def deploy(
    run: Run, schedules: tuple[str, ...], routes: tuple[str, ...], domains: tuple[str, ...], **flags: Any
) -> int:
    """Build the Workers of this project, create what their bindings need, upload them and give them all
    traffic: at once, or in steps that gates judge, where `[release]` or --strategy says so.

    A Worker the account has exactly so already is left alone. Every write is read back before this says done.
    """
    from trailboss.release.outcomes import DeployOptions

    if not run.project.workers and (flags["path"] or flags["assets"] or _can_be_set_up(run)):
        raise Elsewhere("there is no configuration file here: the whole command goes to wrangler")
    workers = chosen(run, flags)
    target = _target(run, dry_run=flags["dry_run"])
    if target is not None:
        run.announce(", ".join(worker.name for worker in workers))
        if has_beginning(run.project) and not flags["dry_run"]:
            prepare(run)
    building = build_options(flags)
    options = DeployOptions(
        reveal=run.reveal,
        build=building,
        message=flags["message"],
        tag=flags["tag"],
        secrets=read_secrets_file(run, flags["secrets_file"]),
        keep_vars=bool(flags["keep_vars"]),
        dry_run=flags["dry_run"],
        force=flags["force"],
        confirm=run.confirm(),
        routes=routes or None,
        domains=domains or None,
        schedules=schedules or None,
        target_of=target_of(run),
    )
    report = released(run, workers, target, options, flags)
    write_outdir(workers, building, flags["outdir"])
    return finish(run, report)


def _can_be_set_up(run: Run) -> bool:
    """Whether wrangler may know what a folder without a configuration is: a framework, or a static site.

    It has no JSON for that.
    """
    if run.output.as_json or run.project.file is not None:
        return False
    here = Path.cwd()
    return any((here / name).is_file() for name in ("package.json", "index.html"))


def released(
    run: Run,
    workers: tuple[Worker, ...],
    target: Target | None,
    options: DeployOptions,
    flags: dict[str, Any],
) -> DeployReport:
    """Deploy the way `[release]` and the flags say, shown as it goes."""
    settings = run.project.settings
    words = [flags.get(name) for name in ("strategy", "steps", "bake", "regions", "tunnel")]
    if not any(words) and not (settings.release or settings.gates or settings.probes):
        return _deploy(run, workers, target, options)
    from dataclasses import replace

    from trailboss.cli.rollouts import Viewer
    from trailboss.release.rollout.choosing import Flags, choose

    viewer = Viewer(run.output)
    policy = choose(run.project, Flags(*words))
    try:
        return _deploy(run, workers, target, replace(options, rollout=policy, show=viewer))
    except KeyboardInterrupt:
        viewer.close()
        run.output.warn(
            "Interrupted: a rollout that had begun is held where it is. `trailboss release status` shows it; "
            "`release resume`, `promote` or `abort` goes on."
        )
        raise
    finally:
        viewer.close()


def finish(run: Run, report: DeployReport) -> int:
    """Tell how it went; the exit status."""
    _record(run, report)
    run.result({"ok": report.ok, **_document(report)}, lambda output: _show(output, report))
    return report.exit_status


def target_of(run: Run) -> Callable[[Project], Target]:
    """Where another environment of this project lives."""

    def find(other: Project) -> Target:
        from trailboss.cloud import resolve_target

        configured = {worker.config.account_id for worker in other.workers} - {None}
        account = configured.pop() if len(configured) == 1 else None
        return resolve_target(
            other.settings.target, flag=run.options.target, environ=run.environ, account_id=account
        )

    return find


def _target(run: Run, *, dry_run: bool) -> Target | None:
    """The account. A dry run does without one: then only what is here is checked, and it says so."""
    try:
        return run.target
    except (AuthenticationError, SandboxError) as error:
        if not dry_run:
            raise
        run.output.warn(f"{error}: only what is on this machine is checked")
        return None


def _deploy(
    run: Run, workers: tuple[Worker, ...], target: Target | None, options: DeployOptions
) -> DeployReport:
    from trailboss.release.deploy import deploy as release

    progress = run.output.progress
    if target is None:
        return run.wait(release(run.project, workers, None, options, progress=progress))
    return run.call(lambda cloud: release(run.project, workers, cloud, options, progress=progress))


def _document(report: DeployReport) -> dict[str, Any]:
    from trailboss.cli.output import plain

    found: dict[str, Any] = plain(report)
    return found


def _record(run: Run, report: DeployReport) -> None:
    from trailboss.cli.ledger import record

    for worker in () if report.dry_run else report.workers:
        record(
            "deploy",
            worker_name=worker.worker,
            worker_tag=None,
            version_id=worker.version_id,
            targets=list(worker.urls),
            worker_name_overridden=False,
            wrangler_environment=run.project.environment.name,
        )


def _show(output: Any, report: DeployReport) -> None:
    from trailboss.cli import reports

    reports.deployed(output, report)
    if report.rollout is not None:
        from trailboss.cli import rollouts

        rollouts.ended(output, report.rollout)
