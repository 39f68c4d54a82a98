"""`dev --sandbox`: the rooms that deploy and follow logs, handed to the one that watches files."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from trailboss.cli import developing
from trailboss.cli.run import Run
from trailboss.errors import ReleaseError, UsageError

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.config import Worker
    from trailboss.develop.session import Ended, Tell
    from trailboss.develop.testing import Command
    from trailboss.release.outcomes import DeployReport
    from trailboss.values import Secret


def pointed(run: Run, words: tuple[str, ...]) -> Run:
    """The run with a sandbox as its target: the one that is chosen already, else the default one.

    Raises:
        UsageError: TB9482 wrangler's options were given, and no wrangler runs. SandboxError: TB5901.
    """
    if words:
        raise UsageError(
            "TB9482",
            f"{words[0]} is for wrangler's dev server, and with --sandbox there is none",
            hint="Leave it out; the configuration says how the Workers are built.",
        )
    target = developing.target_of(run)
    if target is not None and target.is_sandbox:
        return run
    return Run(replace(developing.same_folder(run.options), target="sandbox"), run.output)


async def serve_sandbox(
    run: Run, cloud: Cloud, tests: Command | None, patience: float | None, public: developing.Public | None
) -> Ended:
    """The session until Ctrl-C, or until the tests have ended.

    Raises:
        ReleaseError: TB4602 the first Worker has no address. And what a deploy raises.
    """
    from trailboss.develop.exposed import Exposure
    from trailboss.develop.on_sandbox import SandboxServer
    from trailboss.develop.session import serve
    from trailboss.develop.testing import run_tests

    log = developing.Log(run)
    workers = run.workers()
    names = [worker.name for worker in workers]
    server = SandboxServer(
        lambda: _deploy(run, cloud, log), partial(_follow, cloud, names, log), _folders(run, workers), log
    )
    beside = [] if tests is None else [partial(run_tests, tests)]
    if public is not None:
        files = developing.files_of(run, "dev --tunnel")
        exposure = await Exposure.prepare(cloud, public.tunnel, public.hostname, log, files)
        beside.append(exposure.run)  # type: ignore[arg-type]
    return await serve(server, log, watch=_nothing(), beside=tuple(beside), patience=patience)


async def _nothing() -> None:
    """The server itself looks for edits."""


def _folders(run: Run, workers: tuple[Worker, ...]) -> tuple[Path, ...]:
    """What an edit in counts: the Workers' folders, and the project's for trailboss.toml."""
    found = {worker.directory for worker in workers}
    if run.project.file is not None:
        found.add(run.project.file.parent)
    return tuple(
        one for one in found if not any(other != one and one.is_relative_to(other) for other in found)
    )


async def _deploy(run: Run, cloud: Cloud, tell: Tell) -> str:
    """Deploy what the files say now, a callee before its callers; each Worker with its own variables."""
    from trailboss.develop.lines import Entry
    from trailboss.release.order import callees_first

    fresh = Run(developing.same_folder(run.options), run.output)
    workers = await asyncio.to_thread(lambda: developing.workers_of(fresh))
    address = ""
    ordered = callees_first(workers, name=lambda one: one.name, settings=lambda one: one.raw)
    for worker in ordered:
        report = await _one(fresh, cloud, worker, _secrets(fresh, worker))
        for done in report.workers:
            for trigger in done.triggers:
                if trigger.error:
                    tell(Entry("dev", f"{done.worker}: {trigger.kind}: {trigger.error}", "error"))
            if worker is workers[0] and done.urls:
                address = done.urls[0]
    if not address:
        raise ReleaseError(
            "TB4602",
            f"{workers[0].name} has no address",
            hint="Let it have one: workers_dev = true in its configuration.",
        )
    return address


async def _one(run: Run, cloud: Cloud, worker: Worker, secrets: Mapping[str, Secret]) -> DeployReport:
    from trailboss.release.deploy import deploy
    from trailboss.release.outcomes import DeployOptions

    options = DeployOptions(
        message="trailboss dev", secrets=secrets, confirm=lambda _question: True, reveal=run.reveal
    )
    return await deploy(run.project, [worker], cloud, options)


def _secrets(run: Run, worker: Worker) -> Mapping[str, Secret]:
    from trailboss.develop.variables import read_variables

    found = read_variables(
        worker,
        run.project.environment.name,
        run.environ,
        developing.resolvers_of(run),
        env_files=run.options.env_file,
    )
    return found.values


async def _follow(cloud: Cloud, names: list[str], tell: Tell) -> None:
    """What the Workers log, and how their requests end."""
    from trailboss.develop.lines import Entry
    from trailboss.observe.items import Item, Received
    from trailboss.observe.pretty import as_text
    from trailboss.observe.tail import tail

    def show(item: Item) -> None:
        if isinstance(item, Received):
            for line in as_text(item).split("\n"):
                tell(Entry("worker", line))

    await tail(cloud, names, show)
