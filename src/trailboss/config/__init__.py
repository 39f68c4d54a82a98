"""What people wrote, read into one validated Project. The only room that knows the file formats.

Names are loaded when they are first used: importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trailboss.config.environment import Environment
    from trailboss.config.project import Project, Worker
    from trailboss.config.settings import Settings
    from trailboss.config.wrangler import WranglerConfig

__all__ = ["Environment", "Project", "Settings", "Worker", "WranglerConfig"]

_HOMES = {
    "Environment": "environment",
    "Project": "project",
    "Settings": "settings",
    "Worker": "project",
    "WranglerConfig": "wrangler",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
