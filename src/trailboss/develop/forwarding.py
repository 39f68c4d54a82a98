"""`tunnel forward`: one connection over stdio, or a local port until Ctrl-C."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from trailboss.develop.access import Visitor
from trailboss.develop.forward import Gate, listening, over_stdio
from trailboss.develop.ports import need_port
from trailboss.develop.reach import find_gate
from trailboss.develop.session import interrupts

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


async def forward(
    cloud: Cloud | None,
    hostname: str,
    environ: Mapping[str, str],
    *,
    listen: int | None = None,
    tell: Callable[[int], None] = lambda _: None,
) -> None:
    """Carry standard input and output, or with `listen` whatever connects to that port (0: a free one).

    Without a `cloud` the host name is Cloudflare's: nothing has to be asked of the account.

    Raises:
        AuthenticationError: TB2121. Unavailable: TB2521. ConfigError: TB1821. UsageError: TB9460.
    """
    if cloud is None:
        gate = Gate(hostname, headers=Visitor.of(environ).headers)
    else:
        gate = await find_gate(cloud, hostname, environ)
    if listen is None:
        await over_stdio(gate)
        return
    if listen:
        need_port(listen, "127.0.0.1", what="--listen")
    with interrupts() as interrupted:
        async with listening(gate, listen) as port:
            tell(port)
            waiting = asyncio.create_task(interrupted.wait())
            await waiting
