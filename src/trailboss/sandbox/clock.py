"""The sandbox's time: real, shifted, or frozen. Everything that stores or waits for a moment asks here."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any


class Clock:
    """Seconds since 1970 as the sandbox sees them.

    `offset` is added to real time; while `frozen` is set time stands still at that moment and moves only by
    `advance`. Sleepers wake when their moment comes, however it comes.
    """

    def __init__(self) -> None:
        self._offset = 0.0
        self._frozen: float | None = None
        self._changed = asyncio.Event()

    def now(self) -> float:
        """The moment, in seconds."""
        return self._frozen if self._frozen is not None else time.time() + self._offset

    def milliseconds(self) -> int:
        """The moment, in whole milliseconds."""
        return int(self.now() * 1000)

    def iso(self, moment: float | None = None) -> str:
        """RFC 3339 in UTC with microseconds, as Cloudflare writes it."""
        when = datetime.fromtimestamp(self.now() if moment is None else moment, UTC)
        return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def set(
        self, *, offset: float | None = None, freeze: float | bool | None = None, advance: float = 0.0
    ) -> None:
        """Change time: `freeze` True stops it here, a number stops it there, False lets it run on from
        there."""
        if offset is not None:
            self._offset, self._frozen = offset, None
        if freeze is True:
            self._frozen = self.now()
        elif freeze is False:
            self._offset, self._frozen = self.now() - time.time(), None
        elif freeze is not None:
            self._frozen = float(freeze)
        if self._frozen is not None:
            self._frozen += advance
        else:
            self._offset += advance
        self.touch()

    def touch(self) -> None:
        """Wake every sleeper, because what it waits for may have changed."""
        self._changed.set()
        self._changed = asyncio.Event()

    def reset(self) -> None:
        """Back to real time."""
        self.set(offset=0.0)

    def state(self) -> dict[str, Any]:
        """What the control plane shows."""
        return {"now": self.iso(), "offset": self._offset, "frozen": self._frozen is not None}

    async def sleep_until(self, moment: float | None) -> None:
        """Return when the sandbox's time has reached `moment` (None: never), or has been changed."""
        changed = self._changed
        if moment is None or self._frozen is not None:
            if moment is not None and self.now() >= moment:
                return
            await changed.wait()
            return
        delay = moment - self.now()
        if delay > 0:
            try:
                await asyncio.wait_for(changed.wait(), delay)
            except TimeoutError:
                return
