"""Node, wrangler and Miniflare: found in the project, or installed once from a committed lock file.

Names are loaded when they are first used: importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trailboss.toolchain.folders import cache_root
    from trailboss.toolchain.install import Toolchain, ensure
    from trailboss.toolchain.node import node_binary

__all__ = ["Toolchain", "cache_root", "ensure", "node_binary"]

_HOMES = {"Toolchain": "install", "cache_root": "folders", "ensure": "install", "node_binary": "node"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
