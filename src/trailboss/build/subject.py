"""The one adapter between this room and what the config room calls a Worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from trailboss.build.options import Options
from trailboss.errors import BuildError
from trailboss.values import Location


class WorkerLike(Protocol):
    """What a build needs to know of a Worker; `trailboss.config.Worker` has all of it."""

    @property
    def name(self) -> str: ...
    @property
    def top_level_name(self) -> str | None: ...
    @property
    def environment(self) -> str | None: ...
    @property
    def path(self) -> Path: ...
    @property
    def user_path(self) -> Path | None: ...
    @property
    def directory(self) -> Path: ...
    @property
    def main(self) -> Path | None: ...
    @property
    def raw(self) -> Mapping[str, Any]: ...
    @property
    def declared(self) -> bool: ...
    @property
    def redirected(self) -> bool: ...
    @property
    def resolved(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Subject:
    """A Worker as this room sees it: resolved settings with the flags already applied.

    `settings` uses wrangler's own keys. `directory` is the folder the paths in it count from, `base` the one
    wrangler works in and names sources from (another one when a build tool generated the configuration).
    `wrangler_environment` is the `--env` wrangler knows, "" for the top level. `environments` are all that
    the configuration declares.
    """

    name: str
    top_level_name: str | None
    wrangler_environment: str
    environments: tuple[str, ...]
    config: Path
    redirected: bool
    base: Path
    directory: Path
    main: Path | None
    settings: Mapping[str, Any]
    options: Options

    @classmethod
    def of(cls, worker: WorkerLike, options: Options | None = None) -> Subject:
        """Adapt `worker`; `options` are laid over its configuration."""
        options = options or Options()
        directory = worker.directory.resolve()
        redirected = worker.redirected and worker.user_path is not None
        base = worker.user_path.parent.resolve() if redirected and worker.user_path else directory
        main = Path.cwd() / options.script if options.script else worker.main
        environment, environments = _environments(worker)
        return cls(
            name=options.name or worker.name,
            top_level_name=worker.top_level_name,
            wrangler_environment=environment,
            environments=environments,
            config=worker.path.resolve(),
            redirected=redirected,
            base=base,
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
            return self.directory / str(base)
        return self.main.parent if self.main else None

    @property
    def assets_directory(self) -> Path | None:
        """The folder of static assets, when there is one."""
        directory = (self.settings.get("assets") or {}).get("directory")
        return self.directory / str(directory) if directory else None

    @property
    def is_assets_only(self) -> bool:
        """Static files with no code: nothing to bundle, so Node is never started."""
        return self.main is None and self.assets_directory is not None

    @property
    def build_command(self) -> str | None:
        """The project's own command that runs before bundling."""
        command: str | None = (self.settings.get("build") or {}).get("command")
        return command or None


def _environments(worker: WorkerLike) -> tuple[str, tuple[str, ...]]:
    """(the environment wrangler is told, all that are declared); a generated configuration names both."""
    raw = worker.raw
    if worker.redirected:
        return str(raw.get("targetEnvironment") or ""), tuple(raw.get("definedEnvironments") or ())
    blocks = worker.resolved.document.data.get("env")
    known = tuple(blocks) if isinstance(blocks, Mapping) else ()
    name = worker.environment or ""
    derived = getattr(worker.resolved.document, "derived", None)
    if derived is not None:  # wrangler reads the file, which has only what this one is a copy of
        name, known = derived[1], tuple(one for one in known if one != derived[0])
    return (name if name in known else ""), known


def check_entry(subject: Subject) -> None:
    """Refuse a Worker whose entry file is not there, unless a custom command makes it.

    Raises:
        BuildError: TB3102.
    """
    if subject.main is None and subject.settings.get("pages_build_output_dir"):
        raise BuildError(
            "TB3102",
            f"{subject.name} is a Pages project, no Worker",
            where=Location(subject.config),
            hint="trailboss pages deploy",
        )
    if subject.main is None:
        raise BuildError(
            "TB3102",
            f"{subject.name} has neither code nor static assets",
            where=Location(subject.config),
            hint='Set "main" to the entry file, or "assets": {"directory": …} for a site without code.',
        )
    if not subject.build_command and not subject.main.is_file():
        raise BuildError(
            "TB3102",
            f"the entry file {subject.main} does not exist",
            where=Location(subject.config),
            hint='Correct "main", or run the build that makes the file first.',
        )
