"""What a pipeline for this project has to do, read from the project's own files; the same for every service
that runs pipelines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailboss.config.discover import upwards
from trailboss.errors import ConfigError
from trailboss.version import __version__

if TYPE_CHECKING:
    from trailboss.config import Project
    from trailboss.export.settings import CiSettings

FINAL = "production"
BEFORE = "staging"
GATED = "canary"
"""How a release gets its traffic in the last environment, where `[release]` does not say."""
LIFE = "3d"
SHORT, LONG = 30, 350
"""Minutes a job may take: a deploy at once, and a rollout (the longest a hosted runner allows is 360)."""

_NAME = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)")
_NOT_SECRET = ("TRAILBOSS_", "GITHUB_", "CI_", "RUNNER_")
_DEPENDENCIES = {
    "package-lock.json": "npm ci",
    "npm-shrinkwrap.json": "npm ci",
    "pnpm-lock.yaml": "npx --yes pnpm@10 install --frozen-lockfile",
    "yarn.lock": "npx --yes yarn@1 install --frozen-lockfile",
}

Load = Callable[[str], "Project"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One environment: its `name` ("" is the top level), the names of the secrets its commands need, how
    many minutes its deploy may take, and the strategy where its files name none and it should have one."""

    name: str
    secrets: tuple[str, ...]
    minutes: int
    strategy: str | None = None

    @property
    def title(self) -> str:
        """What people call it."""
        return self.name or FINAL


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline in no service's words. `folder` is where the project is in its repository ("" at the root),
    `dependencies` the command that installs what its build needs, `previews` the Workers that a pull request
    gets an address of: what to call each, and its key where there are several (else ""); `expires` when the
    environment of a pull request ends (None: it gets none), `source` what that is a copy of, `tests` whether
    the project says how it is tested."""

    project: str
    root: Path
    folder: str
    branch: str
    stages: tuple[Stage, ...]
    previews: tuple[tuple[str, str], ...]
    expires: str | None
    source: str
    tests: bool
    install: str
    dependencies: str | None
    file: str | None


def read_pipeline(project: Project, load: Load) -> Pipeline:
    """The pipeline for `project`; `load` gives the project in another environment.

    Raises ConfigError TB1501 (an environment in `[ci]` that does not exist), TB1502 (nobody says which
    environment proves what a protected one takes), TB1503 (an environment only one machine has), TB1504
    (no Workers)."""
    from trailboss.export.settings import CiSettings

    settings = project.section("ci", CiSettings)
    if not project.workers:
        raise ConfigError(
            "TB1504",
            "this project has no Workers, so a pipeline would have nothing to deploy",
            hint="Name them under [workers] in trailboss.toml.",
            where=project.locate("workers"),
        )
    names = chain(project, settings, load)
    loaded = [load(name) for name in names]
    root = repository(project.root)
    return Pipeline(
        project=project.name,
        root=root,
        folder="" if root == project.root else project.root.relative_to(root).as_posix(),
        branch=settings.branch or _branch(loaded[-1], root),
        stages=tuple(_stage(one, last=one is loaded[-1] and len(loaded) > 1) for one in loaded),
        previews=_previews(project) if settings.preview == "version" else (),
        expires=_span(project, settings) if settings.preview == "environment" else None,
        source=_source(project, names[0]),
        tests=bool(project.tables.get("test", {}).get("command")),
        install=settings.install or f"trailboss=={__version__}",
        dependencies=next((do for file, do in _DEPENDENCIES.items() if (project.root / file).exists()), None),
        file=settings.file,
    )


def _span(project: Project, settings: CiSettings) -> str:
    """How long a preview lives: `[ci]`, else what is usual for previews."""
    usual = str(project.tables.get("ephemeral", {}).get("expires", ""))
    return settings.expires or (usual if re.fullmatch(r"\d+[hd]", usual) else LIFE)


def _source(project: Project, first: str) -> str:
    said = project.tables.get("ephemeral", {}).get("from")
    return said if isinstance(said, str) else first


def chain(project: Project, settings: CiSettings, load: Load) -> tuple[str, ...]:
    """The environments a commit goes through, in order: `[ci] pipeline`; else `production` (or the only
    protected one) behind what its `[release] after` names, or `staging`; else the top level alone."""
    known = project.environments
    for at, name in enumerate(settings.pipeline):
        if name not in known:
            raise ConfigError(
                "TB1501",
                f'the pipeline names the environment "{name}", which this project does not have',
                hint=f"There are: {', '.join(known) or 'none'}.",
                where=project.locate("ci", "pipeline", at),
            )
    if settings.pipeline:
        return tuple(dict.fromkeys(settings.pipeline))
    own = project.settings.environments
    protected = [name for name in known if name in own and own[name].protected]
    final = FINAL if FINAL in known else protected[0] if len(protected) == 1 else None
    if final is None:
        return (BEFORE,) if BEFORE in known else ("",) if not known else _unclear(project)
    lower = _lower(load(final), known)
    if not lower and final in protected:
        return _unclear(project)
    return (*lower, final)


def _lower(final: Project, known: tuple[str, ...]) -> tuple[str, ...]:
    after = final.tables.get("release", {}).get("after")
    if isinstance(after, list):
        return tuple(name for name in after if name in known)
    return (BEFORE,) if BEFORE in known and final.environment.name != BEFORE else ()


def _unclear(project: Project) -> tuple[str, ...]:
    raise ConfigError(
        "TB1502",
        "it is not clear which environments a commit goes through, and in which order",
        hint='Say so in trailboss.toml: [ci] pipeline = ["staging", "production"]. '
        f"There are: {', '.join(project.environments)}.",
        where=project.locate("environments"),
    )


def _previews(project: Project) -> tuple[tuple[str, str], ...]:
    """A Worker that is alone needs no name: its key may be its folder's, which differs between machines."""
    if len(project.workers) == 1:
        return ((project.workers[0].top_level_name or project.name, ""),)
    return tuple((worker.key, worker.key) for worker in project.workers)


