"""From a project's folder to an artifact, and every way in which that can fail."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from tests.build.corpus import SOURCE, Case, copy_project
from tests.build.projects import load, make
from trailboss.build import Artifact, BuildCache, build, build_async, kept
from trailboss.build.artifact import seal
from trailboss.build.bundle import collect
from trailboss.build.making import code_of
from trailboss.build.subject import Subject
from trailboss.build.wrangler import Wrangler
from trailboss.config import Project
from trailboss.errors import BuildError

DATE = {"compatibility_date": "2026-11-01"}


def project(folder: Path, files: dict[str, str], **settings: Any) -> Any:
    config = {"name": "w", "main": "index.js", **DATE, **settings}
    return load(make(folder, {"wrangler.json": json.dumps(config), **files}))


def digest_of(case: Case, wrangler: Wrangler) -> str:
    subject = Subject.of(case.worker, case.options)
    return seal(code_of(collect(subject, wrangler, case.folder.parent), wrangler), None).digest


@pytest.mark.xdist_group("build-corpus")
@pytest.mark.timeout(600)
def test_digest_is_independent_of_the_environment(cases: dict[str, Case], wrangler: Wrangler) -> None:
    """Other bindings, variables and names; the same code."""
    assert digest_of(cases["env-staging"], wrangler) == digest_of(cases["env-top"], wrangler)
    assert digest_of(cases["env-production"], wrangler) != digest_of(cases["env-top"], wrangler)
    assert digest_of(cases["storage"], wrangler) == digest_of(cases["vectorize"], wrangler)


@pytest.mark.xdist_group("build-corpus")
@pytest.mark.timeout(600)
def test_digest_is_independent_of_the_place(
    tmp_path: Path, cases: dict[str, Case], wrangler: Wrangler, cache: BuildCache
) -> None:
    """Polyfills come from the toolchain's folder and service workers name their scratch folder."""
    for name in ("nodejs-compat", "service-worker-blobs"):
        elsewhere = copy_project(name, tmp_path / "some" / "where" / name)
        artifact = build(elsewhere.worker, cache=cache)
        assert artifact.digest == digest_of(cases[name], wrangler)
        for module in artifact.modules:
            for place in (str(tmp_path), str(wrangler.root), "/.cache/", "deploy-"):
                assert place.encode() not in module.data


