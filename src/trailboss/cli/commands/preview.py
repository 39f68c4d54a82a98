"""`trailboss preview …`: an environment for a branch or a pull request."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trailboss.cli.declare import Elsewhere, command
from trailboss.cli.output import Output
from trailboss.cli.run import Run
from trailboss.cli.words_for import plural
from trailboss.errors import ConfigError

if TYPE_CHECKING:
    from trailboss.cli.removing import Removed
    from trailboss.cloud import Cloud
    from trailboss.develop.seeding import Planted
    from trailboss.release.outcomes import DeployReport

WRANGLERS = frozenset({"secret", "base-config"})
"""What `wrangler preview` has below it."""


@dataclass(frozen=True, slots=True)
class Preview:
    """One preview: `source` is what it is a copy of ("" is the top level), `expires` in ISO 8601 ("" where
    the account cannot say), `url` where its first Worker answers."""

    name: str
    source: str
    expires: str
    url: str | None
    seeded: tuple[Planted, ...]


@command(
    "trailboss preview",
    "trailboss preview pr-12 --from staging --expires 24h --json",
    "trailboss preview feature/login",
)
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--name", "named", metavar="NAME", help="The name, as an option.")
@click.option("--from", "source", metavar="ENV", help="What it is a copy of; [ephemeral] from, or staging.")
@click.option("--expires", metavar="WHEN", help="A span (24h, 3d) or a moment; [ephemeral] expires, or 3d.")
@click.option("--secrets-file", metavar="FILE", help="Secrets of its Workers (dotenv or JSON).")
@click.option("--var", multiple=True, metavar="NAME:VALUE", help="A variable; may repeat.")
@click.option("--message", help="What this version is about; kept on it.")
@click.option("--tag", help="A tag for this version.")
@click.option("--no-seed", is_flag=True, help="Leave its data as it is.")
def create(run: Run, *, name: str | None, named: str | None, source: str | None, **asked: Any) -> int:
    """Give a branch or a pull request an environment: Workers, databases and buckets of its own, seeded,
    deployed, at an address of its own. Run again it is brought up to date.

    No file changes: it is a copy of another environment without its routes, zones and gates. Without NAME it
    is called after the pull request or the branch. Every command takes `--env NAME`. `preview delete` ends
    it, or `environments reap` when its time has come.
    """
    given = name or named
    if given in WRANGLERS or (given and Path(given).suffix and Path(given).is_file()):
        raise Elsewhere("this is wrangler's preview")
    with _there(run, given, source, asked["expires"]) as there:
        made, report = _make(there, asked)
    document = _document(made, report)
    there.result(document, lambda output: _show(output, made, report))
    return report.exit_status


def _make(run: Run, asked: dict[str, Any]) -> tuple[Preview, DeployReport]:
    from trailboss.build import Options, needs_wrangler
    from trailboss.cli import beginning, building
    from trailboss.cli.commands.deploy import released, target_of
    from trailboss.release.outcomes import DeployOptions
    from trailboss.release.wrangling import refuse_copy

    workers, seeds = run.workers(), () if asked["no_seed"] else beginning.seeds_of(run)
    for worker in workers:  # before anything is made
        refuse_copy(worker, needs_wrangler(worker))
    options = DeployOptions(
        reveal=run.reveal,
        build=Options(var=building.pairs(asked["var"], "--var")),
        message=asked["message"],
        tag=asked["tag"],
        secrets=building.read_secrets_file(run, asked["secrets_file"]),
        confirm=run.confirm(),
        target_of=target_of(run),
    )
    run.announce(", ".join(worker.name for worker in workers))
    expires = beginning.note_end(run)
    beginning.provide(run)
    planted = beginning.plant(run, seeds)
    report = released(run, workers, run.target, options, {})
    if any(one.first for one in report.workers) and report.ok:
        beginning.provide(run)  # what only a Worker that is there can have
    first = (run.project.here or workers[0]).name
    urls = [url for one in report.workers if one.worker == first for url in one.urls]
    urls += [url for one in report.workers for url in one.urls]
    return Preview(_name(run), _source(run), expires, urls[0] if urls else None, planted), report


@command("trailboss preview list", "trailboss preview list --json")
def listing(run: Run) -> None:
    """Show the previews of this project that the account has, where they answer and when they end."""
    from trailboss.cli.expiring import is_past
    from trailboss.cli.plans import in_environment
    from trailboss.cli.removing import expiries
    from trailboss.config.derived import PREFIXES

    top = in_environment(run, "")
    top.announce(top.project.name)
    found = {
        owner.environment: end
        for owner, end in expiries(top).items()
        if owner.project == top.project.name and owner.environment.startswith(PREFIXES)
    }
    urls = top.call(lambda cloud: _addresses(cloud, [name for end in found.values() for name in end.scripts]))
    previews = [
        {
            "name": name,
            "expires": end.until,
            "expired": is_past(end.until),
            "workers": [{"worker": one, "url": urls.get(one)} for one in end.scripts],
        }
        for name, end in sorted(found.items())
    ]
    top.result({"previews": previews}, lambda output: _show_list(output, previews))


@command("trailboss preview delete pr-12", "trailboss preview delete")
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--name", "named", metavar="NAME", help="The name, as an option.")
@click.option("--from", "source", metavar="ENV", help="What it is a copy of, as it was made.")
@click.option("--wait", type=float, default=180.0, metavar="SECONDS", help="Wait for an apply to finish.")
def delete(run: Run, name: str | None, named: str | None, source: str | None, wait: float) -> None:
    """Take a preview out of the account: Workers, resources with their data, every note of it.

    It was made to be thrown away, so nothing is asked where nobody is there to answer. Stopped anywhere, the
    same command goes on; when nothing is left it says so.
    """
    from trailboss.cli import ending

    with _there(run, name or named, source, None) as there:
        gone = ending.remove_all(there, ephemeral=True, force=False, wait=wait)
    document = {"name": _name(there), "resources": gone.resources, "workers": gone.workers}
    there.result(document, lambda output: _show_gone(output, _name(there), gone))


@contextmanager
def _there(run: Run, given: str | None, source: str | None, expires: str | None) -> Iterator[Run]:
    """The run in the preview's environment. `--env` names it, or what it is a copy of.

    Raises:
        ConfigError: TB1534 there is nothing a preview could be a copy of.
    """
    from trailboss.cli.expiring import moment
    from trailboss.cli.plans import in_environment
    from trailboss.config.derived import PREFIXES
    from trailboss.config.environment import git_branch
    from trailboss.develop.preview import LONGEST, name_for, said

    chosen = run.options.env
    if chosen and chosen.startswith(PREFIXES):
        given = given or chosen
    elif chosen is not None and source is None:
        source = chosen
    expires = moment(expires) if expires is not None else None
    top = in_environment(run, "")
    top.workers()
    room = min(LONGEST, 62 - max(len(worker.name) for worker in top.workers()))
    name = name_for(given, os.environ, git_branch(top.project.root), room)
    if top.project.file is None:
        raise ConfigError(
            "TB1534",
            "a preview needs resources of its own, which only a project with a trailboss.toml gives it",
            hint="trailboss init writes one.",
            where=top.project.locate("name"),
        )
    with said(os.environ, source, expires):
        there = in_environment(run, name)
        _check(top, there, name, source)
        yield there


def _check(top: Run, there: Run, name: str, source: str | None) -> None:
    """Say what is missing where the preview's name means nothing. Raises ConfigError TB1534, TB1102."""
    from trailboss.config.derived import USUAL

    known = top.project.environments
    said = source if source is not None else (top.project.tables.get("ephemeral") or {}).get("from")
    if name not in known and (said or (USUAL if known else "")) not in ("", *known):
        nothing = f'there is no environment "{said}" for a preview to be a copy of'
        raise ConfigError(
            "TB1534",
            nothing if said else "it is not said which environment a preview is a copy of",
            hint=f'Choose one with --from, or [ephemeral] from = "…". There are: {", ".join(known)}.',
            where=top.project.locate("ephemeral", "from"),
        )
    _ = there.project