def _stage(project: Project, *, last: bool) -> Stage:
    name = project.environment.name or ""
    table = project.tables.get("target", {})
    if str(table.get("name", "")).startswith("sandbox"):
        raise ConfigError(
            "TB1503",
            f'the environment "{name}" is in the sandbox of a machine, which no pipeline can reach',
            hint="Leave it out of [ci] pipeline, or give it a target in an account.",
            where=project.locate("target", "name"),
        )
    said = project.tables.get("release", {}).get("strategy")
    gated = last or name == FINAL or project.protected
    strategy = GATED if said is None and gated else None
    minutes = SHORT if (said or strategy or "at-once") == "at-once" else LONG
    return Stage(name, tuple(_secrets(project)), minutes, strategy)


def _secrets(project: Project) -> Iterator[str]:
    """The names of what a job of this environment has to be given, each once."""
    texts = list(_texts({key: table for key, table in project.tables.items() if key != "environments"}))
    texts += _dotenv(project)
    asked = dict.fromkeys(name for text in texts for name in _NAME.findall(text))
    yield from ("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ACCOUNT_ID")
    if any("op://" in text for text in texts):
        connect = project.tables.get("secrets", {}).get("backend") == "connect"
        yield from ("OP_CONNECT_HOST", "OP_CONNECT_TOKEN") if connect else ("OP_SERVICE_ACCOUNT_TOKEN",)
    for name in asked:
        if not name.startswith((*_NOT_SECRET, "CLOUDFLARE_", "OP_")):
            yield name


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for one in inner:
        yield from _texts(one)


def _dotenv(project: Project) -> list[str]:
    """The file of secrets that ships with each version: its references need somebody to resolve them."""
    name = project.tables.get("secrets", {}).get("file")
    if not isinstance(name, str):
        return []
    file = project.root / name.replace("{environment}", project.environment.name or "")
    return [file.read_text("utf-8", "replace")] if file.is_file() else []


def repository(folder: Path) -> Path:
    """The root of the repository that `folder` is in; `folder` itself outside of one."""
    return next((one for one in upwards(folder) if (one / ".git").exists()), folder)


def _branch(final: Project, root: Path) -> str:
    """The branch that is released: the one that chooses the last environment, else the default one."""
    own = final.own
    plain = [name for name in (own.branches if own else ()) if not set(name) & set("*?[")]
    if plain:
        return plain[0]
    head = root / ".git" / "refs" / "remotes" / "origin" / "HEAD"
    found = head.read_text().strip() if head.is_file() else ""
    return found.removeprefix("ref: refs/remotes/origin/") if found.startswith("ref: ") else "main"
