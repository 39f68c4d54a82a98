"""Which files and folders a bundle was made from, and which would change it if they appeared."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from trailboss.build.artifact import Code
from trailboss.build.bundle import Bundle
from trailboss.build.snapshot import Snapshot
from trailboss.build.subject import Subject
from trailboss.build.wrangler import Wrangler

PROBES = (
    "package.json",
    "tsconfig.json",
    "jsconfig.json",
    ".pnp.cjs",
    ".pnp.data.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "pnpm-lock.yaml",
    "yarn.lock",
    "bun.lock",
    "bun.lockb",
)
"""Files that, where they are or appear beside or above a source, change how it is resolved or compiled."""

TREE_LIMIT = 2000
"""Folders of a project whose names are watched; beyond that only folders that hold a source."""

_EXTENDS = re.compile(r'"extends"\s*:\s*(\[[^\]]*\]|"[^"]*")')
_STRING = re.compile(r"""["'`]([^"'`\n]+)["'`]""")


def observe(subject: Subject, wrangler: Wrangler, bundle: Bundle, code: Code) -> Snapshot | None:
    """Everything `bundle` depends on, recorded now; None when part of it cannot be traced to a file."""
    sources = _sources(subject, bundle)
    others = _other_modules(subject, bundle, code, sources)
    if others is None or subject.main is None:
        return None
    files = {
        *sources,
        *others,
        subject.main,
        wrangler.manifest,
        wrangler.root / "node_modules/esbuild/package.json",
    }
    folders: set[Path] = {path.parent for path in files}
    own = [path for path in (*sources, *others, subject.main) if "node_modules" not in path.parts]
    for folder in {above for path in (*own, *sources) for above in path.parents} | {subject.directory}:
        files |= {folder / name for name in PROBES}
        folders |= set(_package_folders(folder))
    files |= set(_tsconfigs(subject, files))
    files |= set(_declared_packages(subject))
    for root in {subject.directory, subject.base, subject.module_root or subject.directory}:
        folders |= set(_tree(root, subject))
    watched = custom_watch(subject)
    if watched is not None:
        files |= watched[0]
        folders |= watched[1]
    return Snapshot.take(files, folders)


def custom_watch(subject: Subject) -> tuple[set[Path], set[Path]] | None:
    """The files and folders a custom build command works from: its `watch_dir`. None without a command.

    An empty set of folders means the command says nothing of its inputs, so it can never be left out.
    """
    if subject.build_command is None:
        return None
    value = subject.settings["build"].get("watch_dir") or "src"
    roots = [subject.directory / item for item in ([value] if isinstance(value, str) else value)]
    folders = {folder for root in roots if root.is_dir() for folder in _tree(root, subject)}
    return {path for folder in folders for path in folder.iterdir() if path.is_file()}, folders


def _sources(subject: Subject, bundle: Bundle) -> set[Path]:
    found = set()
    for name in bundle.inputs:
        path = Path(os.path.normpath(subject.base / name))
        if path.is_file():
            found.add(path)
    return found


def _other_modules(subject: Subject, bundle: Bundle, code: Code, sources: set[Path]) -> set[Path] | None:
    """The files behind modules that esbuild did not read itself (text, wasm, additional modules)."""
    found: set[Path] = set()
    for module in code.modules:
        if module.role == "source-map" or (module.role == "main" and bundle.inputs):
            continue
        path = _file_of(subject, module.name, module.data, sources, bundle)
        if path is None:
            return None
        found.add(path)
    return found


def _file_of(subject: Subject, name: str, data: bytes, sources: set[Path], bundle: Bundle) -> Path | None:
    for candidate in _candidates(subject, name, sources, bundle):
        try:
            if candidate.stat().st_size == len(data) and candidate.read_bytes() == data:
                return candidate
        except OSError:
            continue
    return None


def _candidates(subject: Subject, name: str, sources: set[Path], bundle: Bundle) -> Iterator[Path]:
    if subject.module_root is not None:
        yield subject.module_root / name
    yield subject.directory / name
    for table in ("wasm_modules", "text_blobs", "data_blobs"):
        for value in (subject.settings.get(table) or {}).values():
            yield subject.directory / value
    # `./<sha1>-name.ext`: some source imports a path that ends in name.ext.
    plain = re.sub(r"^(\./)?[0-9a-f]{40}-", "", name)
    for source in _importers(subject, name, sources, bundle):
        text = source.read_text("utf-8", "replace")
        for specifier in _STRING.findall(text):
            bare = specifier.split("?")[0]
            if bare.endswith(plain):
                yield Path(os.path.normpath(source.parent / bare))
                for folder in source.parents:
                    yield folder / "node_modules" / bare


def _importers(subject: Subject, name: str, sources: set[Path], bundle: Bundle) -> list[Path]:
    named = [
        Path(os.path.normpath(subject.base / source))
        for source, facts in bundle.inputs.items()
        if any(entry.get("path") == name for entry in facts.get("imports", ()))
    ]
    return [path for path in named if path.is_file()] or sorted(sources)


def _package_folders(folder: Path) -> Iterator[Path]:
    """`node_modules` of `folder` and its scopes: a package that appears there may be picked instead."""
    packages = folder / "node_modules"
    yield packages
    if packages.is_dir():
        yield from packages.glob("@*")


def _tsconfigs(subject: Subject, files: set[Path]) -> Iterator[Path]:
    """Every tsconfig in play and what they extend."""
    waiting = [path for path in files if path.name in {"tsconfig.json", "jsconfig.json"}]
    if subject.settings.get("tsconfig"):
        waiting.append(subject.directory / str(subject.settings["tsconfig"]))
    seen: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        yield path
        for match in _EXTENDS.findall(path.read_text("utf-8", "replace")):
            for target in re.findall(r'"([^"]+)"', match):
                waiting += _extended(path.parent, target)


def _extended(folder: Path, target: str) -> list[Path]:
    if target.startswith((".", "/")):
        roots = [folder / target]
    else:
        roots = [above / "node_modules" / target for above in (folder, *folder.parents)]
    return [
        option
        for root in roots
        for option in (root, root.with_name(root.name + ".json"), root / "tsconfig.json")
    ]


def _declared_packages(subject: Subject) -> Iterator[Path]:
    """package.json of each declared dependency: wrangler reports the installed versions."""
    import json

    try:
        manifest = json.loads((subject.base / "package.json").read_bytes())
        names = {*manifest.get("dependencies", {}), *manifest.get("devDependencies", {})}
    except (OSError, ValueError, AttributeError, TypeError):
        return
    for name in names:
        for folder in (subject.base, *subject.base.parents):
            path = folder / "node_modules" / name / "package.json"
            if path.is_file():
                yield path
                break


def _tree(root: Path, subject: Subject) -> list[Path]:
    """Folders below `root` but hidden ones, packages and assets; only `root` when there are too many."""
    found: list[Path] = []
    for folder, names, _ in os.walk(root):
        here = Path(folder)
        found.append(here)
        names[:] = [
            name
            for name in names
            if name[0] != "."
            and name not in {"node_modules", "__pycache__"}
            and here / name != subject.assets_directory
        ]
        if len(found) > TREE_LIMIT:
            return [root]
    return found
