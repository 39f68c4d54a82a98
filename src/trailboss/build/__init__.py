"""Worker project -> artifact -> upload: wrangler's own bundler, assets, metadata, the request.

    artifact = build(worker)
    async with Cloud(target) as cloud:
        uploaded = await upload(cloud, worker, artifact)

Names are loaded when they are first used: importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trailboss.build.artifact import Artifact, Module
    from trailboss.build.assets import Assets
    from trailboss.build.builder import build, build_async, kept
    from trailboss.build.cache import BuildCache
    from trailboss.build.existing import Existing, look_up
    from trailboss.build.metadata.annotations import Origin, read_message
    from trailboss.build.options import Options
    from trailboss.build.request import preview
    from trailboss.build.support import needs_wrangler
    from trailboss.build.uploader import Uploaded, upload

__all__ = [
    "Artifact",
    "Assets",
    "BuildCache",
    "Existing",
    "Module",
    "Options",
    "Origin",
    "Uploaded",
    "build",
    "build_async",
    "kept",
    "look_up",
    "needs_wrangler",
    "preview",
    "read_message",
    "upload",
]

_HOMES = {
    "Artifact": "artifact",
    "Assets": "assets",
    "BuildCache": "cache",
    "Existing": "existing",
    "Module": "artifact",
    "Options": "options",
    "Origin": "metadata.annotations",
    "Uploaded": "uploader",
    "build": "builder",
    "build_async": "builder",
    "kept": "builder",
    "look_up": "existing",
    "needs_wrangler": "support",
    "preview": "request",
    "read_message": "metadata.annotations",
    "upload": "uploader",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
