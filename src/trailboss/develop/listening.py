"""The ports a dev server listens on: the one of its address, and the one of devtools.

wrangler looks for a free devtools port from 9229 on; two servers started at the same moment find the same
one, and the second dies of it. So we choose it: a lock in the user's cache keeps two sessions apart.
"""

from __future__ import annotations

import asyncio
import fcntl
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from trailboss.develop.ports import is_taken, need_port
from trailboss.toolchain import cache_root

if TYPE_CHECKING:
    from collections.abc import Mapping

DEVTOOLS, MOST = 9229, 100
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Place:
    """A port that was asked for, and the flag that asks for another."""

    port: int
    address: str
    flag: str

    def need(self) -> None:
        """Raises UsageError TB9460, TB9461 when it cannot be had."""
        need_port(self.port, self.address, what=self.flag)

    async def until_free(self, patience: float) -> None:
        """Return when it can be had.

        Raises:
            UsageError: TB9460 somebody still has it after `patience` seconds; TB9461.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while True:
                    if not is_taken(self.port, self.address):
                        return
                    await asyncio.sleep(LOOK_SECONDS)
        self.need()


def asked_for(
    table: Mapping[str, Any], port: int | None, address: str | None, devtools: int | None
) -> tuple[Place, ...]:
    """What flags, or else the `dev` table of the wrangler configuration, ask for; port 0 is any."""
    first = port if port is not None else table.get("port")
    second = devtools if devtools is not None else table.get("inspector_port")
    found = [
        Place(int(first), address or table.get("ip") or "localhost", "--port") if first else None,
        Place(int(second), table.get("inspector_ip") or "127.0.0.1", "--inspector-port") if second else None,
    ]
    return tuple(place for place in found if place is not None)


class Devtools:
    """A devtools port that nobody has and no other session is about to take, held until `release`."""

    port: int | None = None

    def __init__(self) -> None:
        self._lock: IO[bytes] | None = None

    def choose(self) -> int:
        """The one held, else the first from 9229 on; 0 (any) when a hundred are taken."""
        if self.port is not None:
            return self.port
        folder = cache_root() / "ports"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for port in range(DEVTOOLS, DEVTOOLS + MOST):
            handle = (folder / str(port)).open("ab")
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                handle.close()
                continue
            if not is_taken(port, "127.0.0.1"):
                self._lock, self.port = handle, port
                return port
            handle.close()
        return 0

    def release(self) -> None:
        """Let others have it."""
        if self._lock is not None:
            self._lock.close()
        self._lock = self.port = None
