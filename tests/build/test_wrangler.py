"""Which program is started for wrangler, and with what."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.build.projects import load, make
from trailboss.build import BuildCache, build
from trailboss.build.failures import failure
from trailboss.build.wrangler import Output, Wrangler, with_compiled

STARTER = 'spawn(process.execPath, [path.join(__dirname, "../wrangler-dist/cli.js")])'


def installed(folder: Path, starter: str, *, program: bool = True) -> Wrangler:
    package = folder / "node_modules/wrangler"
    (package / "bin").mkdir(parents=True)
    (package / "wrangler-dist").mkdir()
    (package / "bin/wrangler.js").write_text(starter)
    if program:
        (package / "wrangler-dist/cli.js").write_text("")
    return Wrangler(Path("node"), package / "bin/wrangler.js", "4.164.0", is_own=True)


def test_the_pinned_wrangler_is_run_without_its_starter(wrangler: Wrangler) -> None:
    assert wrangler.entry == wrangler.root / "node_modules/wrangler/wrangler-dist/cli.js"


@pytest.mark.parametrize(
    ("starter", "program", "direct"),
    [
        (STARTER, True, True),
        (STARTER, False, False),
        (STARTER.replace("[", '["--experimental-vm-modules", '), True, False),
        ('import("../dist/other.js")', True, False),
    ],
)
def test_another_layout_is_started_as_it_wants(
    tmp_path: Path, starter: str, program: bool, direct: bool
) -> None:
    found = installed(tmp_path, starter, program=program)
    assert (found.entry != found.script) is direct


def test_compiled_code_is_kept_beside_our_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAILBOSS_CACHE_DIR", str(tmp_path))
    assert with_compiled({"A": "b"}) == {"A": "b", "NODE_COMPILE_CACHE": str(tmp_path / "node")}
    for said in ({"NODE_COMPILE_CACHE": "/mine"}, {"NODE_DISABLE_COMPILE_CACHE": "1"}):
        assert with_compiled(said) == said


def test_a_build_command_gets_no_cache_of_ours(
    tmp_path: Path, cache: BuildCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NODE_COMPILE_CACHE", raising=False)
    config = (
        '{"name": "w", "main": "out.js", "compatibility_date": "2026-11-01",'
        ' "build": {"command": "echo \\"export default {x: \'[$NODE_COMPILE_CACHE]\'}\\" > out.js"}}'
    )
    artifact = build(load(make(tmp_path / "p", {"wrangler.json": config})), cache=cache)
    assert b"[]" in artifact.modules[0].data


def test_a_failed_build_command_is_known_by_the_words_of_other_wranglers(tmp_path: Path) -> None:
    said = """[custom build] Running: esbuild a.ts
[custom build] /bin/sh: 1: esbuild: not found
✘ [ERROR] Error: Command failed with exit code 127: esbuild a.ts

✘ [ERROR] Running custom build `esbuild a.ts` failed. There may be more logs above.
"""
    error = failure(Output(1, "", said), tmp_path)
    assert (error.code, error.hint) == ("TB3103", "/bin/sh: 1: esbuild: not found")
    assert str(error).endswith("the build command failed with status 127: esbuild a.ts")
