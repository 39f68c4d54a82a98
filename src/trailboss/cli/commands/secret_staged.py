"""`trailboss versions secret …`: secrets on a new version that takes no traffic yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from trailboss.cli.commands.secret import chosen_value, value_from
from trailboss.cli.declare import command, worker_name
from trailboss.cli.output import Output, table
from trailboss.cli.run import Run
from trailboss.cli.words_for import percent, plural

if TYPE_CHECKING:
    from trailboss.release.secret_staged import NamesByVersion, StagedSecrets
    from trailboss.values import Secret

Function = TypeVar("Function", bound=Callable[..., Any])


def about_the_version(function: Function) -> Function:
    """wrangler's --message and --tag."""
    function = click.option("--tag", help="A tag for the version.")(function)
    return click.option("--message", help="What the version is about; kept on it.")(function)


@command(
    "trailboss versions secret put API_KEY --env production",
    "trailboss versions secret put API_KEY --value-from op://Production/api/key",
)
@click.argument("key")
@value_from
@about_the_version
@worker_name
def put(
    run: Run, *, key: str, source: str | None, message: str | None, tag: str | None, name: str | None
) -> None:
    """Make a version with one secret set. It takes no traffic until `versions deploy` gives it some."""
    script = run.script(name)
    run.announce(script)
    _stage(run, script, {key: chosen_value(run, key, source)}, message, tag)


@command(
    "trailboss versions secret bulk .env.production --env production",
    "trailboss versions secret bulk --message rotation < secrets.json",
)
@click.argument("file", required=False, metavar="[FILE]")
@about_the_version
@worker_name
def bulk(run: Run, *, file: str | None, message: str | None, tag: str | None, name: str | None) -> None:
    """Make a version with many secrets set, all of them or none; a JSON null removes one.

    FILE is dotenv or JSON, with references resolved; without it standard input is read.
    """
    from trailboss.cli.shipping import read_file

    script = run.script(name)
    waiting = read_file(run, file)
    waiting.expect()
    run.announce(script)
    _stage(run, script, waiting.values(), message, tag)


@command("trailboss versions secret delete API_KEY", "trailboss versions secret delete API_KEY --yes --json")
@click.argument("key")
@about_the_version
@worker_name
def delete(run: Run, *, key: str, message: str | None, tag: str | None, name: str | None) -> None:
    """Make a version without one secret. What runs keeps it."""
    script = run.script(name)
    run.announce(script)
    _stage(run, script, {key: None}, message, tag)


@command("trailboss versions secret list", "trailboss versions secret list --latest-version --json")
@click.option("--latest-version", "latest", is_flag=True, help="Of the newest version, deployed or not.")
@worker_name
def listing(run: Run, latest: bool, name: str | None) -> None:
    """Show the names of the secrets of each version that is deployed."""
    from trailboss.release.secret_staged import names_by_version

    script = run.script(name)
    run.announce(script)
    found = run.call(lambda cloud: names_by_version(cloud, script, latest=latest))
    run.result(found, lambda output: _show_names(output, found))


def _show_names(output: Output, found: NamesByVersion) -> None:
    for version in found.versions:
        label = f"v{version.number}" if version.number else version.version_id[:8]
        share = percent(version.share) if version.share is not None else "no"
        output.line(f"{output.style(label, '1', output.out)}  {share} traffic")
        for key in version.secrets:
            output.line(f"  {key}")
        if not version.secrets:
            output.line("  no secrets")


def _stage(
    run: Run, script: str, values: Mapping[str, Secret | None], message: str | None, tag: str | None
) -> None:
    from trailboss.cli.shipping import keeping
    from trailboss.release.secret_staged import stage

    keep = keeping(run)
    done = run.call(
        lambda cloud: stage(
            cloud,
            script,
            values,
            message=message,
            tag=tag,
            keeping=keep,
            progress=run.output.progress,
        )
    )
    run.result(done, lambda output: _show(output, done))


def _show(output: Output, done: StagedSecrets) -> None:
    from trailboss.cli import views

    marks = (
        (done.added, "+", "32"),
        (done.set, "~", "33"),
        (done.removed, "-", "31"),
        (done.absent, " ", "2"),
    )
    changed = len(done.added) + len(done.set) + len(done.removed)
    if changed:
        views.tick(output, f"v{done.number} has {plural(changed, 'change')} of secrets, and no traffic yet")
    else:
        views.tick(output, "Nothing to do")
    rows = [[output.style(mark, code, output.out), key] for keys, mark, code in marks for key in keys]
    output.show(table((), rows))
    for text in done.warnings:
        output.warn(text)
    if changed:
        output.line(f"Next: trailboss versions deploy v{done.number}")
