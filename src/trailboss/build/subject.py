"""The one adapter between this room and what the config room calls a Worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from trailboss.build.options import Options


class WorkerLike(Protocol):
    """What a build needs to know of a Worker; `trailboss.config.Worker` has all of it."""

    @property
    def name(self) -> str: ...
    @property
    def environment(self) -> str | None: ...
    @property
    def path(self) -> Path: ...
    @property
    def directory(self) -> Path: ...
    @property
    def main(self) -> Path | None: ...
    @property
    def raw(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Subject:
    """A Worker as this room sees it: resolved settings with the flags already applied.

    `settings` uses wrangler's own keys. `directory` is the folder relative paths count from.
    """

    name: str
    top_level_name: str | None
    environment: str | None
    config: Path
    directory: Path
    main: Path | None
    settings: Mapping[str, Any]
    options: Options

    @classmethod
    def of(cls, worker: WorkerLike, options: Options | None = None) -> Subject:
        """Adapt `worker`; `options` are laid over its configuration."""
        options = options or Options()
        directory = worker.directory.resolve()
        main = options.script or worker.main
        return cls(
            name=options.name or worker.name,
            top_level_name=getattr(worker, "top_level_name", None),
            environment=worker.environment,
            config=worker.path.resolve(),
            directory=directory,
            main=(directory / main) if main is not None else None,
            settings=options.over(worker.raw),
            options=options,
        )

    @property
    def module_root(self) -> Path | None:
        """The folder module names count from: `base_dir`, else the entry file's folder."""
        base = self.settings.get("base_dir")
        if base:
            return self.directory / base
        return self.main.parent if self.main else None

    @property
    def assets_directory(self) -> Path | None:
        """The folder of static assets, when there is one."""
        assets = self.settings.get("assets") or {}
        directory: str | None = assets.get("directory")
        return self.directory / directory if directory else None

    @property
    def is_assets_only(self) -> bool:
        """Static files with no code: nothing to bundle, so Node is never started."""
        return self.main is None and self.assets_directory is not None
