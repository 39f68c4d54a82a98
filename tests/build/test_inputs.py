"""A build is repeated exactly when something it was made from has changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.build.projects import load, make
from trailboss.build import BuildCache, Options, build

COMMAND = "mkdir -p out && cp src/app.js out/ && echo run >> log"
APP = "export default {{ fetch() {{ return new Response('{}'); }} }};\n"
CONFIG = """{
  "name": "inputs", "main": "src/index.ts", "compatibility_date": "2026-11-01",
  "find_additional_modules": true,
  "rules": [{ "type": "Text", "globs": ["**/*.md"], "fallthrough": true }],
}"""
FILES = {
    "wrangler.jsonc": CONFIG,
    "package.json": '{"dependencies": {"pkg": "1"}}',
    "package-lock.json": "{}",
    "base.json": '{"compilerOptions": {}}',
    "tsconfig.json": '{"extends": "./base.json",'
    ' "compilerOptions": {"paths": {"@/*": ["./gen/*", "./src/*"]}}}',
    "gen/other.ts": "export {};\n",
    "src/index.ts": """import { lib } from "./lib";
import { deep } from "@/deep/file";
import pkg from "pkg";
import text from "./note.txt";
import wasm from "./add.wasm";
export default { fetch() { return new Response(lib + deep + pkg + text + wasm); } };
""",
    "src/lib.js": "export const lib = 1;\n",
    "src/deep/file.ts": "export const deep: number = 2;\n",
    "src/extra.md": "# more\n",
    "src/note.txt": "note\n",
    "src/add.wasm": "\0asm\1\0\0\0",
    "node_modules/pkg/package.json": '{"name": "pkg", "version": "1.0.0", "main": "main.js"}',
    "node_modules/pkg/main.js": "import inner from './inner.js'; export default inner;\n",
    "node_modules/pkg/inner.js": "export default 3;\n",
    "README.txt": "not an input\n",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, BuildCache]:
    folder = make(tmp_path_factory.mktemp("inputs") / "project", FILES)
    cache = BuildCache(tmp_path_factory.mktemp("cache"))
    assert not build(load(folder), cache=cache).cached
    return folder, cache


@pytest.fixture
def no_node(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Starting any process is a failure."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a process was started")

    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", refuse)
        yield


class NodeStarted(Exception):
    pass


@pytest.fixture
def misses(built: tuple[Path, BuildCache], monkeypatch: pytest.MonkeyPatch) -> Callable[..., bool]:
    """Whether a build now would start Node."""
    folder, cache = built

    def refuse(*_: Any, **__: Any) -> None:
        raise NodeStarted

    def check(options: Options | None = None, environ: dict[str, str] | None = None) -> bool:
        with monkeypatch.context() as patch:
            patch.setattr("trailboss.build.making.bundle", refuse)
            try:
                return not build(load(folder), options, cache=cache, environ=environ).cached
            except NodeStarted:
                return True

    return check


@pytest.mark.usefixtures("no_node")
def test_unchanged_project_starts_no_process(built: tuple[Path, BuildCache]) -> None:
    folder, cache = built
    artifact = build(load(folder), cache=cache)
    assert artifact.cached
    names = [module.name.rsplit("-", 1)[-1] for module in artifact.modules]
    assert {"index.js", "extra.md", "note.txt", "add.wasm", "index.js.map"} == set(names)


def test_a_copy_elsewhere_is_the_same_until_it_is_edited(built: tuple[Path, BuildCache]) -> None:
    folder, cache = built
    copy = folder.parent / "copy"
    shutil.copytree(folder, copy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trailboss.build.making.bundle", None)
        made = build(load(copy), cache=cache)
        assert made.cached
        assert made.digest == build(load(folder), cache=cache).digest
        (copy / "src/lib.js").write_text("export const lib = 9;\n")
        with pytest.raises(TypeError):
            build(load(copy), cache=cache)
        assert build(load(folder), cache=cache).cached
        deeper = shutil.copytree(folder, folder.parent / "a/b")
        with pytest.raises(TypeError):
            build(load(deeper), cache=cache)


def test_hit_is_quick(built: tuple[Path, BuildCache]) -> None:
    folder, cache = built
    worker = load(folder)
    build(worker, cache=cache)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        build(worker, cache=cache)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.060


CHANGES = {
    "source": ("src/lib.js", "export const lib = 9;\n"),
    "typescript": ("src/deep/file.ts", "export const deep: number = 9;\n"),
    "package code": ("node_modules/pkg/inner.js", "export default 9;\n"),
    "package manifest": ("node_modules/pkg/package.json", '{"name": "pkg", "main": "inner.js"}'),
    "own manifest": ("package.json", '{"dependencies": {"pkg": "1"}, "type": "module"}'),
    "lock file": ("package-lock.json", '{"a": 1}'),
    "tsconfig": ("tsconfig.json", "{}"),
    "extended tsconfig": ("base.json", '{"compilerOptions": {"jsx": "react"}}'),
    "text": ("src/note.txt", "other\n"),
    "wasm": ("src/add.wasm", "\0asm\1\0\0\0\0"),
    "additional module": ("src/extra.md", "# less\n"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_edit_is_noticed_and_taking_it_back_too(
    what: str, built: tuple[Path, BuildCache], misses: Callable[..., bool]
) -> None:
    path = built[0] / CHANGES[what][0]
    before = path.read_bytes()
    path.write_text(CHANGES[what][1])
    assert misses()
    path.write_bytes(before)
    assert not misses()


def test_edit_that_keeps_size_and_mtime_is_noticed(
    built: tuple[Path, BuildCache], misses: Callable[..., bool]
) -> None:
    path = built[0] / "src/lib.js"
    before, stat = path.read_text(), path.stat()
    path.write_text(before.replace("1", "7"))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert misses()
    path.write_text(before)
    assert not misses()


NEW_FILES = {
    "nearer extension": "src/lib.ts",
    "path mapping tried first": "gen/deep/file.ts",
    "additional module": "src/more.md",
    "nearer package": "src/node_modules/pkg/index.js",
    "nearer tsconfig": "src/tsconfig.json",
    "nearer manifest": "src/package.json",
    "file beside a package's": "node_modules/pkg/inner.ts",
}


@pytest.mark.parametrize("what", NEW_FILES)
def test_new_file_that_may_change_resolution_is_noticed(
    what: str, built: tuple[Path, BuildCache], misses: Callable[..., bool]
) -> None:
    folder = built[0]
    path = folder / NEW_FILES[what]
    first_new = next(p for p in (*reversed(path.parents), path) if not p.exists())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}" if path.suffix == ".json" else "export {};\n")
    assert misses()
    shutil.rmtree(first_new) if first_new.is_dir() else first_new.unlink()
    assert not misses()


@pytest.mark.parametrize("name", ["src/lib.js", "src/note.txt", "src/extra.md", "node_modules/pkg/inner.js"])
def test_deleted_file_is_noticed(
    name: str, built: tuple[Path, BuildCache], misses: Callable[..., bool]
) -> None:
    path = built[0] / name
    kept = path.read_bytes()
    path.unlink()
    assert misses()
    path.write_bytes(kept)
    assert not misses()


def test_what_is_no_input_is_not_noticed(built: tuple[Path, BuildCache], misses: Callable[..., bool]) -> None:
    folder = built[0]
    (folder / "README.txt").write_text("changed\n")
    os.utime(folder / "src/lib.js")
    (folder / ".wrangler").mkdir(exist_ok=True)
    (folder / ".wrangler" / "state").write_text("x")
    assert not misses()


@pytest.mark.parametrize(
    "options",
    [
        Options(define={"A": "1"}),
        Options(alias={"pkg": "./src/lib.js"}),
        Options(minify=True),
        Options(compatibility_date="2026-10-01"),
        Options(compatibility_flags=("nodejs_compat",)),
        Options(upload_source_maps=False),
        Options(tsconfig=Path("base.json")),
    ],
    ids=lambda options: next(
        name for name in options.__slots__ if getattr(options, name) != getattr(Options(), name)
    ),
)
def test_flag_is_part_of_the_key(options: Options, misses: Callable[..., bool]) -> None:
    assert misses(options)


def test_flag_of_the_environment_alone_is_not(misses: Callable[..., bool]) -> None:
    assert not misses(Options(name="other", var={"A": "1"}, keep_vars=True, message="m", tag="t"))


def test_variable_the_bundler_reads_is_part_of_the_key(misses: Callable[..., bool]) -> None:
    assert misses(environ={**os.environ, "NODE_ENV": "development"})
    assert not misses(environ={**os.environ, "SOMETHING": "else"})


def test_custom_command_runs_again_only_when_its_folder_changed(tmp_path: Path) -> None:
    folder = make(
        tmp_path / "project",
        {
            "wrangler.jsonc": json.dumps(
                {
                    "name": "c",
                    "main": "out/app.js",
                    "compatibility_date": "2026-11-01",
                    "build": {"command": COMMAND, "watch_dir": "src"},
                }
            ),
            "src/app.js": APP.format(1),
        },
    )
    cache = BuildCache(tmp_path / "cache")
    first = build(load(folder), cache=cache)
    assert build(load(folder), cache=cache).cached
    (folder / "src/app.js").write_text(APP.format(2))
    second = build(load(folder), cache=cache)
    assert not second.cached
    assert first.digest != second.digest
    assert (folder / "log").read_text() == "run\nrun\n"


def test_custom_command_without_a_folder_always_runs(tmp_path: Path) -> None:
    settings = {
        "name": "c",
        "main": "app.js",
        "compatibility_date": "2026-11-01",
        "build": {"command": "true"},
    }
    config = json.dumps(settings)
    folder = make(tmp_path / "project", {"wrangler.jsonc": config, "app.js": "export default {};\n"})
    cache = BuildCache(tmp_path / "cache")
    build(load(folder), cache=cache)
    assert not build(load(folder), cache=cache).cached
