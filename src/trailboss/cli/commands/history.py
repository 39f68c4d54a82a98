"""`trailboss history`: what was released, how, by whom and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from trailboss.cli.commands.deploy import target_of
from trailboss.cli.declare import command, worker_name
from trailboss.cli.output import Output, table
from trailboss.cli.run import Run

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.release.history import History, Release


@command("trailboss history --env production", "trailboss history --limit 50 --json")
@worker_name
@click.option(
    "--limit", type=click.IntRange(1, 100), default=15, show_default=True, help="How many, newest first."
)
def history(run: Run, name: str | None, limit: int) -> None:
    """Show the releases of a Worker, newest first: version, commit, digest, how it got its traffic and how
    that ended, who did it and why, and which other environments have proved the same bytes.

    A rollout is one line, however many deployments it took.
    """
    from dataclasses import replace

    from trailboss.release.history import read_history, read_proofs

    script = run.script(name)
    run.announce(script)
    key = next((worker.key for worker in run.project.workers if worker.name == script), "")

    async def look(cloud: Cloud) -> History:
        proofs, unknown = await read_proofs(run.project, cloud, target_of(run), run.environ)
        return replace(await read_history(cloud, script, proofs, key), unknown=unknown)

    found = run.call(look)
    found = replace(found, releases=found.releases[:limit])
    run.result(found, lambda output: _show(output, found))


def _show(output: Output, found: History) -> None:
    rows = [_row(output, one) for one in found.releases]
    headings = ("", "when", "version", "how", "git", "digest", "proved in", "by", "about")
    output.show(table(headings, rows))
    if found.unknown:
        output.note(f"Not asked, or not answered: {', '.join(found.unknown)}")


_STYLES = {"promoted": "32", "live": "32", "rolled-back": "31", "aborted": "31", "held": "33", "paused": "33"}


def _row(output: Output, one: Release) -> list[Any]:
    from trailboss.cli.words_for import age, first_line

    walked = " → ".join(f"{share:g}" for share in one.shares) if len(one.shares) > 1 else ""
    how = f"{one.kind}{f' {walked} %' if walked else ''}"
    result = output.style(one.result, _STYLES.get(one.result, "2"), output.out)
    return [
        output.style("●", "32;1", output.out) if one.current else " ",
        age(one.created),
        output.style(one.version, "1", output.out),
        f"{how}, {result}",
        (one.git_sha or "")[:7],
        (one.digest or "").removeprefix("sha256:")[:8],
        ", ".join(one.proved),
        one.who or "",
        " ".join(part for part in (f"[{one.tag}]" if one.tag else "", first_line(one.message)) if part),
    ]
