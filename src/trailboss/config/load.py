"""The steps of `Project.load`, in order: find, read, choose the environment, merge, resolve, check.

pydantic checks the types, and is loaded only for what was not found valid before (see `approved`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailboss.config import discover
from trailboss.config.approved import approve
from trailboss.config.discover import Found
from trailboss.config.document import Document, read_document
from trailboss.config.environment import Environment, detect
from trailboss.config.merging import OWN_KEYS, merge
from trailboss.config.resolve import (
    Resolved,
    Wish,
    environments_of,
    resolve,
    script_name,
    unknown_environment,
)
from trailboss.errors import ConfigError
from trailboss.values import Location

if TYPE_CHECKING:
    from trailboss.config.project import Project, Worker

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class _Member:
    """A Worker's config, found and read but not resolved."""

    key: str
    found: Found
    document: Document


def load(
    cls: type[Project],
    start: Path,
    *,
    flag: str | None,
    config: Path | None,
    environ: Mapping[str, str],
    required: bool,
) -> Project:
    """See `Project.load`."""
    project_file, found, warnings = _find(start, config)
    if project_file is None:
        return _plain(
            cls,
            start,
            found=found,
            warnings=warnings,
            flag=flag,
            environ=environ,
            required=required,
        )
    return _with_file(
        cls,
        read_document(project_file),
        only=found if config else None,
        flag=flag,
        environ=environ,
        warnings=warnings,
    )


def _find(start: Path, config: Path | None) -> tuple[Path | None, Found | None, list[str]]:
    """trailboss.toml, the wrangler config, and a warning when the nearer config is not the project's."""
    if config is not None:
        file = discover.absolute(start / config)
        if not discover.is_file(file):
            raise ConfigError("TB1002", "there is no such configuration file", where=Location(file))
        if file.name == discover.PROJECT_NAME:
            return file, None, []
        found: Found | None = Found(file, file)
        start = file.parent
    else:
        found = None
    project_file = discover.nearest(start, discover.PROJECT_NAME)
    if project_file is None or config is not None:
        return project_file, found or discover.find_wrangler(start), []
    user_file = discover.find_user_config(start)
    if user_file is None or not _foreign(user_file, project_file):
        return project_file, None, []
    warning = f"{project_file} does not name {user_file}, so it is not used; add it there under [workers]"
    return None, discover.find_wrangler(start), [warning]


def _foreign(user_file: Path, project_file: Path) -> bool:
    """Whether the config nearest to us lies below the project without being one of its Workers."""
    root = project_file.parent
    if user_file.parent == root or not user_file.is_relative_to(root):
        return False
    workers = read_document(project_file).data.get("workers")
    entries = workers.values() if isinstance(workers, dict) else ()
    paths = [entry.get("path") for entry in entries if isinstance(entry, dict)]
    named = [discover.absolute(root / path) for path in paths if isinstance(path, str)]
    return user_file not in named and user_file.parent not in named


def _plain(
    cls: type[Project],
    start: Path,
    *,
    warnings: list[str],
    found: Found | None,
    flag: str | None,
    environ: Mapping[str, str],
    required: bool,
) -> Project:
    """A project without trailboss.toml: the one Worker of a wrangler config, exactly as wrangler sees it."""
    environment = detect(flag, environ, start, {})
    if found is None:
        if required:
            raise ConfigError(
                "TB1001",
                "there is no wrangler.jsonc, wrangler.toml or trailboss.toml here or in any folder above",
                hint="Change into a project, name a file with --config, or start one: trailboss init",
                where=Location(start),
            )
        return cls(start.name, start, None, {}, environment, (), (), ())
    member = _Member("", found, read_document(found.file))
    wish = Wish(environment.name, found.redirected)
    worker = _worker(member, wish)
    name = worker.top_level_name or worker.name or found.file.parent.name
    root = (found.user_file or found.file).parent
    known = _environments(member)
    return cls(name, root, None, {}, environment, known, (worker,), (*warnings, *worker.resolved.warnings))


def _with_file(
    cls: type[Project],
    document: Document,
    *,
    only: Found | None,
    flag: str | None,
    environ: Mapping[str, str],
    warnings: list[str],
) -> Project:
    root = document.file.parent
    _approve(document, document.data, None)
    _check_names(document)
    declared = document.data.get("environments", {})
    branches = {name: entry.get("branches", []) for name, entry in declared.items()}
    environment = detect(flag, environ, root, branches, document.locate("environments"))
    tables = _merged(document, environment.name)
    members = _members(document, tables, only)
    known = list(declared)
    for member in members:
        known += [name for name in _environments(member) if name not in known]
    there = known
    if environment.name and environment.name not in known and not _flat(members, environment.name):
        document, members = _derived(document, environment.name, only, tuple(known), environ)
        tables, there = _merged(document, environment.name), [*known, environment.name]
    workers = _resolved(members, tables, environment, tuple(there))
    for worker in workers:
        warnings += [text for text in worker.resolved.warnings if text not in warnings]
    first = next((w.top_level_name for w in workers if w.top_level_name), None)
    return cls(
        tables.get("name") or first or root.name,
        root,
        document.file,
        tables,
        environment,
        tuple(known),
        workers,
        tuple(warnings),
        document,
    )