def test_environments_share_a_bundle_and_it_is_kept_by_its_digest(
    tmp_path: Path, cache: BuildCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    envs = {"staging": {"vars": {"X": "1"}}, "production": {}, "odd": {"define": {"X": "1"}}}
    folder = tmp_path / "project"
    project(folder, {"index.js": "export default {}"}, env=envs)
    there = Project.load(folder, environ={}, environment="staging").worker()
    made = build(there, cache=cache)
    monkeypatch.setattr("trailboss.build.making.make", None)
    assert not made.cached
    assert build(Project.load(folder, environ={}, environment="production").worker(), cache=cache).cached
    with pytest.raises(TypeError):
        build(Project.load(folder, environ={}, environment="odd").worker(), cache=cache)
    (folder / "index.js").write_text("export default { changed: true }")
    again = kept(there, made.digest, cache=cache)
    assert again is not None
    assert (again.digest, again.modules) == (made.digest, made.modules)
    assert kept(there, "sha256:0", cache=cache) is None


def test_artifact_survives_the_disk(tmp_path: Path, cache: BuildCache) -> None:
    case = copy_project("assets-with-worker", tmp_path / "project")
    artifact = build(case.worker, cache=cache)
    artifact.write(tmp_path / "out")
    shutil.rmtree(case.folder)
    read = Artifact.read(tmp_path / "out")
    assert (read.digest, read.modules) == (artifact.digest, artifact.modules)
    assert read.assets is not None
    assert all(read.assets.path_of(path).is_file() for path in read.assets.files)
    artifact_file = tmp_path / "out" / "manifest.json"
    artifact_file.write_text(artifact_file.read_text().replace("2026-11-01", "2026-11-02"))
    with pytest.raises(BuildError) as caught:
        Artifact.read(tmp_path / "out")
    assert caught.value.code == "TB3202"


def test_assets_only_worker_needs_no_node(cache: BuildCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trailboss.build.builder.find", None)
    artifact = build(Case(SOURCE / "assets-only").worker, cache=cache)
    assert artifact.format == "assets"
    assert artifact.assets is not None
    assert "/_headers" not in artifact.assets.files
    assert artifact.assets.headers == "/*\n  X-A: b\n"


FAILURES: dict[str, tuple[str, dict[str, str], dict[str, Any], str | None]] = {
    "syntax error": ("TB3101", {"index.js": "export default {\n  fetch( {\n};\n"}, {}, "index.js:3:2"),
    "unresolved import": (
        "TB3101",
        {"index.js": 'import a from "./a";\nexport default {};'},
        {},
        "index.js:1:15",
    ),
    "no entry file": ("TB3102", {}, {}, "wrangler.json"),
    "build command": ("TB3103", {"index.js": ""}, {"build": {"command": "echo boom >&2; exit 3"}}, None),
    "class not exported": (
        "TB3104",
        {"index.js": "export default {};"},
        {"durable_objects": {"bindings": [{"name": "A", "class_name": "Nope"}]}},
        None,
    ),
    "no date": ("TB3104", {"index.js": "export default {};"}, {"compatibility_date": None}, None),
}


@pytest.mark.parametrize("what", FAILURES)
def test_failure_has_a_code_a_place_and_a_hint(what: str, tmp_path: Path, cache: BuildCache) -> None:
    code, files, settings, place = FAILURES[what]
    with pytest.raises(BuildError) as caught:
        build(project(tmp_path / "p", files, **settings), cache=cache)
    error = caught.value
    assert error.code == code
    assert error.hint
    assert "\x1b" not in str(error) + error.hint
    if place:
        assert str(error.where) == str((tmp_path / "p" / place).resolve())


def test_failed_build_command_says_what_it_printed(tmp_path: Path, cache: BuildCache) -> None:
    """The command is a program of the project, found as npx would find it."""
    worker = project(tmp_path / "p", {"index.js": ""}, build={"command": "boom"})
    program = make(tmp_path / "p", {"node_modules/.bin/boom": "#!/bin/sh\necho boom >&2; exit 3"})
    (program / "node_modules/.bin/boom").chmod(0o755)
    with pytest.raises(BuildError, match="status 3: boom") as caught:
        build(worker, cache=cache)
    assert caught.value.hint == "boom"


def test_neither_code_nor_assets_is_an_error(tmp_path: Path, cache: BuildCache) -> None:
    worker = load(make(tmp_path / "p", {"wrangler.json": '{"name": "w"}'}))
    with pytest.raises(BuildError) as caught:
        build(worker, cache=cache)
    assert caught.value.code == "TB3102"


def test_a_pages_project_is_told_its_command(tmp_path: Path, cache: BuildCache) -> None:
    worker = load(make(tmp_path / "p", {"wrangler.json": '{"name": "w", "pages_build_output_dir": "out"}'}))
    with pytest.raises(BuildError, match="a Pages project") as caught:
        build(worker, cache=cache)
    assert caught.value.hint == "trailboss pages deploy"


def test_warnings_come_through(tmp_path: Path, cache: BuildCache) -> None:
    text = "export default { fetch(r) { return new Response(typeof r === 'nunber'); } };\n"
    worker = project(tmp_path / "p", {"index.js": text})
    first = build(worker, cache=cache)
    assert any("typeof" in warning for warning in first.warnings)
    assert build(worker, cache=cache).warnings == first.warnings


def test_toolchain_error_passes_through(
    tmp_path: Path, cache: BuildCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Any = None) -> None:
        raise BuildError("TB3004", "npm could not install", hint="Check the network.")

    monkeypatch.setattr("trailboss.build.wrangler.ensure", fail)
    with pytest.raises(BuildError) as caught:
        build(project(tmp_path / "p", {"index.js": "export default {};"}), cache=cache)
    assert caught.value.code == "TB3004"


def test_cancelling_ends_the_bundler_and_all_it_started(tmp_path: Path, cache: BuildCache) -> None:
    mark = tmp_path / "pid"
    command = f"echo $$ > {mark}.part && mv {mark}.part {mark} && exec sleep 600"
    worker = project(tmp_path / "p", {"index.js": ""}, build={"command": command})

    async def run() -> None:
        task = asyncio.create_task(build_async(worker, cache=cache))
        while not mark.exists():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    pid = int(mark.read_text())
    deadline = time.monotonic() + 5
    while _runs(pid) and time.monotonic() < deadline:
        os.sched_yield()
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0]
    except OSError:
        return False


def test_own_wrangler_is_preferred_when_new_enough(tmp_path: Path) -> None:
    from trailboss.build.wrangler import find

    said: list[str] = []
    for version, own in (("4.99.0", True), ("3.114.0", False)):
        package = make(
            tmp_path / "node_modules/wrangler",
            {"package.json": json.dumps({"version": version}), "bin/wrangler.js": ""},
        )
        found = find(tmp_path / "deep" / "er", said.append)
        assert found.is_own is own
        assert (found.script == package / "bin/wrangler.js") is own
    assert "too old" in said[0]


def test_generated_configuration_is_built_where_wrangler_would(tmp_path: Path, cache: BuildCache) -> None:
    """A build tool's redirect: paths count from the generated file, sources from the user's."""
    generated = {
        "name": "made",
        "main": "index.js",
        **DATE,
        "no_bundle": True,
        "rules": [{"type": "ESModule", "globs": ["**/*.js"]}],
        "assets": {"directory": "../client"},
    }
    files = {
        ".wrangler/deploy/config.json": '{"configPath": "../../out/worker/wrangler.json"}',
        "out/worker/wrangler.json": json.dumps(generated),
        "out/worker/index.js": 'import { x } from "./chunk.js";\nexport default { x };\n',
        "out/worker/chunk.js": "export const x = 1;\n",
        "out/client/a.txt": "asset\n",
    }
    worker = project(tmp_path / "p", {"index.js": "export default {};", **files})
    artifact = build(worker, cache=cache)
    assert [module.name for module in artifact.modules] == ["index.js", "chunk.js"]
    assert artifact.assets is not None
    assert list(artifact.assets.files) == ["/a.txt"]
    assert build(worker, cache=cache).cached
