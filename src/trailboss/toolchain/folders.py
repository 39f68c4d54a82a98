"""Where things that can be made again are kept."""

from __future__ import annotations

import os
from pathlib import Path


def cache_root() -> Path:
    """The folder for everything that can be made again: `TRAILBOSS_CACHE_DIR`, else the user's cache."""
    override = os.environ.get("TRAILBOSS_CACHE_DIR")
    if override:
        return Path(override)
    import platformdirs

    return Path(platformdirs.user_cache_dir("trailboss", appauthor=False))
