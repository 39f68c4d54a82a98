"""Worker project -> artifact -> upload: wrangler's own bundler, assets, metadata, the request itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trailboss.build.artifact import Artifact, Module
    from trailboss.build.assets import Assets
    from trailboss.build.builder import build, build_async
    from trailboss.build.cache import BuildCache
    from trailboss.build.options import Options

__all__ = ["Artifact", "Assets", "BuildCache", "Module", "Options", "build", "build_async"]

_HOMES = {
    "Artifact": "artifact",
    "Assets": "assets",
    "BuildCache": "cache",
    "Module": "artifact",
    "Options": "options",
    "build": "builder",
    "build_async": "builder",
}


def __getattr__(name: str) -> Any:
    """Load a name's module when it is first used, so that importing the room costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
