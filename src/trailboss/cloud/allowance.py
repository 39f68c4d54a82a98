"""The arithmetic of the rate budget: a token bucket, a sliding window and a block. Pure: time is given.

Cloudflare allows 1,200 requests in five minutes per user and then refuses everything for five minutes. We
stop ourselves at 80 % of that, in any window of 300 s, and smooth bursts: 4 requests a second after the
first 200.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

SLOT = 5.0  # seconds; the window counts whole slots, so it errs on the careful side
_MAGIC = b"TBB1"
_HEAD = struct.Struct("<4sIdddq")  # magic, crc of the rest, tokens, updated, blocked until, newest slot


@dataclass(frozen=True, slots=True)
class Limits:
    """`quota` requests per `window` seconds, of which `share` is ours; `rate` per second after `burst`."""

    quota: int = 1200
    window: float = 300.0
    share: float = 0.8
    rate: float = 4.0
    burst: float = 200.0

    @property
    def stop(self) -> int:
        """Requests in a window after which nothing more is sent."""
        return int(self.quota * self.share)

    @property
    def slots(self) -> int:
        """Slots a window can touch."""
        return int(self.window // SLOT) + 1


# The emulated account answers with its own limits (Ratelimit headers, 429); these only never get in the way.
UNHURRIED = Limits(quota=1_000_000_000, rate=1_000_000.0, burst=1_000_000.0)


@dataclass(slots=True)
class Allowance:
    """What all processes of the user share. Times are seconds since the epoch."""

    limits: Limits
    tokens: float
    updated: float
    blocked_until: float = 0.0
    newest: int = 0
    counts: list[int] = field(default_factory=list)

    @classmethod
    def fresh(cls, limits: Limits, now: float) -> Allowance:
        """Nothing used yet."""
        return cls(limits, limits.burst, now, 0.0, int(now // SLOT), [0] * limits.slots)

    @property
    def used(self) -> int:
        """Requests in the current window, all processes."""
        return sum(self.counts)

    def take(self, now: float) -> float:
        """Take one request: 0 when it may go now, else seconds after which to ask again (nothing taken)."""
        self._advance(now)
        if now < self.blocked_until:
            return self.blocked_until - now
        if self.used >= self.limits.stop:
            return self._until_room(now)
        if self.tokens < 1.0:
            return max((1.0 - self.tokens) / self.limits.rate, 0.001)
        self.tokens -= 1.0
        self.counts[0] += 1
        return 0.0

    def block(self, until: float) -> None:
        """Nothing goes before `until`; a shorter block never replaces a longer one."""
        self.blocked_until = max(self.blocked_until, until)

    def _advance(self, now: float) -> None:
        if now < self.updated:  # the clock was set back: time starts again here, used stays used
            self.blocked_until = min(self.blocked_until, now + max(0.0, self.blocked_until - self.updated))
            self.updated = now
            self.newest = int(now // SLOT)
            return
        self.tokens = min(self.limits.burst, self.tokens + (now - self.updated) * self.limits.rate)
        self.updated = now
        slot = int(now // SLOT)
        passed = slot - self.newest
        if passed > 0:
            size = self.limits.slots
            self.counts = ([0] * min(passed, size) + self.counts)[:size]
            self.newest = slot

    def _until_room(self, now: float) -> float:
        """Seconds until the oldest used slot leaves the window."""
        oldest = max(index for index, count in enumerate(self.counts) if count)
        leaves = (self.newest - oldest + self.limits.slots) * SLOT
        return max(leaves - now, 0.001)

    def pack(self) -> bytes:
        """The state as bytes of a fixed length, with a checksum."""
        body = struct.pack(f"<{len(self.counts)}I", *self.counts)
        head = _HEAD.pack(_MAGIC, 0, self.tokens, self.updated, self.blocked_until, self.newest)
        return head[:4] + struct.pack("<I", zlib.crc32(head[8:] + body)) + head[8:] + body

    @classmethod
    def unpack(cls, data: bytes, limits: Limits) -> Allowance | None:
        """The state in `data`, or None when it is damaged, cut short or of another layout."""
        if len(data) != _HEAD.size + 4 * limits.slots or data[:4] != _MAGIC:
            return None
        _, crc, tokens, updated, blocked, newest = _HEAD.unpack_from(data)
        if zlib.crc32(data[8:]) != crc:
            return None
        counts = list(struct.unpack_from(f"<{limits.slots}I", data, _HEAD.size))
        return cls(limits, min(tokens, limits.burst), updated, blocked, newest, counts)
