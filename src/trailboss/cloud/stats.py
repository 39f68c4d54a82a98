"""What a command asked of the API: the figures behind `--stats`."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

_ID = re.compile(r"^(?:[0-9a-f]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\d+)$")
# What follows one of these words is a name somebody chose.
_NAMED = frozenset(
    (
        *("accounts", "buckets", "database", "environments", "indexes", "instances", "keys", "metadata"),
        *("namespaces", "queues", "schedules", "scripts", "secrets", "services", "stores", "tails"),
        *("values", "versions", "workers", "workflows", "zones"),
    )
)
_WORDS = frozenset(
    (
        *("bulk", "domains", "latest", "messages", "scripts", "services", "subdomain", "tails"),
        *("verify", "workers"),
    )
)


def template(path: str) -> str:
    """`path` with ids and names replaced, so that equal calls count as equal.

    `/accounts/0f…/workers/scripts/shop/versions` becomes `/accounts/{}/workers/scripts/{}/versions`.
    """
    if not path.startswith("/"):
        return "(another host)"
    parts = path.split("?", 1)[0].split("/")
    if "objects" in parts:  # an object key may hold any number of slashes
        parts = [*parts[: parts.index("objects") + 1], "{}"]
    shown: list[str] = []
    for part in parts:
        named = bool(shown) and shown[-1] in _NAMED and part not in _WORDS
        shown.append("{}" if part and (named or _ID.match(part)) else part)
    return "/".join(shown)


@dataclass(slots=True)
class Stats:
    """Counters of one Cloud. Seconds and bytes; `requests` counts every attempt that left this machine."""

    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    retries: int = 0
    waited: float = 0.0
    spent: float = 0.0
    sent: int = 0
    received: int = 0
    budget_used: int = 0
    budget_limit: int = 0

    @property
    def total(self) -> int:
        """Requests sent, repeats included."""
        return sum(self.requests.values())

    @property
    def budget_share(self) -> float:
        """Part (0 to 1) of the shared five-minute allowance in use after the last call, all processes."""
        return self.budget_used / self.budget_limit if self.budget_limit else 0.0

    def as_json(self) -> dict[str, Any]:
        """The shape `--stats --json` prints."""
        return {
            "requests": self.total,
            "retries": self.retries,
            "waited_seconds": round(self.waited, 3),
            "api_seconds": round(self.spent, 3),
            "bytes_sent": self.sent,
            "bytes_received": self.received,
            "budget": {"used": self.budget_used, "limit": self.budget_limit},
            "calls": [
                {"method": method, "path": path, "count": count}
                for (method, path), count in self.requests.most_common()
            ],
        }

    def __str__(self) -> str:
        share = f", {self.budget_share:.0%} of the shared budget" if self.budget_limit else ""
        return (
            f"{self.total} API requests ({self.retries} repeated), {self.spent:.1f} s, "
            f"{self.waited:.1f} s waited, {self.sent + self.received:,} bytes{share}"
        )
