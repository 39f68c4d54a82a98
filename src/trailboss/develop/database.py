"""`db connect`: a database client on a database behind a tunnel."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from trailboss.develop.forward import listening
from trailboss.develop.local_port import through
from trailboss.develop.ports import need_port
from trailboss.develop.reach import Wanted, find_gate, prepare
from trailboss.develop.session import interrupts
from trailboss.errors import BuildError, ConfigError
from trailboss.values import Secret

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.develop.files import Files

PORTS = {"postgresql": 5432, "mysql": 3306}
CLIENTS = {"postgresql": ("psql",), "mysql": ("mariadb", "mysql")}
PACKAGES = {"postgresql": "postgresql-client", "mysql": "mariadb-client"}


@dataclass(frozen=True, slots=True)
class Wish:
    """Which database; `arguments` go to its client. Without a tunnel the host name is taken as it is."""

    name: str
    hostname: str
    tunnel: str | None = None
    service: str | None = None
    engine: str | None = None
    user: str | None = None
    password: Secret | None = field(default=None, repr=False)
    database: str | None = None
    port: int = 0
    arguments: tuple[str, ...] = ()
    files: Files | None = None

    def kind(self) -> str:
        """`postgresql` or `mysql`. Raises ConfigError TB1823 when nothing tells."""
        if self.engine:
            return self.engine
        port = urlsplit(self.service or "").port
        for engine, usual in PORTS.items():
            if port == usual:
                return engine
        raise ConfigError(
            "TB1823",
            f"which client the database {self.name} needs cannot be told",
            hint='Write `engine = "postgresql"` or "mysql" for it under [databases] in trailboss.toml.',
        )


async def connect(cloud: Cloud, wish: Wish, environ: Mapping[str, str]) -> int:
    """The client on this terminal until it ends; its exit status.

    The password is in the client's environment, and in no command line and no file.

    Raises:
        ConfigError: TB1823. BuildError: TB3617 there is no client here. And what `reach.prepare` raises.
    """
    command, variables = client(wish)
    async with _open(cloud, wish, environ) as port:
        words, more = command(port)
        return await _foreground(words, {**environ, **variables, **more})


async def hold(cloud: Cloud, wish: Wish, environ: Mapping[str, str], tell: Callable[[int], None]) -> None:
    """A local port that leads to the database, until Ctrl-C: for clients of one's own."""
    with interrupts() as interrupted:
        async with _open(cloud, wish, environ) as port:
            tell(port)
            await asyncio.create_task(interrupted.wait())


Command = Callable[[int], tuple[list[str], dict[str, str]]]


def client(wish: Wish) -> tuple[Command, dict[str, str]]:
    """How the client is started, once the port is known, and the variables it needs.

    Raises:
        ConfigError: TB1823. BuildError: TB3617.
    """
    engine = wish.kind()
    program = next(filter(None, map(shutil.which, CLIENTS[engine])), None)
    if program is None:
        raise BuildError(
            "TB3617",
            f"there is no {CLIENTS[engine][0]} on the PATH",
            hint=f"Install it (Debian: {PACKAGES[engine]}), or use a client of your own: --listen PORT.",
        )
    secret = wish.password.reveal() if wish.password else None
    if engine == "postgresql":
        named = {"PGUSER": wish.user, "PGPASSWORD": secret, "PGDATABASE": wish.database}
        variables = {name: value for name, value in named.items() if value}
        return lambda port: (
            [program, *wish.arguments],
            {"PGHOST": "127.0.0.1", "PGPORT": str(port)},
        ), variables
    user = ["--user", wish.user] if wish.user else []
    last = [wish.database] if wish.database else []
    variables = {"MYSQL_PWD": secret} if secret else {}
    return lambda port: (
        [program, "--protocol=tcp", "--host=127.0.0.1", f"--port={port}", *user, *wish.arguments, *last],
        {},
    ), variables


@asynccontextmanager
async def _open(cloud: Cloud, wish: Wish, environ: Mapping[str, str]) -> AsyncIterator[int]:
    """The local port that leads to the database."""
    if wish.port:
        need_port(wish.port, "127.0.0.1", what="--listen")
    if wish.tunnel is None:
        gate = await find_gate(cloud, wish.hostname, environ)
        async with listening(gate, wish.port) as port:
            yield port
        return
    default = f"tcp://localhost:{PORTS[wish.kind()]}"
    wanted = Wanted(wish.tunnel, wish.hostname, wish.service, default, files=wish.files)
    way = await prepare(cloud, wanted, environ)
    async with through(way, environ, wish.port) as port:
        yield port


async def _foreground(command: list[str], environ: Mapping[str, str]) -> int:
    """The terminal is the client's: a Ctrl-C is for it, and not for us."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = subprocess.Popen(command, env=dict(environ), preexec_fn=_heed_interrupts)  # noqa: ASYNC220, PLW1509
        status = await asyncio.to_thread(process.wait)
    finally:
        signal.signal(signal.SIGINT, before)
    return status if status >= 0 else 128 - status


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
