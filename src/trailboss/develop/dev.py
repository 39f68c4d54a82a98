"""`dev`: everything of one development session, put together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from trailboss.develop.server import Server
from trailboss.develop.session import Beside, Ended, Tell, follow_files, serve
from trailboss.develop.setup import Setup, Wish, check
from trailboss.develop.testing import Command, run_tests

if TYPE_CHECKING:
    from trailboss.config import Worker
    from trailboss.develop.variables import Resolvers


async def dev(
    wish: Wish,
    workers: tuple[Worker, ...],
    resolvers: Resolvers,
    tell: Tell,
    *,
    reload: Callable[[], tuple[Worker, ...]],
    also: tuple[Path, ...] = (),
    beside: tuple[Beside, ...] = (),
    tests: Command | None = None,
    patience: float | None = None,
) -> Ended:
    """Run the Workers until Ctrl-C, or until `tests` have ended; nothing is left behind.

    `reload` reads the project again after one of its files, or of `also`, changed. The first of `workers`
    answers on the port. Nothing starts before ports, certificate and secrets are known to be good.

    Raises:
        UsageError: TB9460 to TB9465. SecretError: see `read_variables`. BuildError: TB3601 to TB3604.
    """
    wish, pair = check(wish, workers)
    more = {} if pair is None else {"NODE_EXTRA_CA_CERTS": str(pair.certificate.parent / "authority.pem")}
    if tests is not None:
        beside = (*beside, partial(run_tests, tests.with_variables(more)))
    with await asyncio.to_thread(Setup, wish, workers, resolvers, also=also) as setup:
        server = Server(setup, tell)
        watch = follow_files(setup, server, reload, tell)
        return await serve(server, tell, beside=beside, watch=watch, patience=patience)
