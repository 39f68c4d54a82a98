"""The spare wrangler: the same bytes, one job each, nobody else's, and nothing left behind."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.build.corpus import copy_project
from tests.waiting import wait_until
from trailboss.build import BuildCache, build, build_async, spare
from trailboss.build.wrangler import Stop
from trailboss.config import Project
from trailboss.errors import BuildError
from trailboss.toolchain import cache_root, ensure

SAME = ("nodejs-compat", "source-maps-on", "text-and-data", "service-worker-blobs", "npm-dependency")


@pytest.fixture
def warm(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Spares in a cache of this test's own, with the installed toolchain in it."""
    cache = tmp_path_factory.mktemp("c")
    (cache / "toolchain").symlink_to(cache_root() / "toolchain")
    ensure()
    monkeypatch.setenv("TRAILBOSS_CACHE_DIR", str(cache))
    monkeypatch.setenv("NODE_COMPILE_CACHE", os.environ.get("NODE_COMPILE_CACHE", "/tmp/node-compile-cache"))
    monkeypatch.setenv("TRAILBOSS_BUNDLER", "warm")
    monkeypatch.setattr(spare, "DELAY", 0.0)
    yield cache / "spare"
    pids = [int(file.read_text()) for file in (cache / "spare").glob("*/pid")]
    wait_until(lambda: len(list((cache / "spare").glob("*/socket"))) == len(pids), "every spare's socket")
    spare.end_all()
    wait_until(lambda: not any(map(_lives, pids)), "the end of all spares")


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def worker(folder: Path) -> Any:
    return Project.load(folder, environment="", environ={}).workers[0]


def make(folder: Path, text: str = "") -> Any:
    folder.mkdir(exist_ok=True)
    (folder / "wrangler.jsonc").write_text(
        '{"name": "it", "main": "index.ts", "compatibility_date": "2026-01-01"}'
    )
    (folder / "index.ts").write_text(
        text or "export default { fetch(): Response { return new Response('a') } }"
    )
    return worker(folder)


def built(subject: Any, cache: Path) -> Any:
    return build(subject, cache=BuildCache(cache), use_cache=False)


def content(artifact: Any) -> Any:
    return artifact.digest, [(m.name, m.content_type, m.data) for m in artifact.modules], artifact.warnings


@pytest.mark.parametrize("name", SAME)
def test_the_bytes_are_those_of_a_cold_start(
    name: str, warm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = copy_project(name, tmp_path / "it").worker
    cold = built(subject, tmp_path)
    wait_until(spare.ready, "a spare")
    monkeypatch.setattr("trailboss.build.bundle.run", None)
    assert content(built(subject, tmp_path)) == content(cold)


def test_each_takes_one_job_and_leaves_another(warm: Path, tmp_path: Path) -> None:
    subject = make(tmp_path / "it")
    pids = set()
    for _ in range(2):
        built(subject, tmp_path)
        wait_until(spare.ready, "a spare")
        (folder,) = warm.iterdir()
        pids.add((folder / "pid").read_text())
    assert len(pids) == 2
    assert folder.stat().st_mode & 0o777 == warm.stat().st_mode & 0o777 == 0o700


def test_it_knows_no_secret(warm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CLOUDFLARE_API_TOKEN", "DATABASE_URL", "NODE_AUTH_TOKEN"):
        monkeypatch.setenv(name, "s3cr3t-value")
    built(make(tmp_path / "it"), tmp_path)
    (pid,) = warm.glob("*/pid")
    for part in ("environ", "cmdline"):
        assert b"s3cr3t" not in Path(f"/proc/{pid.read_text()}/{part}").read_bytes()


def test_a_variable_that_may_steer_wrangler_starts_cold(
    warm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WRANGLER_SOMETHING_NEW", "1")
    built(make(tmp_path / "it"), tmp_path)
    assert not warm.exists()


def test_what_is_wrong_is_said_by_a_cold_start(warm: Path, tmp_path: Path) -> None:
    built(make(tmp_path / "it"), tmp_path)
    wait_until(spare.ready, "a spare")
    with pytest.raises(BuildError) as caught:
        built(make(tmp_path / "it", "export default {"), tmp_path)
    assert caught.value.code == "TB3101"
    assert caught.value.where is not None and caught.value.where.file.name == "index.ts"


def test_one_that_died_is_no_obstacle(warm: Path, tmp_path: Path) -> None:
    subject = make(tmp_path / "it")
    first = built(subject, tmp_path)
    wait_until(spare.ready, "a spare")
    (pid,) = warm.glob("*/pid")
    os.kill(int(pid.read_text()), 9)
    assert built(subject, tmp_path).digest == first.digest
    wait_until(
        lambda: (found := list(warm.glob("*/pid"))) and found[0].read_text() != "" and spare.ready(),
        "a spare that others find",
    )


def test_it_ends_by_itself(warm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spare, "PATIENCE", 0.05)
    built(make(tmp_path / "it"), tmp_path)
    (pid,) = [int(file.read_text()) for file in warm.glob("*/pid")]
    wait_until(lambda: not _lives(pid) and not list(warm.iterdir()), "nothing left of the spare")


def test_being_called_off_ends_the_one_at_work(warm: Path, tmp_path: Path) -> None:
    subject = make(tmp_path / "it")
    built(subject, tmp_path)
    wait_until(spare.ready, "a spare")
    (pid,) = [int(file.read_text()) for file in warm.glob("*/pid")]

    async def main() -> None:
        task = asyncio.ensure_future(build_async(subject, cache=BuildCache(tmp_path / "other")))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    stop = Stop()
    stop.stop()
    with pytest.raises(BuildError):
        build(subject, cache=BuildCache(tmp_path / "other"), stop=stop)
    wait_until(lambda: not _lives(pid), "the end of the spare")


@pytest.mark.parametrize("made", ["open to others", "a file", "path too long"])
def test_without_a_folder_of_ours_there_is_none(
    warm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str
) -> None:
    if made == "open to others":
        warm.mkdir()
        warm.chmod(0o755)
    elif made == "a file":
        warm.write_text("")
    else:
        monkeypatch.setattr(spare, "LONGEST_SOCKET", 20)
    assert built(make(tmp_path / "it"), tmp_path).modules
    assert not warm.is_dir() or not list(warm.iterdir())
    if made == "a file":
        warm.unlink()


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, True),
        ({"CI": "true"}, False),
        ({"CI": "false"}, True),
        ({"CI": "1", "TRAILBOSS_BUNDLER": "warm"}, True),
        ({"TRAILBOSS_BUNDLER": "cold"}, False),
    ],
)
def test_when_there_are_any(environ: dict[str, str], wanted: bool) -> None:
    assert spare.is_wanted(environ) is wanted


def test_a_user_has_only_a_few_and_the_newest_stays(
    warm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spare, "MOST", 1)
    for name in ("one", "two", "two"):
        built(make(tmp_path / name), tmp_path)
        wait_until(spare.ready, "a spare")
        (pid,) = warm.glob("*/pid")
        assert Path(f"/proc/{pid.read_text()}/cwd").readlink() == tmp_path / name
