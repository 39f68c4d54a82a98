"""`trailboss test e2e`: the project's end-to-end tests, against an environment or the development server."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from trailboss.cli.declare import command, worker_name
from trailboss.cli.output import Output
from trailboss.cli.run import Run

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.develop.e2e import Place, Tested
    from trailboss.develop.settings import TestSettings
    from trailboss.develop.testing import Command


@command(
    "trailboss test e2e --env testing",
    "trailboss test e2e --env pr-12 -- npx playwright test",
    "trailboss test e2e --url https://staging.example.com",
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
@worker_name
@click.option("--url", metavar="URL", help="What to test, instead of the environment's own address.")
@click.option("--log", metavar="FILE", help="Also write there what the tests print.")
def e2e(run: Run, words: tuple[str, ...], name: str | None, url: str | None, log: str | None) -> int:
    """Run the project's end-to-end tests ([test] command, or what stands after --) against an environment,
    and end with their status. Nothing is deployed.

    The URL is in TRAILBOSS_URL and BASE_URL, once it answers. Behind Access the headers of a service token
    (CF_ACCESS_CLIENT_ID, CF_ACCESS_CLIENT_SECRET) are in TRAILBOSS_HEADERS. Where neither --env nor --url
    chooses something that is deployed, the development server is started for the tests, as by `dev --test`.
    """
    tests, settings = _tests(run, words)
    if url is None and run.project.environment.source == "default":
        return _local(run, tests, settings)
    from trailboss.develop.e2e import test

    script = run.script(name) if url is None else ""
    if url is None:
        run.announce(script)
    place, version = _place(run, script, url)
    written: list[str] = []

    def tell(text: str) -> None:
        written.append(text)
        run.output.settle()
        (run.output.note if run.output.as_json else run.output.line)(text)

    run.output.progress(f"Waiting for {place.url}")
    try:
        done = run.wait(test(place, tests, settings.ready_timeout, tell))
    finally:
        if log is not None:
            Path(log).write_text("".join(f"{line}\n" for line in written), encoding="utf-8")
    document = _document(done, tests, script, version)
    _annotate(run, done)
    run.result(document, lambda output: _show(output, done))
    return done.status


def _tests(run: Run, words: tuple[str, ...]) -> tuple[Command, TestSettings]:
    """The command after `--`, else the project's."""
    from trailboss.cli import developing

    if not words:
        return developing.tests_of(run)
    from trailboss.develop.settings import TestSettings
    from trailboss.develop.testing import Command

    settings = run.project.section("test", TestSettings)
    return Command(list(words), (), Path.cwd(), dict(os.environ), settings.timeout), settings


def _place(run: Run, script: str, url: str | None) -> tuple[Place, str | None]:
    """Where it answers, how to get through, and the version that takes all traffic."""
    from trailboss.develop.access import Visitor
    from trailboss.develop.e2e import Place

    if url is not None:
        return Place(url.rstrip("/"), headers=Visitor.of(os.environ).headers), None

    async def find(cloud: Cloud) -> tuple[Place, str | None]:
        from trailboss.cli.commands.test import address_of
        from trailboss.develop.reach import find_gate
        from trailboss.release.reading import read_catalogue

        address = await address_of(run, cloud, script)
        gate = await find_gate(cloud, urlsplit(address).hostname or "", os.environ)
        current = (await read_catalogue(cloud, script)).current
        return Place(address, gate.edge, gate.headers), current.whole if current else None

    return run.call(find)


def _local(run: Run, tests: Command, settings: TestSettings) -> int:
    from trailboss.cli import developing

    workers, target = developing.workers_of(run), developing.target_of(run)
    asked = dict.fromkeys(("port", "address", "protocol", "persist_to", "inspector_port"))
    wish = developing.wish_of(run, (), asked, target)
    developing.announce(run, workers, target)
    session = developing.session_of(run, wish, workers, tests, settings.ready_timeout)
    ended = run.wait(session(None, None))
    return 130 if ended.status is None else ended.status


def _document(done: Tested, tests: Command, script: str, version: str | None) -> dict[str, Any]:
    line = tests.line if isinstance(tests.line, str) else shlex.join(tests.line)
    more = {"worker": script or None, "version_id": version, "command": line}
    return {
        **{name: getattr(done, name) for name in ("url", "ok", "status", "seconds", "waited", "log")},
        **more,
    }


def _annotate(run: Run, done: Tested) -> None:
    if os.environ.get("GITHUB_ACTIONS") != "true" or done.ok:
        return
    from trailboss.cli.pipelines import remark

    last = "\n".join(done.log[-20:])
    run.output.note(
        remark(f"End-to-end tests of {done.url}", f"They ended with status {done.status}.\n{last}")
    )


def _show(output: Output, done: Tested) -> None:
    from trailboss.cli import views

    if done.ok:
        views.tick(output, f"{done.url}: the tests passed in {done.seconds:.1f} s")
    else:
        mark = output.style("✗", "31;1", output.out)
        output.line(
            f"{mark} {done.url}: the tests ended with status {done.status} after {done.seconds:.1f} s"
        )