def _name(run: Run) -> str:
    return run.project.environment.name or ""


def _source(run: Run) -> str:
    derived = run.project.document.derived if run.project.document else None
    return derived[1] if derived else _name(run)


async def _addresses(cloud: Cloud, names: list[str]) -> dict[str, str | None]:
    from trailboss.plan.removal import existing
    from trailboss.release.rollout.addresses import address_of
    from trailboss.release.triggers import read_record

    there = await existing(cloud, names)
    return {name: address_of(await read_record(cloud, name), {}) for name in there}


def _document(made: Preview, report: DeployReport) -> dict[str, Any]:
    from trailboss.cli.output import plain

    return {"ok": report.ok, **plain(report), **plain(made)}


def _show(output: Output, made: Preview, report: DeployReport) -> None:
    from trailboss.cli import reports, views
    from trailboss.cli.commands.seed import said

    reports.deployed(output, report)
    for one in made.seeded:
        output.line(f"  seed of {said(one)}")
    if report.ok:
        ends = f", until {made.expires}" if made.expires else ""
        source = f"a copy of {made.source or 'the top level'}"
        views.tick(output, f"{output.style(made.name, '1', output.out)} is {source}{ends}")
        output.line(f"  {made.url or 'It has no address.'}")


def _show_list(output: Output, previews: list[dict[str, Any]]) -> None:
    from trailboss.cli import views
    from trailboss.cli.output import table

    rows = [
        (
            one["name"],
            one["expires"] + (" (over)" if one["expired"] else ""),
            ", ".join(worker["url"] or f"{worker['worker']} (not deployed)" for worker in one["workers"]),
        )
        for one in previews
    ]
    if rows:
        output.show(table(("preview", "ends", "where"), rows))
    else:
        views.tick(output, "There is no preview")


def _show_gone(output: Output, name: str, gone: Removed) -> None:
    from trailboss.cli import views

    if not gone.resources and not gone.workers:
        views.tick(output, f"Nothing to do: the account has nothing of {name}")
        return
    workers = ", ".join(gone.workers) or "no Worker was left"
    views.tick(output, f"{name} is gone: {plural(len(gone.resources), 'resource')}, {workers}")
