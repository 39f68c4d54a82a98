"""The filters Cloudflare applies itself, from wrangler's flags to the body of the tail's creation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trailboss.errors import UsageError

OUTCOMES = {
    "ok": ("ok",),
    "error": ("exception", "exceededCpu", "exceededMemory", "unknown", "scriptNotFound", "loadShed"),
    "canceled": ("canceled", "responseStreamDisconnected"),
}
"""wrangler's words for --status, in Cloudflare's outcomes."""


@dataclass(frozen=True, slots=True)
class ServerFilters:
    """wrangler's flags: `status` of "ok", "error", "canceled"; `header` as "Name" or "Name:value";
    `sampling_rate` from 0 to 1; `ip` addresses or "self"; `search` in the logs; `version_id` one
    version."""

    status: tuple[str, ...] = ()
    method: tuple[str, ...] = ()
    header: str | None = None
    sampling_rate: float | None = None
    ip: tuple[str, ...] = ()
    search: str | None = None
    version_id: str | None = None

    def as_wire(self) -> list[dict[str, Any]]:
        """The `filters` of `POST .../tails`, in wrangler's order. Raises UsageError TB9501, TB9502."""
        found: list[dict[str, Any]] = []
        if self.sampling_rate is not None:
            if not 0 < self.sampling_rate <= 1:
                raise UsageError(
                    "TB9501", "A sampling rate is above 0 and at most 1.", hint="0.1 shows every tenth."
                )
            found.append({"sampling_rate": self.sampling_rate})
        if self.status:
            found.append({"outcome": [outcome for word in self.status for outcome in _outcomes(word)]})
        if self.method:
            found.append({"method": [method.upper() for method in self.method]})
        if self.header:
            key, colon, value = self.header.partition(":")
            found.append({"header": {"key": key.strip(), **({"query": value.strip()} if colon else {})}})
        found += [{"client_ip": list(self.ip)}] if self.ip else []
        found += [{"query": self.search}] if self.search else []
        found += [{"scriptVersion": self.version_id}] if self.version_id else []
        return found


def _outcomes(word: str) -> tuple[str, ...]:
    found = OUTCOMES.get(word.lower())
    if found is None:
        raise UsageError("TB9502", f'"{word}" is not a status.', hint=f"Use {', '.join(OUTCOMES)}.")
    return found
