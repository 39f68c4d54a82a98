"""Environments as a whole: added to the files, removed from them, listed.

An environment is `[environments.<name>]` in trailboss.toml and, where a wrangler config has environments of
its own, `env.<name>` there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailboss.config.copying import copied
from trailboss.config.discover import PROJECT_NAME, WRANGLER_NAMES
from trailboss.config.document import Document, read_document
from trailboss.config.edit import Append, Change, Delete, Set
from trailboss.config.resolve import (
    Wish,
    env_table,
    environments_of,
    resolve,
    script_name,
    unknown_environment,
)
from trailboss.config.several import rewrite_together
from trailboss.errors import ConfigError
from trailboss.values import Location

if TYPE_CHECKING:
    from trailboss.config.project import Project

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
RESERVED = {
    "default": "the top level is chosen with --env=",
    "all": "it reads as every environment",
    "none": "it reads as no environment",
    "constructor": "wrangler finds something else under that name",
}
LONGEST = 63
"""Characters in a Worker's name, which is also a label in its address."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new environment is to be: `source` is an environment to copy, `target` as in `[target] name`."""

    source: str | None = None
    protected: bool = False
    branches: tuple[str, ...] = ()
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Edited:
    """`done` is False when the files said so already; `files` are those that changed, `notes` sentences."""

    name: str
    done: bool
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """One environment; `files` are those that declare it, `target` None when it has none of its own."""

    name: str
    active: bool
    protected: bool
    branches: tuple[str, ...]
    target: str | None
    workers: tuple[str, ...]
    files: tuple[Path, ...]


@dataclass(slots=True)
class _Files:
    """The project's files as written: trailboss.toml (None: there is none) and each wrangler config."""

    root: Path
    settings: Document | None
    configs: list[Document] = field(default_factory=list)

    @property
    def place(self) -> Location:
        """Where environments are, or would be."""
        if self.settings is None:
            return Location(self.root / PROJECT_NAME)
        return self.settings.locate("environments")

    def table(self, name: str) -> Mapping[str, Any] | None:
        """`[environments.<name>]`."""
        tables = (self.settings.data if self.settings else {}).get("environments", {})
        found: Mapping[str, Any] | None = tables.get(name)
        return found

    def declaring(self, name: str) -> list[Document]:
        """The wrangler configs that have `env.<name>`."""
        return [document for document in self.configs if name in environments_of(document)]


def _files(project: Project) -> _Files:
    configs = [read_document(w.user_path) for w in project.workers if w.user_path is not None]
    return _Files(project.root, read_document(project.file) if project.file else None, configs)


def create(project: Project, name: str, wanted: Wanted = Wanted()) -> Edited:
    """Add the environment `name` to the project's files; what is there already stays as it is.

    trailboss.toml is made when there is none; the environments the wrangler config has by then keep their
    meaning. All files are written or none. Raises ConfigError TB1401 (the name), TB1402 (a Worker's name
    would be too long), TB1403 (or is taken), TB1102 (no such source), TB1205 (a branch of another one), and
    the errors of editing and of loading what was written.
    """
    files = _files(project)
    here = [document.file for document in files.declaring(name)]
    if not here and files.table(name) is None:
        _check(files, name)
    if wanted.source is not None and wanted.source not in project.environments:
        raise unknown_environment(wanted.source, project.environments, files.place)
    _check_branches(files, name, wanted)
    edits, notes = _wrangler_edits(files, name, wanted.source)
    settings, more = _settings_edits(project, files, name, wanted)
    edits.update(settings)
    changed = rewrite_together(edits, lambda: _load(project, name))
    return Edited(name, bool(changed), changed, tuple(dict.fromkeys(notes + more)) if changed else ())


def _load(project: Project, name: str) -> None:
    """Proof that the project with the new environment can be loaded."""
    type(project).load(project.root, environment=name, environ={})


def _check(files: _Files, name: str) -> None:
    if not _NAME.fullmatch(name) or name in RESERVED:
        why = RESERVED.get(name, "only a-z, 0-9 and single dashes: it becomes part of bucket and host names")
        likely = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        known = likely and likely != name and likely not in RESERVED
        raise ConfigError(
            "TB1401",
            f'"{name}" cannot be the name of an environment: {why}',
            hint=f"For example: trailboss environments create {likely}" if known else "Choose another name.",
            where=files.place,
        )
    for document in files.configs:
        worker = script_name(document, name)
        if len(worker) > LONGEST:
            raise ConfigError(
                "TB1402",
                f'the Worker would be called "{worker}", {len(worker)} characters; {LONGEST} is the most',
                hint=f"Choose a name with at most {LONGEST - len(worker) + len(name)} characters.",
                where=document.locate("name"),
            )
        for other in (None, *environments_of(document)):
            if worker and script_name(document, other) == worker:
                raise ConfigError(
                    "TB1403",
                    f'"{worker}" is the Worker of {other or "the top level"} already',
                    hint="Two environments cannot share one Worker: choose another name.",
                    where=document.locate("env", other, "name") if other else document.locate("name"),
                )


def _check_branches(files: _Files, name: str, wanted: Wanted) -> None:
    tables = (files.settings.data if files.settings else {}).get("environments", {})
    for other, table in tables.items():
        both = [branch for branch in wanted.branches if branch in table.get("branches", ())]
        if both and other != name and files.settings is not None:
            raise ConfigError(
                "TB1205",
                f'the branch "{both[0]}" belongs to the environment {other} already',
                hint=f"Take it out of `branches` there, or leave out --branch {both[0]}.",
                where=files.settings.locate("environments", other, "branches"),
            )


