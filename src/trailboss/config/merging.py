"""One environment's tables of trailboss.toml over the top level's."""

from __future__ import annotations

from typing import Any

OWN_KEYS = frozenset({"protected", "branches", "seed"})
"""Keys of `[environments.<name>]` that are not an override of anything."""


def merge(top: Any, over: Any) -> Any:
    """`over` on `top`: tables are merged key by key, everything else is replaced."""
    if not isinstance(top, dict) or not isinstance(over, dict):
        return over
    merged = dict(top)
    for key, value in over.items():
        merged[key] = merge(top[key], value) if key in top else value
    return merged
