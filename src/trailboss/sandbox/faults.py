"""Rules that make the API misbehave: by method, path, probability, and how often."""

from __future__ import annotations

import fnmatch
from dataclasses import asdict, dataclass, field
from typing import Any

from trailboss.sandbox.ids import Ids
from trailboss.sandbox.refusals import bad_request

EFFECTS = ("status", "latency", "drop-before", "drop-after", "stale", "truncate")


@dataclass(slots=True)
class Fault:
    """One rule.

    `path` is a glob over the path below `/client/v4` (`*` also crosses slashes); `times` counts down, None
    is for ever. Effects: "status" answers `status` with `code` and Retry-After `retry_after` before
    anything happens; "latency" waits `latency_ms` first; "drop-before" and "drop-after" close the
    connection before or after the handler has had its effect; "stale" answers GETs from before the last
    change for `seconds`; "truncate" sends half of the body and closes.
    """

    effect: str
    method: str = "*"
    path: str = "*"
    probability: float = 1.0
    times: int | None = None
    skip: int = 0
    status: int = 500
    code: int = 10013
    message: str = "injected fault"
    retry_after: int | None = None
    latency_ms: float = 0.0
    seconds: float = 0.0
    id: str = ""
    hits: int = field(default=0)

    def matches(self, method: str, path: str) -> bool:
        """Whether the rule is about this request and has not run out."""
        if self.times is not None and self.hits >= self.times:
            return False
        return self.method in ("*", method) and fnmatch.fnmatchcase(path, self.path)


def parse_fault(value: Any, ids: Ids) -> Fault:
    """A rule from JSON.

    Raises:
        ApiError: 400 with the reason.
    """
    if not isinstance(value, dict):
        raise bad_request("a fault rule must be a JSON object")
    known = set(Fault.__dataclass_fields__) - {"hits"}
    unknown = set(value) - known
    if unknown:
        raise bad_request(f"a fault rule has no {sorted(unknown)}; it has {sorted(known)}")
    if value.get("effect") not in EFFECTS:
        raise bad_request(f"a fault's effect must be one of {', '.join(EFFECTS)}")
    fault = Fault(**value)
    fault.id = fault.id or ids.hex(8)
    return fault


class Faults:
    """The rules in force, in order, and the old answers that "stale" rules give."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self.rules: list[Fault] = []
        self.remembered: dict[str, tuple[float, int, list[tuple[bytes, bytes]], bytes]] = {}

    def hits(self, method: str, path: str) -> list[Fault]:
        """The rules that strike this request, each counted."""
        struck = []
        for rule in self.rules:
            if not rule.matches(method, path):
                continue
            if rule.skip > 0:
                rule.skip -= 1
                continue
            if rule.probability >= 1 or self._ids.fraction() < rule.probability:
                rule.hits += 1
                struck.append(rule)
        return struck

    def replace(self, rules: list[Fault]) -> None:
        """Put these rules in force instead of the old ones."""
        self.rules = rules
        self.remembered.clear()

    def state(self) -> list[dict[str, Any]]:
        """The rules as JSON."""
        return [asdict(rule) for rule in self.rules]
