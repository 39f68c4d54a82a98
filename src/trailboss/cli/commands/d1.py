"""`trailboss d1 execute`: SQL on the account's database, this machine's, or a dev server behind a tunnel."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trailboss.cli.declare import Elsewhere, command
from trailboss.cli.output import Output
from trailboss.cli.run import Run
from trailboss.errors import UsageError

if TYPE_CHECKING:
    from trailboss.develop.d1 import Answer, Database
    from trailboss.develop.reach import Wanted

DEV_PORT = 8787
LOCALLY = "remove the --remote flag from your wrangler command."


@command(
    'trailboss d1 execute agency-ai-sessions --env staging --remote --command "SELECT 1"',
    'trailboss d1 execute agency-ai-sessions --tunnel db-access-development --command "SELECT 1"',
)
@click.argument("name")
@click.option("--command", "sql", metavar="SQL", help="What to run.")
@click.option("--file", metavar="FILE", help="A file of SQL.")
@click.option("--remote", is_flag=True, help="On the account's database.")
@click.option("--local", is_flag=True, help="On this machine's database, as without --remote and --tunnel.")
@click.option("--preview", is_flag=True, help="On the account's preview database.")
@click.option("--persist-to", metavar="FOLDER", help="Where this machine's data is.")
@click.option("--tunnel", metavar="NAME", help="On the dev server behind this tunnel.")
@click.option("--hostname", metavar="HOST", help="Its host name at the tunnel; else it is found or made.")
@click.option("--service", metavar="URL", help="The dev server, seen from the connector.")
def execute(run: Run, name: str, sql: str | None, file: str | None, **asked: Any) -> None:
    """Run SQL on a D1 database, named as in the files, as in the account, or by its binding.

    As with wrangler it is this machine's database, unless --remote says the account's. With --tunnel it is
    the one of a `trailboss dev` somewhere else: tunnel, rule, DNS record and an Access application are made
    where they are missing, and the tunnel has to be run there (`trailboss tunnel run`).
    """
    from trailboss.develop.d1 import read_sql

    far = asked["tunnel"] is not None
    if far and any(asked[flag] for flag in ("remote", "local", "preview", "persist_to")):
        raise UsageError(
            "TB9481", "--tunnel stands instead of --remote and --local", hint="Give one of them."
        )
    found = _database(run, name)
    if not far and (not asked["remote"] or file or asked["local"] or asked["preview"] or asked["persist_to"]):
        _hand_over(name, found.name if found and (asked["remote"] or asked["preview"]) else name)
    text = read_sql(sql, file)
    run.announce(found.name if found else name)
    answer = _at_dev(run, name, found, text, asked) if far else _in_account(run, name, found, text)
    if run.output.as_json:
        run.output.document(answer.results)
    else:
        _show(run.output, name, answer, far)


def _in_account(run: Run, name: str, found: Database | None, sql: str) -> Answer:
    from trailboss.develop import d1

    return run.call(lambda cloud: d1.execute(cloud, name, found, sql))


def _at_dev(run: Run, name: str, found: Database | None, sql: str, asked: dict[str, Any]) -> Answer:
    from trailboss.develop import d1

    if found is None:
        raise UsageError(
            "TB9477", f"no Worker of the project binds a D1 database '{name}'", hint="Check name and --env."
        )
    environ, hints = dict(os.environ), _hints(run)

    async def go(cloud: Any) -> Answer:
        hostname = await d1.meant_hostname(cloud, asked["tunnel"], asked["hostname"], hints)
        return await d1.execute_at_dev(cloud, found, sql, _wanted(run, hostname, asked), environ)

    return run.call(go)


def _hints(run: Run) -> list[str]:
    """Host names and zones that the project speaks of."""
    from trailboss.cli.developing import dev_settings
    from trailboss.develop.settings import Databases, SshSettings

    zones = run.project.settings.zones.values()
    found = [str(zone.get("name", "")) if isinstance(zone, dict) else str(zone) for zone in zones]
    ssh = run.project.section("ssh", SshSettings)
    hosts = [dev_settings(run).hostname, ssh.hostname, *(host.hostname for host in ssh.hosts.values())]
    hosts += [entry.hostname for entry in run.project.section("databases", Databases).root.values()]
    return [*found, *filter(None, hosts)]


def _wanted(run: Run, hostname: str, asked: dict[str, Any]) -> Wanted:
    from trailboss.cli.developing import dev_settings, files_of
    from trailboss.develop.reach import Wanted

    port, files = dev_settings(run).port or DEV_PORT, files_of(run, "d1 execute")
    return Wanted(asked["tunnel"], hostname, asked["service"], f"tcp://localhost:{port}", files=files)


def _database(run: Run, name: str) -> Database | None:
    """What the project's files say of it, in this environment; None when they do not know it."""
    from trailboss.config import Project
    from trailboss.develop.d1 import find_database

    project = run.project
    originals = project.workers
    if project.workers and project.environment.name is not None:
        config = Path(run.options.config[-1]) if run.options.config else None
        originals = Project.load(environment="", config=config, environ=run.environ).workers
    return find_database(name, project.workers, originals)


def _hand_over(name: str, real: str) -> None:
    """wrangler does it, on the database of this environment."""
    if name == real:
        raise Elsewhere
    from trailboss.cli.passthrough import hand_over
    from trailboss.cli.words import split

    line = split(sys.argv[1:])
    rest = list(line.rest)
    rest[rest.index(name)] = real
    hand_over(replace(line, rest=rest))


def _show(output: Output, name: str, answer: Answer, far: bool) -> None:
    """wrangler's words; its tables on a terminal, the API's own answer elsewhere."""
    where = f"the dev server behind {answer.where}" if far else f"remote database {name} ({answer.where})"
    output.line(f"🌀 Executing on {where}:")
    if not far:
        output.line(f"🌀 To execute on your local development database, {LOCALLY}")
    took = sum(float(one.get("meta", {}).get("duration") or 0) for one in answer.results)
    count = len(answer.results)
    output.line(f"🚣 Executed {count} command{'' if count == 1 else 's'} in {took:.2f}ms")
    if not output.out.isatty():
        output.document(answer.results)
        return
    for one in answer.results:
        if one["results"]:
            output.line(_boxed(one["results"]))


def _boxed(rows: list[dict[str, Any]]) -> str:
    """A table with lines around every cell."""
    names = list(rows[0])
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    widths = [
        max(len(part) for text in [name, *(row[i] for row in cells)] for part in text.split("\n"))
        for i, name in enumerate(names)
    ]

    def rule(left: str, middle: str, right: str) -> str:
        return left + middle.join("─" * (width + 2) for width in widths) + right

    def line(row: list[str]) -> str:
        return "│" + "│".join(f" {text:<{width}} " for text, width in zip(row, widths, strict=True)) + "│"

    body = f"\n{rule('├', '┼', '┤')}\n".join(line(row) for row in [names, *cells])
    return "\n".join([rule("┌", "┬", "┐"), body, rule("└", "┴", "┘")])


def _cell(value: Any) -> str:
    """A value in one line."""
    if value is None:
        return "null"
    return str(value).replace("\n", " ")
