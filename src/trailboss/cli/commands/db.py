"""`trailboss db connect`: a database behind a tunnel."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from trailboss.cli.declare import command
from trailboss.cli.run import Run
from trailboss.errors import UsageError

if TYPE_CHECKING:
    from trailboss.develop.database import Wish


@command("trailboss db connect orders --env production", "trailboss db connect orders --listen 15432")
@click.argument("name")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- CLIENT ARGUMENT]...")
@click.option("--listen", type=click.IntRange(1, 65535), metavar="PORT", help="Only open this local port.")
def connect(run: Run, name: str, arguments: tuple[str, ...], listen: int | None) -> int:
    """Open psql or mysql on a database of [databases] in trailboss.toml, through its tunnel.

    Tunnel, rule, DNS record and an Access application in front are made where they are missing. The password
    is resolved at that moment and handed to the client in its environment. What stands behind `--` goes to
    the client.
    """
    from trailboss.develop import database

    wish = _wish(run, name, arguments, listen)
    run.announce(f"{name} at {wish.hostname}")
    environ = dict(os.environ)

    def tell(port: int) -> None:
        run.output.note(f"{name} is at 127.0.0.1:{port}, until Ctrl-C")

    if listen is not None:
        run.call(lambda cloud: database.hold(cloud, wish, environ, tell))
        return 0
    return run.call(lambda cloud: database.connect(cloud, wish, environ))


def _wish(run: Run, name: str, arguments: tuple[str, ...], listen: int | None) -> Wish:
    """What `[databases]` says of it. Raises UsageError TB9480 when it says nothing."""
    from trailboss.cli.developing import files_of
    from trailboss.develop.database import Wish
    from trailboss.develop.settings import Databases

    known = run.project.section("databases", Databases).root
    if name not in known:
        raise UsageError(
            "TB9480",
            f"there is no database '{name}' in trailboss.toml",
            hint=f"There are: {', '.join(known) or 'none'}. Write it under [databases.{name}].",
        )
    entry = known[name]
    password = run.value(entry.password, f"databases.{name}.password") if entry.password else None
    return Wish(
        name,
        entry.hostname,
        entry.tunnel,
        entry.service,
        entry.engine,
        entry.user,
        password,
        entry.database,
        listen or entry.port or 0,
        arguments,
        files_of(run, "db connect"),
    )
