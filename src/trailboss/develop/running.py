"""`tunnel run`: a connector in the foreground, until Ctrl-C."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from trailboss.develop.connector import Tell, connected
from trailboss.develop.lines import Entry
from trailboss.develop.session import interrupts
from trailboss.develop.tunnels import find_tunnel

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


async def run_tunnel(cloud: Cloud, name: str, tell: Tell, *, level: str = "info") -> None:
    """Connect the tunnel and stay connected until interrupted.

    At a sandbox there is nothing to run: its edge dials the services, and this says whether it reaches them.

    Raises:
        NotFound: TB2311. BuildError, ReleaseError: see `connected`.
    """
    tunnel = await find_tunnel(cloud, name)
    if cloud.target.is_sandbox:
        tell(Entry("tunnel", "the sandbox's edge is the connector: it dials the services itself"))
    with interrupts() as interrupted:
        ended = asyncio.create_task(interrupted.wait())
        work = asyncio.create_task(_stay(cloud, name, tell, level))
        done, _ = await asyncio.wait({ended, work}, return_when=asyncio.FIRST_COMPLETED)
        for task in (ended, work):
            task.cancel()
        await asyncio.gather(ended, work, return_exceptions=True)
        if work in done:
            work.result()
        tell(Entry("tunnel", f"{tunnel.name} is no longer served from here"))


async def _stay(cloud: Cloud, name: str, tell: Tell, level: str) -> None:
    tunnel = await find_tunnel(cloud, name)
    async with connected(cloud, tunnel, tell, level=level) as running:
        if running is None:
            tell(Entry("tunnel", f"{tunnel.name} is up"))
        await (running or asyncio.Event().wait())
