"""What wrangler's dev server says, line by line, turned into what a person wants to read of it.

The words are those of wrangler 4. Lines nobody knows pass as they are: they are the Worker's own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Level = Literal["debug", "info", "warn", "error"]

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_READY = re.compile(r"Ready on (https?://\S+)")
_TAGGED = re.compile(r"^\[wrangler:(debug|info|warn|error)\] ?")
_BOXED = re.compile(r"^(?:▲ \[WARNING\]|✘ \[ERROR\]) ?")
_MODES = "local|remote|not supported|not connected|connected"
_BINDING = re.compile(rf"^(?:Binding\s{{2,}}Resource|env\.\S+ .*\s(?:{_MODES})\b)")
_BANNER = ("⛅️ wrangler", "────", "Using secrets defined in", "⎔ Connection status")
_HIDDEN = (
    "Using custom certificate",
    "⎔ Starting local server",
    "🪵",
    "Update available",
    "⎔ Local server updated",
)
_INSIDES = re.compile(r"^(?:stack: \S*workerd\S*@[0-9a-f]+|(?:e = )?\S+\.(?:c\+\+|rs|h):\d+: )")
"""What the runtime says of itself: kept for --verbose."""
_TOLD = ("has access to the following bindings:", "Tail consumers connect to other Wrangler")
_PLACEHOLDER = "Unable to fetch the `Request.cf` object"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the merged log: where it is from, how bad it is, and what it says."""

    source: str
    text: str
    level: Level = "info"


@dataclass(frozen=True, slots=True)
class Ready:
    """The server listens, at `url`, `seconds` after it was started."""

    url: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Reloaded:
    """An edit is live, `seconds` after it was noticed."""

    seconds: float


Said = Entry | Ready | Reloaded


class Reader:
    """Reads the lines of one run of wrangler, in their order; remarks that come again are told once.

    `clock` gives seconds, and is only for measuring how long things take.
    """

    def __init__(self, source: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._clock = clock
        self._started = clock()
        self._reloading: float | None = None
        self._told: set[str] = set()
        self._skip_trace = False

    def read(self, line: str) -> Iterator[Said]:
        """What `line` means: nothing, or one thing."""
        bare = _ANSI.sub("", line).strip()
        if ready := _READY.search(bare):
            if not self._again("ready"):
                yield Ready(ready[1], self._clock() - self._started)
            return
        if "Reloading local server" in bare:
            self._reloading = self._clock()
            return
        if "Local server updated and ready" in bare:
            if self._reloading is not None:
                yield Reloaded(self._clock() - self._reloading)
            self._reloading = None
            return
        yield from self._remark(line, bare)

    def _remark(self, line: str, bare: str) -> Iterator[Said]:
        trace, self._skip_trace = self._skip_trace, _PLACEHOLDER in bare
        if self._skip_trace or (trace and (bare.startswith(("Error: getaddrinfo", "at ")))):
            self._skip_trace = True
            return
        if not bare or bare.startswith((*_BANNER, *_HIDDEN)) or _BINDING.match(bare):
            return
        if any(words in bare for words in _TOLD):
            return
        if _INSIDES.match(bare):
            yield Entry(self._source, bare, "debug")
            return
        level, text = _level(line, bare)
        if level == "warn" and self._again(bare):
            return
        yield Entry(self._source, text, level)

    def _again(self, text: str) -> bool:
        seen = text in self._told
        self._told.add(text)
        return seen


def _level(line: str, bare: str) -> tuple[Level, str]:
    if tagged := _TAGGED.match(bare):
        found = tagged[1]
        level: Level = found if found in ("debug", "warn", "error") else "info"  # type: ignore[assignment]
        return level, bare[tagged.end() :]
    if boxed := _BOXED.match(bare):
        return ("error" if bare.startswith("✘") else "warn"), bare[boxed.end() :]
    return "info", line.rstrip()
