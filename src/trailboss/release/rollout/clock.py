"""Time, handed in: the engine never reads a clock or sleeps by itself."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds since 1970, and waiting until then."""

    def now(self) -> float: ...

    async def wait(self, until: float) -> None: ...


class Wall:
    """The real one."""

    def now(self) -> float:
        return time.time()

    async def wait(self, until: float) -> None:
        await asyncio.sleep(max(0.0, until - time.time()))
