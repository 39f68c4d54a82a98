"""The state of a rollout, in the message of each of its deployments.

Cloudflare keeps `workers/message` (1,000 bytes) with a deployment and shows it everywhere; nothing else of a
deployment can be written. So a rollout's every write carries, behind the words for people:

    Fix the login · 10 % (step 2 of 4) [rollout 3f2a91bc phase=step at=1 of=1,10,50,100 stable=… canary=… …]

Whoever reads the newest deployment knows what is under way, who does it, until when that one promised to
write again, and the evidence so far. A message without it is somebody else's deployment.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from trailboss.release.model import Share
from trailboss.release.stamp import MESSAGE_BYTES, shorten

_BLOCK = re.compile(r"\s*\[rollout (?P<id>[0-9a-f]{8}) (?P<fields>[^\]]*)\]\Z")
_LOSS = 1e-4
"""Taken off every logarithm that is saved: single precision may round, but never in favour of a verdict."""


class Phase(StrEnum):
    """Where a rollout is. The first four are under way, the last three are over."""

    CLAIMED = "claimed"
    STEP = "step"
    PAUSED = "paused"
    HELD = "held"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled-back"
    ABORTED = "aborted"

    @property
    def over(self) -> bool:
        return self in (Phase.PROMOTED, Phase.ROLLED_BACK, Phase.ABORTED)

    @property
    def driven(self) -> bool:
        """Whether somebody has to be at it."""
        return self in (Phase.CLAIMED, Phase.STEP)


@dataclass(frozen=True, slots=True)
class Mark:
    """`at` is the step (-1: no traffic yet) of `shares`; `began` and `since` (of this step) and `until` (the
    next sign of life) are seconds since 1970. `owner` is drawn by each deployer. `seen` counts what the
    canary served: requests, failed ones, users. `members` are all Workers of the rollout, in order; `over`
    is another rollout that this one ended knowingly."""

    id: str
    phase: Phase
    at: int
    shares: tuple[float, ...]
    stable: str
    canary: str
    began: float
    since: float
    until: float
    owner: str
    who: str
    digest: str = ""
    design: str = ""
    seen: tuple[int, int, int] = (0, 0, 0)
    members: tuple[str, ...] = ()
    evidence: tuple[float, ...] = ()
    window: int | None = None
    strategy: str = "canary"
    over: str = ""

    @property
    def share(self) -> float:
        """Percent of the traffic the canary is to have."""
        if self.phase is Phase.PROMOTED:
            return 100.0
        if self.phase.over or self.at < 0:
            return 0.0
        return self.shares[min(self.at, len(self.shares) - 1)]

    @property
    def split(self) -> tuple[Share, ...]:
        """The deployment that belongs to it; the order of versions never changes while it is under way."""
        if self.phase is Phase.PROMOTED:
            return (Share(self.canary, 100),)
        if self.phase.over:
            return (Share(self.stable, 100),)
        return (Share(self.stable, _tidy(100 - self.share)), Share(self.canary, _tidy(self.share)))

    def dead(self, now: float) -> bool:
        """Whether somebody should be at it and gave no sign in time."""
        return self.phase.driven and now > self.until

    @property
    def where(self) -> str:
        """`10 % (step 2 of 4)`."""
        if self.at < 0:
            return "0 %, being probed"
        return f"{self.share:g} % (step {self.at + 1} of {len(self.shares)})"

    def message(self, words: str) -> str:
        """The text for a deployment: the words cut to leave room for the rest. So many Workers that their
        names do not fit are found through the project instead."""
        block = f"[rollout {self.id} {self._fields()}]"
        if len(block.encode()) > MESSAGE_BYTES:
            block = f"[rollout {self.id} {replace(self, members=())._fields()}]"
        room = MESSAGE_BYTES - len(block.encode()) - 1
        said = shorten(" ".join(words.replace("[rollout", "(rollout").split()), room) if room > 3 else ""
        return f"{said} {block}" if said else block

    def _fields(self) -> str:
        fields = {
            "phase": self.phase.value,
            "at": str(self.at),
            "as": self.strategy,
            "of": ",".join(f"{share:g}" for share in self.shares),
            "stable": self.stable,
            "canary": self.canary,
            "began": f"{self.began:.0f}",
            "since": f"{self.since:.3f}",
            "until": f"{self.until:.0f}",
            "owner": self.owner,
            "by": re.sub(r"[\s\]]+", "", self.who)[:48],
            "digest": self.digest.removeprefix("sha256:")[:12],
            "design": self.design,
            "over": self.over,
            "seen": ",".join(str(count) for count in self.seen),
            "with": ",".join(self.members) if len(self.members) > 1 else "",
            "window": "" if self.window is None else str(self.window),
            "e": pack(self.evidence),
        }
        return " ".join(f"{name}={text}" for name, text in fields.items() if text)


def read_mark(message: str | None) -> Mark | None:
    """The mark in a deployment's message; None where there is none, or none that can be read."""
    match = _BLOCK.search(message or "")
    if match is None:
        return None
    fields = dict(part.partition("=")[::2] for part in match["fields"].split())
    try:
        return _mark(match["id"], fields)
    except (KeyError, ValueError, struct.error, binascii.Error):
        return None


def _mark(identifier: str, fields: dict[str, str]) -> Mark:
    seen = tuple(int(count) for count in fields.get("seen", "0,0,0").split(","))
    return Mark(
        id=identifier,
        phase=Phase(fields["phase"]),
        at=int(fields["at"]),
        shares=tuple(float(share) for share in fields["of"].split(",")),
        stable=fields["stable"],
        canary=fields["canary"],
        began=float(fields["began"]),
        since=float(fields["since"]),
        until=float(fields["until"]),
        owner=fields["owner"],
        who=fields.get("by", ""),
        digest=fields.get("digest", ""),
        design=fields.get("design", ""),
        seen=(seen[0], seen[1], seen[2]),
        members=tuple(filter(None, fields.get("with", "").split(","))),
        evidence=unpack(fields.get("e", "")),
        window=int(fields["window"]) if "window" in fields else None,
        strategy=fields.get("as", "canary"),
        over=fields.get("over", ""),
    )


def words_of(message: str | None) -> str | None:
    """The message without the mark."""
    return (_BLOCK.sub("", message) or None) if message else None


def pack(values: Sequence[float]) -> str:
    """Numbers as base64 of single precision floats."""
    return base64.urlsafe_b64encode(struct.pack(f"<{len(values)}f", *values)).decode().rstrip("=")


def unpack(text: str) -> tuple[float, ...]:
    """The numbers of `pack`. Raises ValueError or struct.error for anything else."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return struct.unpack(f"<{len(data) // 4}f", data)


def lowered(values: Sequence[float]) -> list[float]:
    """Logarithms as they may be saved."""
    return [value - _LOSS for value in values]


def _tidy(share: float) -> float:
    rounded = round(share, 2)
    return int(rounded) if rounded == int(rounded) else rounded
