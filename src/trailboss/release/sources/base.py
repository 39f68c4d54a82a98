"""Where evidence comes from. A source yields records, each request once, and says how fresh and how sampled
they are; what is scaled up is never a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from trailboss.release.evidence.windows import Span
from trailboss.release.gates.base import Record


@dataclass(frozen=True, slots=True)
class Freshness:
    """`lag`: seconds after which a window is complete; `sampled`: only a part was seen (each still counts
    once); `note` says both for people; `trouble` why there is nothing at the moment."""

    lag: float
    sampled: bool
    note: str
    trouble: str = ""


class Source(Protocol):
    """The evidence of one Worker."""

    name: str

    async def open(self) -> None:
        """Begin to listen. Trouble is kept for `about`, not raised: no evidence is undecided."""
        ...

    async def aclose(self) -> None: ...

    async def read(self, span: Span, canary: str, stable: str | None = None) -> tuple[Record, ...] | None:
        """The records of a span that is over, `canary` being the new version's id; None when the source
        cannot say (then the window is left out). With `stable` given, those of any other version, or of
        none, are left out; without it, all that is not the canary's is the stable version's."""
        ...

    def about(self) -> Freshness: ...


@runtime_checkable
class Held(Source, Protocol):
    """A source whose records are here already: looking at them costs nothing."""

    def held(self, canary: str, stable: str) -> tuple[Record, ...]:
        """The records of both versions that no `read` has taken yet; they stay."""
        ...
