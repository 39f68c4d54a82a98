"""`trailboss test performance`: load, compared with a stored baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trailboss.cli.commands.tail import Duration
from trailboss.cli.declare import command, worker_name
from trailboss.cli.output import Output, table
from trailboss.cli.run import Run
from trailboss.errors import ReleaseError

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.develop.performance.load import Load
    from trailboss.develop.performance.measure import Drive, Measured
    from trailboss.develop.performance.ranks import Verdict
    from trailboss.develop.performance.settings import PerformanceSettings


@command(
    "trailboss test performance --env performance-testing",
    "trailboss test performance --env performance-testing --rate 50 --round 5s --save",
)
@worker_name
@click.option("--rate", type=click.FloatRange(min=0.1), metavar="N", help="Requests per second.")
@click.option("--round", "span", type=Duration(), metavar="TIME", help="How long a round is.")
@click.option("--rounds", type=click.IntRange(min=5, max=30), metavar="N", help="Rounds to compare (10).")
@click.option("--save", is_flag=True, help="Make this the baseline.")
def performance(
    run: Run, *, name: str | None, rate: float | None, span: float | None, rounds: int | None, save: bool
) -> int:
    """Send a Worker requests at a steady rate and compare its times and failures with the stored baseline;
    the first time they become the baseline.

    The exit status is 1 when it is worse by more than [performance] puts up with, beyond doubt: a rank test
    over rounds says so, twice in a row.
    """
    from trailboss.develop.performance.measure import measure
    from trailboss.develop.performance.settings import PerformanceSettings

    script = run.script(name)
    settings = run.project.section("performance", PerformanceSettings)
    asked = {"rate": rate, "round": span, "rounds": rounds}
    settings = settings.model_copy(update={key: value for key, value in asked.items() if value is not None})
    run.announce(script)
    load = _load(run, script, settings)
    environment = run.project.environment.name or "default"
    file = run.project.root / settings.baseline.replace("{environment}", environment)
    drive = _drive(run, settings)
    done = run.wait(measure(load, settings, file, run.output.progress, save=save, drive=drive))
    run.result(done, lambda output: _show(output, done))
    return 1 if done.outcome == "regression" else 0


def _drive(run: Run, settings: PerformanceSettings) -> Drive:
    if settings.locustfile is None:
        from trailboss.develop.performance.load import drive

        return drive
    from trailboss.develop.performance.locust import locusts

    return locusts(run.project.root / settings.locustfile, settings.users)


def _load(run: Run, script: str, settings: PerformanceSettings) -> Load:
    from trailboss.develop.performance.load import Load

    address = settings.url or run.call(lambda cloud: address_of(run, cloud, script))
    return Load(
        address,
        (f"{settings.locustfile}: {settings.users} users",) if settings.locustfile else tuple(settings.paths),
        settings.rate,
        settings.round,
        settings.rounds,
        settings.timeout,
        settings.headers,
        None if settings.url else run.target.edge_url,
    )


async def address_of(run: Run, cloud: Cloud, script: str) -> str:
    """Where the Worker answers. Raises ReleaseError TB4701: nowhere that is known."""
    from trailboss.release.rollout import addresses
    from trailboss.release.triggers import read_record

    worker = next((one for one in run.project.workers if one.name == script), None)
    found = addresses.address_of(await read_record(cloud, script), worker.raw if worker else {})
    if found is None:
        raise ReleaseError(
            "TB4701",
            f'"{script}" answers nowhere that is known: it is not deployed, or has no address of its own.',
            hint='Deploy it, or say where: [performance] url = "https://…", or --url of `test e2e`.',
        )
    return found


def _show(output: Output, done: Measured) -> None:
    from trailboss.cli import views

    for warning in done.warnings:
        output.warn(warning)
    if done.outcome == "saved":
        views.tick(output, f"The baseline is {done.baseline}: {_figures(done)}")
        return
    rows = [_row(one) for one in done.verdicts]
    output.show(table(("", "baseline", "now", "change", "put up with", "p"), rows, right=(1, 2, 3, 4, 5)))
    if done.outcome == "same":
        views.tick(output, "No regression can be shown")
    else:
        worse = ", ".join(one.measure for one in done.verdicts if one.worse)
        output.line(f"{output.style('✗', '31;1', output.out)} Regression, in two measurements: {worse}")


def _figures(done: Measured) -> str:
    middle = sorted(done.rounds, key=lambda one: one.p50)[len(done.rounds) // 2]
    return f"p50 {middle.p50 * 1000:.1f} ms, p95 {middle.p95 * 1000:.1f} ms, {middle.failed:.1%} failed"


def _row(one: Verdict) -> tuple[str, ...]:
    p = f"{one.p:.1e}" if one.p < 0.001 else f"{one.p:.3f}"
    if one.measure == "failed":
        shares = (f"{one.before:.1%}", f"{one.after:.1%}", f"{one.change:+.1%}", f"+{one.margin:.1%}")
        return ("failed", *shares, p)
    times = (f"{one.before * 1000:.1f} ms", f"{one.after * 1000:.1f} ms")
    return (one.measure, *times, f"×{one.change:.2f}", f"×{one.margin:g}", p)