def _wrangler_edits(
    files: _Files, name: str, source: str | None
) -> tuple[dict[Path, list[Change] | str], list[str]]:
    """`env.<name>` where the config has environments: a copy of the source's block, or an empty one."""
    edits: dict[Path, list[Change] | str] = {}
    notes: list[str] = []
    siblings = {script_name(d, source): script_name(d, name) for d in files.configs} if source else {}
    for document in files.configs:
        if name in environments_of(document) or not environments_of(document):
            continue
        table, said = copied(env_table(document, source), source, name, siblings) if source else ({}, [])
        edits[document.file] = [Set(("env", name), table)]
        notes += said
    return edits, notes


def _settings_edits(
    project: Project, files: _Files, name: str, wanted: Wanted
) -> tuple[dict[Path, list[Change] | str], list[str]]:
    own = _own(files, wanted)
    notes = []
    if wanted.source and (files.table(wanted.source) or {}).get("branches"):
        notes.append(f"the branches of {wanted.source} were not copied: a branch chooses one environment")
    if files.settings is None:
        file = files.root / PROJECT_NAME
        return {file: _new_file(project, files, name, own)}, notes
    keys = ("environments", name)
    there = files.table(name)
    if there is None:
        return {files.settings.file: [Set(keys, own)]}, notes
    changes: list[Change] = []
    if wanted.protected and not there.get("protected"):
        changes.append(Set((*keys, "protected"), True))
    if wanted.target and (there.get("target") or {}).get("name") != wanted.target:
        changes.append(Set((*keys, "target", "name"), wanted.target))
    missing = [branch for branch in wanted.branches if branch not in there.get("branches", ())]
    changes += [Append((*keys, "branches"), branch) for branch in missing]
    return ({files.settings.file: changes} if changes else {}), []


def _own(files: _Files, wanted: Wanted) -> dict[str, Any]:
    """The table of a new environment."""
    own = dict(files.table(wanted.source or "") or {})
    own.pop("branches", None)
    if wanted.protected:
        own["protected"] = True
    if wanted.branches:
        own["branches"] = list(wanted.branches)
    if wanted.target:
        own["target"] = {**own.get("target", {}), "name": wanted.target}
    return own


def _new_file(project: Project, files: _Files, name: str, own: dict[str, Any]) -> str:
    """The first trailboss.toml. With it environments inherit bindings; those that did not keep it so."""
    import tomlkit

    lines = [f"name = {json.dumps(project.name, ensure_ascii=False)}"]
    for document in files.configs:
        if document.file.name not in WRANGLER_NAMES:  # nobody would look for it
            path = json.dumps(document.file.name, ensure_ascii=False)
            lines += ["", f"[workers.{json.dumps(project.name, ensure_ascii=False)}]", f"path = {path}"]
    known = (env for document in files.configs for env in environments_of(document))
    for other in dict.fromkeys([*known, name]):
        lines += ["", f"[environments.{other}]"]
        if any(_would_gain(document, other) for document in files.configs):
            lines.append("inherit_bindings = false  # as until now: it has only what it names itself")
    text = "\n".join(lines) + "\n"
    if own:
        made: Any = tomlkit.parse(text)
        made["environments"][name].update(own)
        text = tomlkit.dumps(made)
    return text


def _would_gain(document: Document, name: str) -> bool:
    """Whether an environment that is there would get bindings from the top level that it has not now."""
    if name not in environments_of(document):
        return False
    plain = resolve(document, Wish(name)).raw
    return resolve(document, Wish(name, project=True, inherit=True)).raw != plain


def delete(project: Project, name: str) -> Edited:
    """Remove the environment `name` from the project's files; nothing in an account is touched.

    Raises the errors of editing; all files are written or none.
    """
    files = _files(project)
    edits: dict[Path, list[Change] | str] = {
        document.file: [Delete(("env", name) if len(environments_of(document)) > 1 else ("env",))]
        for document in files.declaring(name)
    }
    if files.settings is not None and files.table(name) is not None:
        edits[files.settings.file] = [Delete(("environments", name))]
    changed = rewrite_together(edits)
    return Edited(name, bool(changed), changed)


def listing(project: Project, active: str | None) -> tuple[Listed, ...]:
    """Every environment of the project, in the order of the files; `active` is marked."""
    files = _files(project)
    found = []
    for name in project.environments:
        table = files.table(name)
        declaring = [document.file for document in files.declaring(name)]
        settings = project.settings.environments.get(name)
        own_target = settings.target if settings else {}
        found.append(
            Listed(
                name=name,
                active=name == active,
                protected=settings is not None and settings.protected,
                branches=tuple(settings.branches) if settings else (),
                target=_target(own_target),
                workers=tuple(w for d in files.configs if (w := script_name(d, name))),
                files=(*([project.file] if project.file and table is not None else []), *declaring),
            )
        )
    return tuple(found)


def _target(table: Mapping[str, Any]) -> str | None:
    """`[target]` in one word."""
    sandbox = table.get("sandbox")
    if sandbox:
        return "sandbox" if sandbox is True else f"sandbox:{sandbox}"
    word = table.get("name") or ("cloudflare" if table else None)
    return str(word) if word else None
