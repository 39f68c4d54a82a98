"""Which files a command is about, found as wrangler 4.164 finds them (`findWranglerConfig` in its bundle)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trailboss.config.document import read_document
from trailboss.errors import ConfigError
from trailboss.values import Location

WRANGLER_NAMES = ("wrangler.json", "wrangler.jsonc", "wrangler.toml")
PROJECT_NAME = "trailboss.toml"
DEPLOY_CONFIG = Path(".wrangler") / "deploy" / "config.json"


@dataclass(frozen=True, slots=True)
class Found:
    """`file` is the wrangler config to read; `user_file` the one the user wrote, another after a redirect."""

    file: Path
    user_file: Path | None

    @property
    def redirected(self) -> bool:
        """Whether a build tool's `.wrangler/deploy/config.json` points at a generated config."""
        return self.file != self.user_file


def upwards(directory: Path) -> Iterator[Path]:
    """`directory` and every folder above it."""
    yield directory
    yield from directory.parents


def nearest(directory: Path, name: str | Path) -> Path | None:
    """The file `name` in `directory` or the closest folder above that has it."""
    for folder in upwards(directory):
        try:
            if (folder / name).is_file():
                return folder / name
        except OSError:
            continue
    return None


def find_user_config(directory: Path) -> Path | None:
    """As wrangler: wrangler.json anywhere above wins over wrangler.jsonc, and that over wrangler.toml."""
    for name in WRANGLER_NAMES:
        found = nearest(directory, name)
        if found is not None:
            return found
    return None


def find_wrangler(directory: Path) -> Found | None:
    """The config a wrangler command run in `directory` would use, redirects followed.

    Raises ConfigError TB1104 (redirect file without configPath), TB1105 (its target is missing), TB1106 (it
    does not sit beside the user's own config).
    """
    user_file = find_user_config(directory)
    deploy_file = nearest(directory, DEPLOY_CONFIG)
    if deploy_file is None:
        return Found(user_file, user_file) if user_file else None
    target = redirect_target(deploy_file)
    if user_file is not None and user_file.parent / DEPLOY_CONFIG != deploy_file:
        raise ConfigError(
            "TB1106",
            f"this redirect and {user_file} do not share a folder, so it is unclear which to use",
            hint="Delete the redirect if an old build left it, or run the command beside the one you mean.",
            where=Location(deploy_file),
        )
    return Found(target, user_file)


def redirect_target(deploy_file: Path) -> Path:
    """The generated config that a `.wrangler/deploy/config.json` names. Raises ConfigError TB1104, TB1105."""
    document = read_document(deploy_file)
    value = document.data.get("configPath")
    if not isinstance(value, str) or not value:
        raise ConfigError(
            "TB1104",
            'a deploy redirect needs the text "configPath"',
            hint="A build tool wrote this file: build again, or delete it.",
            where=document.locate("configPath"),
        )
    target = absolute(deploy_file.parent / value)
    if not is_file(target):
        raise ConfigError(
            "TB1105",
            f"the redirect points at {target}, which does not exist",
            hint="Run the build that generates it, or delete this file.",
            where=document.locate("configPath"),
        )
    return target


def is_file(path: Path) -> bool:
    """As `Path.is_file`, and False for what no file can be called (a NUL, too long a name)."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def absolute(path: Path) -> Path:
    """`path` absolute and without `..`, symbolic links left as they are."""
    import os.path

    return Path(os.path.normpath(path.absolute()))


def in_folder(folder: Path) -> Found | None:
    """The wrangler config in exactly this folder, a redirect beside it followed."""
    user_file = next((folder / n for n in WRANGLER_NAMES if is_file(folder / n)), None)
    if not is_file(folder / DEPLOY_CONFIG):
        return Found(user_file, user_file) if user_file else None
    return Found(redirect_target(folder / DEPLOY_CONFIG), user_file)


def named(path: Path, written: str, where: Location) -> Found:
    """The wrangler config that a path of trailboss.toml means. Raises ConfigError TB1203: there is none."""
    if is_file(path):
        return Found(path, path)
    found = in_folder(path)
    if found is None:
        raise ConfigError(
            "TB1203",
            f'"{written}" has no wrangler config',
            hint="`path` is a Worker's folder, or its wrangler.jsonc, relative to trailboss.toml.",
            where=where,
        )
    return found
