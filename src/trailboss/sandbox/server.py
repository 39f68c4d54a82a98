"""The daemon's life after its first steps: put the parts together, serve, stop cleanly."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from trailboss.errors import SandboxError
from trailboss.sandbox.app import App
from trailboss.sandbox.box import Box
from trailboss.sandbox.clock import Clock
from trailboss.sandbox.daemon import Held, report
from trailboss.sandbox.faults import Faults
from trailboss.sandbox.identity import Connection, write_private
from trailboss.sandbox.ids import Ids
from trailboss.sandbox.journal import Journal
from trailboss.sandbox.routes import Router, discover
from trailboss.sandbox.runtime import Runtime
from trailboss.sandbox.snapshots import sweep
from trailboss.sandbox.store import Store
from trailboss.sandbox.supervisor import Supervisor
from trailboss.sandbox.tails import Tails
from trailboss.sandbox.wanted import wanted_state
from trailboss.version import __version__

log = logging.getLogger("trailboss.sandbox")
RESTART_PAUSE = 1.0
KEEP_ALIVE = 300
"""Seconds an idle connection is kept: longer than clients pool theirs, so that none is closed under a
request."""


class _Protocol(H11Protocol):
    """uvicorn's, plus a way for a fault rule to close the connection without an answer."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        inner = self.app

        async def with_abort(scope: Any, receive: Any, send: Any) -> None:
            scope["trailboss.abort"] = self.transport.abort
            await inner(scope, receive, send)
            if self.transport.is_closing():
                await asyncio.sleep(0)  # let uvicorn notice, so that it does not answer 500 into the void

        self.app = with_abort


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: the daemon has its own."""

    def capture_signals(self) -> Any:
        from contextlib import nullcontext

        return nullcontext()


def serve(held: Held) -> int:
    """Run until SIGTERM or SIGINT; the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    return asyncio.run(_serve(held))


async def _serve(held: Held) -> int:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    if held.options.leash >= 0:
        asyncio.get_running_loop().add_reader(held.options.leash, stopping.set)
    supervisor = Supervisor(held.launch, held.child)
    try:
        box = build(held, supervisor)
    except SandboxError:
        await supervisor.stop()
        raise
    try:
        return await _run(held, box, supervisor, stopping)
    finally:
        held.folder.connection.unlink(missing_ok=True)
        await box.tails.close()
        await box.stop_tasks()
        await box.runtime.close()
        box.store.checkpoint()
        box.store.close()
        box.journal.close()


def build(held: Held, supervisor: Supervisor) -> Box:
    """All parts of the sandbox, from what is on disk."""
    routers: list[Router] = discover()
    clock, ids = Clock(), Ids()
    store = Store(held.folder.database)
    for router in routers:
        store.define(router.schema)
    box = Box(
        folder=held.folder,
        identity=held.identity,
        store=store,
        journal=Journal(held.folder.journal),
        clock=clock,
        ids=ids,
        faults=Faults(ids),
        runtime=Runtime(supervisor, held.identity.token),
        tails=Tails(clock.now, ids.fraction),
        routers=routers,
        api_root=held.api_root,
        edge_port=0,
        strict=held.options.strict,
        started=time.time(),
    )
    box.runtime.describe = lambda: wanted_state(box)
    box.runtime.watched = box.tails.scripts
    box.tails.fewer = box.runtime.listen_soon
    return box


async def _run(held: Held, box: Box, supervisor: Supervisor, stopping: asyncio.Event) -> int:
    config = uvicorn.Config(
        App(box),
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE,
    )
    server = _Server(config)
    serving = box.spawn(server.serve([held.listener]), "API server")
    await box.tails.listen()
    box.spawn(supervisor.run(), "side-car supervisor")
    if not await _first(supervisor.ready(), stopping):
        raise SandboxError(
            "TB5006",
            f"the sandbox's runtime did not start (exit {supervisor.last_exit})",
            hint=f"The log is {held.folder.log}.",
        )
    box.edge_port = supervisor.child.edge_port
    box.spawn(sweep(box), "sweep")
    for router in box.routers:
        for starter in router.starters:
            box.spawn(_keep_running(starter, box), f"{router.product} background work")
    write_private(held.folder.connection, asdict(_connection(held, box)))
    report(held.options.report, {"ready": True})
    await stopping.wait()
    server.should_exit = True
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.shield(serving), 2)
    return 0


async def _first(ready: Any, stopping: asyncio.Event) -> bool:
    started = asyncio.ensure_future(ready)
    stopped = asyncio.ensure_future(stopping.wait())
    await asyncio.wait({started, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    return started.done() and bool(started.result())


async def _keep_running(starter: Any, box: Box) -> None:
    while True:
        try:
            await starter(box)
            return
        except Exception:
            log.exception("background work failed; it starts again")
            await asyncio.sleep(RESTART_PAUSE)


def _connection(held: Held, box: Box) -> Connection:
    identity = held.identity
    return Connection(
        name=identity.name,
        pid=os.getpid(),
        api_url=f"{box.api_root}/client/v4",
        control_url=f"{box.api_root}/_sandbox",
        edge_url=f"http://127.0.0.1:{box.edge_port}",
        edge_port=box.edge_port,
        account_id=identity.account_id,
        token=identity.token,
        subdomain=identity.subdomain,
        s3={
            "endpoint": f"{box.api_root}/_s3",
            "access_key_id": identity.token_id,
            "secret_access_key": identity.s3_secret,
        },
        version=__version__,
        started_at=box.clock.iso(),
    )
