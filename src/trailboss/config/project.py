"""`Project.load`: the files around a folder, read, resolved for one environment, checked and typed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from trailboss.config import discover
from trailboss.config.document import Document
from trailboss.config.environment import Environment
from trailboss.config.resolve import Resolved
from trailboss.config.said import Said
from trailboss.errors import ConfigError
from trailboss.values import Location

if TYPE_CHECKING:
    from pydantic import BaseModel

    from trailboss.config.settings import EnvironmentSettings, Settings
    from trailboss.config.wrangler import WranglerConfig

    Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Worker:
    """One Worker in one environment.

    `name` is the script's final name ("" when the config has none), `key` its name in trailboss.toml,
    `path` the config read, `user_path` the one the user wrote (another after a build tool's redirect),
    `directory` what its paths are relative to, `main` the entry as an absolute path, `raw` the resolved
    config as plain values.
    """

    name: str
    key: str
    top_level_name: str | None
    environment: str | None
    path: Path
    user_path: Path | None
    directory: Path
    main: Path | None
    raw: dict[str, Any]
    declared: bool
    """Whether the wrangler config itself has `env.<environment>` (always True at the top level)."""
    resolved: Resolved = field(repr=False)

    @property
    def config(self) -> WranglerConfig:
        """`raw` as typed values; the first use loads pydantic, which `raw` does without."""
        return self.resolved.typed

    @property
    def redirected(self) -> bool:
        """Whether a build tool generated the config; it is flat, so wrangler needs no --env for it."""
        return self.path != self.user_path

    def locate(self, *keys: str | int) -> Location:
        """Where a key of the resolved config is written, e.g. `locate("kv_namespaces", 0, "id")`."""
        return self.resolved.locate(*keys)


@dataclass(frozen=True, slots=True)
class Project:
    """Everything a command knows about what it works on. `file` is trailboss.toml, None without one; `tables`
    are its valid plain values, merged for the environment."""

    name: str
    root: Path
    file: Path | None
    tables: dict[str, Any]
    environment: Environment
    environments: tuple[str, ...]
    workers: tuple[Worker, ...]
    warnings: tuple[str, ...]
    document: Document | None = field(default=None, repr=False)
    start: Path | None = None
    """The folder the command was started in."""
    _said: list[Said] = field(default_factory=list, repr=False, compare=False)

    @property
    def settings(self) -> Settings:
        """`tables` as typed values. The first use of what is no open table loads pydantic."""
        if not self._said:
            self._said.append(Said(self.tables, self._make))
        return cast("Settings", self._said[0])

    def _make(self) -> Settings:
        from trailboss.config.checks import validate
        from trailboss.config.settings import Settings

        return validate(Settings, self.tables, self.locate, "TB1202")

    @classmethod
    def load(
        cls,
        directory: Path | None = None,
        *,
        environment: str | None = None,
        config: Path | None = None,
        environ: Mapping[str, str] | None = None,
        required: bool = True,
    ) -> Project:
        """Loads the project around `directory` (default: the current one).

        `environment` is the --env flag ("" means the top level), `config` an explicit --config. With
        `required` False a folder without any configuration gives a project without Workers instead of
        TB1001. Raises ConfigError TB1001 to TB1299.
        """
        from trailboss.config.load import load

        start = discover.absolute(Path(directory) if directory is not None else Path.cwd())
        found = load(
            cls,
            start,
            flag=environment,
            config=config,
            environ=os.environ if environ is None else environ,
            required=required,
        )
        return replace(found, start=start)

    @property
    def own(self) -> EnvironmentSettings | None:
        """What trailboss.toml says about the active environment itself (`protected`, `branches`)."""
        return self.settings.environments.get(self.environment.name or "")

    @property
    def protected(self) -> bool:
        """Whether risky changes to the active environment need force."""
        own = self.tables.get("environments", {}).get(self.environment.name or "", {})
        return own.get("protected", False) is True

    @property
    def here(self) -> Worker | None:
        """The Worker in whose folder the command was started."""
        for folder in discover.upwards(self.start or self.root):
            found = [w for w in self.workers if (w.user_path or w.path).parent == folder]
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def worker(self, name: str | None = None) -> Worker:
        """The Worker called `name` (its key, its name, or its top-level name).

        Without a name: the only one, or the one in whose folder the command was started.

        Raises ConfigError TB1207 (no such Worker), TB1208 (several, and none was named).
        """
        if name is None and len(self.workers) == 1:
            return self.workers[0]
        if name is None and self.here is not None:
            return self.here
        for worker in self.workers:
            if name in (worker.key, worker.name, worker.top_level_name):
                return worker
        names = ", ".join(worker.key for worker in self.workers) or "none"
        if name is None and self.workers:
            raise ConfigError("TB1208", "the project has several Workers", hint=f"Name one of: {names}.")
        raise ConfigError("TB1207", f'there is no Worker "{name or ""}"', hint=f"There are: {names}.")

    def locate(self, *keys: str | int) -> Location:
        """Where a key of `settings` is written: in the environment's own table if it is there."""
        if self.document is None:
            return Location(self.root / discover.PROJECT_NAME)
        name = self.environment.name
        if name is not None and self.document.has("environments", name, *keys):
            return self.document.locate("environments", name, *keys)
        return self.document.locate(*keys)

    def section(self, name: str, model: type[Model]) -> Model:
        """The open table `name` of trailboss.toml as a room's own model.

        Raises ConfigError TB1202 (wrong type), TB1201 (unknown key), both with their place.
        """
        from trailboss.config.checks import validate

        def locate(*keys: str | int) -> Location:
            return self.locate(name, *keys)

        return validate(model, self.tables.get(name, {}), locate, "TB1202")
