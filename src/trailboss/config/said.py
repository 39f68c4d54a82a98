"""`Settings` that loads pydantic only for what needs it: an open table is plain values either way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trailboss.config.settings import Settings

OPEN = frozenset(
    (
        *("ai", "alerts", "analytics", "audit", "backups", "beta", "bridges", "budgets", "build"),
        *("certificates", "ci", "dashboard", "databases", "dev", "domains", "edge", "ephemeral", "export"),
        *("flags", "gates", "hooks", "load_balancers", "mtls", "notifications", "onepassword"),
        *("origin_pools", "performance", "probes", "rate_limits", "release", "resources", "rulesets"),
        *("sandbox", "secrets", "security", "slos", "ssh", "tail", "target", "test", "tunnels"),
        *("workflows", "zones"),
    )
)
"""Tables of trailboss.toml that `Settings` leaves untyped."""


class Said:
    """Looks like the `Settings` that `make` gives, which is called for anything but an open table."""

    def __init__(self, tables: Mapping[str, Any], make: Callable[[], Settings]) -> None:
        self._tables = tables
        self._make = make
        self._made: Settings | None = None

    def __getattr__(self, name: str) -> Any:
        if name in OPEN:
            return self._tables.get(name, {})
        if self._made is None:
            self._made = self._make()
        return getattr(self._made, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Said) and self._tables == other._tables

    __hash__ = None  # type: ignore[assignment]
