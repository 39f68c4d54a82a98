"""Where things are kept that belong to the user and to no project.

platformdirs knows where. It is asked only where the answer is not the plain one of a Linux without XDG
variables: importing it takes longer than most of what is done with the folder.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def cache_root() -> Path:
    """The folder for everything that can be made again: `TRAILBOSS_CACHE_DIR`, else the user's cache."""
    override = os.environ.get("TRAILBOSS_CACHE_DIR")
    if override:
        return Path(override)
    plain = _plain("XDG_CACHE_HOME", ".cache")
    if plain is not None:
        return plain
    import platformdirs

    return Path(platformdirs.user_cache_dir("trailboss", appauthor=False))


def data_root() -> Path:
    """The folder for what has to last."""
    plain = _plain("XDG_DATA_HOME", ".local/share")
    if plain is not None:
        return plain
    import platformdirs

    return Path(platformdirs.user_data_dir("trailboss", appauthor=False))


def with_programs(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """`environ` in which the programs of the project in `folder` are found, as npm and npx let them be.

    A `build.command` such as `esbuild …` counts on it: most call wrangler through `npx` or an npm script,
    which put `node_modules/.bin` of the folder and of each above it before `PATH`.
    """
    folders = [str(bin) for up in (folder, *folder.parents) if (bin := up / "node_modules" / ".bin").is_dir()]
    path = environ.get("PATH", os.defpath)
    known = path.split(os.pathsep)
    return {**environ, "PATH": os.pathsep.join([*(one for one in folders if one not in known), path])}


def _plain(variable: str, folder: str) -> Path | None:
    home = os.environ.get("HOME", "")
    if sys.platform != "linux" or variable in os.environ or not os.path.isabs(home):  # noqa: PTH117
        return None
    return None if "ANDROID_ROOT" in os.environ else Path(home, folder, "trailboss")
