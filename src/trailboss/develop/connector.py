"""A tunnel with somebody at this end of it: cloudflared, or at a sandbox the sandbox's own edge."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from trailboss.develop import child
from trailboss.develop.cloudflared import Binary, find_cloudflared, read_log, run_command, run_environment
from trailboss.develop.keeper import Crashed, Keeper
from trailboss.develop.lines import Entry, Said
from trailboss.develop.ports import free_port
from trailboss.develop.tunnels import Tunnel, find_tunnel, read_token
from trailboss.errors import BuildError, ReleaseError

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

Tell = Callable[[Said | Crashed], None]
PATIENCE = 30.0
LOOK_SECONDS = 0.1


def need_connector(cloud: Cloud) -> Binary | None:
    """The cloudflared to run; None at a sandbox, whose edge dials the services itself.

    Raises:
        BuildError: TB3610 to TB3612.
    """
    return None if cloud.target.is_sandbox else find_cloudflared()


@asynccontextmanager
async def connected(
    cloud: Cloud, tunnel: Tunnel, tell: Tell, *, level: str = "info", patience: float = PATIENCE
) -> AsyncIterator[asyncio.Task[None] | None]:
    """The tunnel is up within the block, which gets the task that keeps cloudflared running (it ends only by
    a failure), or None at a sandbox.

    Raises:
        BuildError: TB3610 to TB3613. ReleaseError: TB4601 the sandbox's edge cannot reach the service.
    """
    binary = need_connector(cloud)
    if binary is None:
        await _until_dialled(cloud, tunnel, patience)
        yield None
        return
    metrics = f"127.0.0.1:{free_port()}"
    environ = run_environment(await read_token(cloud, tunnel), os.environ)
    command = run_command(binary, metrics, level)
    keeper = Keeper(
        "cloudflared", "tunnel", lambda: child.start(command, name="tunnel", environ=environ), read_log, tell
    )
    running = asyncio.create_task(keeper.run())
    try:
        await _until_ready(metrics, running, patience)
        keeper.ready.set()
        tell(Entry("tunnel", f"{tunnel.name} is connected (cloudflared {binary.version})"))
        yield running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _until_ready(metrics: str, running: asyncio.Task[None], patience: float) -> None:
    """Ask cloudflared's readiness endpoint until it has a connection."""
    import httpx

    try:
        async with asyncio.timeout(patience), httpx.AsyncClient(trust_env=False) as http:
            while not await _is_ready(http, f"http://{metrics}/ready"):
                if running.done():
                    await running  # raises why it ended
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        raise BuildError(
            "TB3613",
            f"cloudflared did not connect within {patience:g} s",
            hint="What it said is above. It needs to reach *.argotunnel.com on port 7844.",
        ) from None


async def _is_ready(http: object, url: str) -> bool:
    import httpx

    assert isinstance(http, httpx.AsyncClient)
    try:
        return (await http.get(url, timeout=2)).status_code == 200
    except httpx.HTTPError:
        return False


async def _until_dialled(cloud: Cloud, tunnel: Tunnel, patience: float) -> None:
    """At a sandbox: until its edge says that it reaches every service."""
    status = ""
    try:
        async with asyncio.timeout(patience):
            while True:
                status = (await find_tunnel(cloud, tunnel.id)).status
                if status in ("healthy", "degraded"):
                    return
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        raise ReleaseError(
            "TB4601",
            f"the tunnel {tunnel.name} is {status}: the sandbox's edge cannot reach what its rules lead to",
            hint="Start the service, or look at the rules: trailboss tunnel info.",
        ) from None