def _derived(
    document: Document, name: str, only: Found | None, known: tuple[str, ...], environ: Mapping[str, str]
) -> tuple[Document, list[_Member]]:
    """The files with the environment of a preview in them. Raises ConfigError TB1102 and TB1103."""
    from trailboss.config.derived import config_for, flat_for, names_of, settings_for, source_of

    derived = source_of(document, name, known, environ)
    if derived is None:
        raise unknown_environment(name, known, document.locate("environments"))
    members = _members(document, _merged(document, derived.source or None), only)
    names = dict(names_of(one.document, derived, redirected=one.found.redirected) for one in members)
    made = []
    for one in members:
        copy = flat_for if one.found.redirected else config_for
        made.append(replace(one, document=copy(one.document, derived, names)))
    return settings_for(document, derived, environ), made


def _environments(member: _Member) -> tuple[str, ...]:
    """The environments a config declares; a generated one lists those of the config it was made from."""
    if not member.found.redirected:
        return environments_of(member.document)
    listed = member.document.data.get("definedEnvironments")
    return tuple(name for name in listed if isinstance(name, str)) if isinstance(listed, list) else ()


def _flat(members: list[_Member], environment: str) -> bool:
    """Whether a build tool already flattened some Worker for this very environment."""
    return any(
        m.found.redirected and m.document.data.get("targetEnvironment") == environment for m in members
    )


def _check_names(document: Document) -> None:
    for table in ("environments", "workers"):
        for name in document.data.get(table, {}):
            if not _NAME.fullmatch(name):
                raise ConfigError(
                    "TB1204",
                    f'"{name}" cannot be a name: letters, digits, "-" and "_" only',
                    where=document.locate(table, name),
                )


def _merged(document: Document, environment: str | None) -> dict[str, Any]:
    """trailboss.toml with the environment's tables merged over the top level's, checked."""
    over = document.data.get("environments", {}).get(environment, {}) if environment else {}
    over = {key: value for key, value in over.items() if key not in OWN_KEYS}
    if not over:
        return document.data
    tables: dict[str, Any] = merge(document.data, over)
    _approve(document, tables, environment)
    return tables


def _approve(document: Document, tables: dict[str, Any], environment: str | None) -> None:
    """Raises ConfigError TB1202 or TB1201 when `tables` are no settings."""

    def check() -> list[str]:
        from trailboss.config.typed import settings

        settings(document, tables, environment)
        return []

    content = (document.source.text, *(document.derived or ()))
    approve((str(document.file), environment or ""), content, check)


def _members(document: Document, tables: dict[str, Any], only: Found | None) -> list[_Member]:
    root = document.file.parent
    if only is not None:
        return [_Member(only.file.parent.name, only, read_document(only.file))]
    if not tables.get("workers"):
        found = discover.in_folder(root)
        return [_Member(root.name, found, read_document(found.file))] if found else []
    members = []
    for key, entry in tables["workers"].items():
        place = document.locate("workers", key, "path")
        found = discover.named(discover.absolute(root / entry["path"]), entry["path"], place)
        members.append(_Member(key, found, read_document(found.file)))
    return members


def _resolved(
    members: list[_Member], tables: dict[str, Any], environment: Environment, known: tuple[str, ...]
) -> tuple[Worker, ...]:
    siblings = {
        str(member.document.data.get("name")): script_name(member.document, environment.name)
        for member in members
        if not member.found.redirected and member.document.data.get("name")
    }
    workers: list[Worker] = []
    inherit = tables.get("inherit_bindings", True)
    for member in members:
        wish = Wish(environment.name, member.found.redirected, True, inherit, known, siblings)
        worker = _worker(member, wish)
        _refuse_twins(worker, workers)
        workers.append(worker)
    return tuple(workers)


def _refuse_twins(worker: Worker, others: list[Worker]) -> None:
    for other in others:
        if worker.name and worker.name == other.name:
            raise ConfigError(
                "TB1206",
                f'the Workers "{other.key}" and "{worker.key}" have the same name "{worker.name}"',
                hint="Each would overwrite the other; rename one.",
                where=worker.locate("name"),
            )


def _worker(member: _Member, wish: Wish) -> Worker:
    from trailboss.config.project import Worker

    found = member.found
    resolved = resolve(member.document, wish)
    _approve_worker(resolved, wish)
    name = resolved.raw.get("name") or ""
    directory = found.file.parent
    top = resolved.document.data.get("topLevelName" if found.redirected else "name")
    return Worker(
        name=name,
        key=member.key or name or directory.name,
        top_level_name=top if isinstance(top, str) else None,
        environment=resolved.environment,
        path=found.file,
        user_path=found.user_file,
        directory=directory,
        main=_main(resolved, directory),
        raw=resolved.raw,
        declared=resolved.declared,
        resolved=resolved,
    )


def _approve_worker(resolved: Resolved, wish: Wish) -> None:
    """Adds the warnings of the check. Raises ConfigError TB1101, TB1107 to TB1110: see `typed.check`."""

    def check() -> list[str]:
        from trailboss.config import typed

        return typed.check(resolved)

    file, text = str(resolved.document.file), resolved.document.source.text
    derived = resolved.document.derived
    # What was resolved follows from the text and the wish.
    resolved.warnings += approve((file, wish.environment or ""), (text, repr(wish), repr(derived)), check)


def _main(resolved: Resolved, directory: Path) -> Path | None:
    """The entry file; Workers Sites have a default one."""
    written = resolved.raw.get("main")
    site = resolved.raw.get("site")
    if written is None and isinstance(site, dict):
        written = site.get("entry-point") or "workers-site"
        if not Path(written).suffix:
            written = f"{written}/index.js"
    return discover.absolute(directory / written) if isinstance(written, str) else None
