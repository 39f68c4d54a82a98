"""The way from a Worker's folder to an artifact. What only a bundling needs is imported when one is made."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from trailboss.build.artifact import Artifact, Code, seal
from trailboss.build.cache import BuildCache
from trailboss.build.key import cache_key
from trailboss.build.options import Options
from trailboss.build.subject import Subject, WorkerLike, check_entry
from trailboss.build.wrangler import Stop, find, find_installed
from trailboss.values import Location

if TYPE_CHECKING:
    from trailboss.build.assets import Assets

Progress = Callable[[str], None]


def _silent(_: str) -> None:
    return None


def _nothing() -> None:
    return None


def build(
    worker: WorkerLike,
    options: Options | None = None,
    *,
    progress: Progress = _silent,
    cache: BuildCache | None = None,
    use_cache: bool = True,
    environ: Mapping[str, str] | None = None,
    stop: Stop | None = None,
    started: Callable[[], object] = _nothing,
) -> Artifact:
    """Build `worker`; an unchanged one comes from the cache without starting Node.

    `progress` receives short lines for people. `environ` replaces the process environment. `started` is
    called when the bundler has to be.

    Raises:
        BuildError: TB3001-TB3004 toolchain, TB3101-TB3106 bundling, TB3301-TB3306 assets.
    """
    subject = Subject.of(worker, options)
    job = _Job(
        subject,
        cache or BuildCache(),
        os.environ if environ is None else environ,
        progress,
        stop,
        started,
        use_cache and _may_be_cached(subject),
    )
    code, cached = _code(job)
    return seal(code, _assets(job), cached=cached)


def unchanged(
    worker: WorkerLike, options: Options | None = None, *, cache: BuildCache | None = None
) -> Artifact | None:
    """The artifact when it can be had at once: no assets to read, nothing to install, and built before.

    Raises:
        BuildError: TB3001 no Node, TB3102 no entry file.
    """
    subject = Subject.of(worker, options)
    if subject.assets_directory is not None or not _may_be_cached(subject):
        return None
    check_entry(subject)
    wrangler = find_installed(subject.base)
    if wrangler is None:
        return None
    code = (cache or BuildCache()).load(cache_key(subject, wrangler, os.environ), subject.base)
    return seal(code, None, cached=True) if code is not None else None


def kept(
    worker: WorkerLike,
    digest: str,
    options: Options | None = None,
    *,
    progress: Progress = _silent,
    cache: BuildCache | None = None,
) -> Artifact | None:
    """The artifact of that digest, if the cache still has its code and the assets here are those of it.

    Raises:
        BuildError: TB3001 no Node, TB3102 no entry file, TB3301-TB3306 assets.
    """
    cache = cache or BuildCache()
    known = unchanged(worker, options, cache=cache)
    if known is not None and known.digest == digest:
        return known
    job = _Job(Subject.of(worker, options), cache, os.environ, progress, None, _nothing, use_cache=True)
    assets = _assets(job)
    sealed = (seal(code, assets, cached=True) for code in cache.all_code())
    return next((artifact for artifact in sealed if artifact.digest == digest), None)


async def build_async(
    worker: WorkerLike,
    options: Options | None = None,
    *,
    progress: Progress = _silent,
    cache: BuildCache | None = None,
    meanwhile: Callable[[], object] = _nothing,
) -> Artifact:
    """`build` off the event loop; cancelling it ends the bundler at once.

    `meanwhile` is called on the event loop when the bundler is at work: there is time for something else.
    """
    known = unchanged(worker, options, cache=cache)
    if known is not None:
        return known
    stop, loop = Stop(), asyncio.get_running_loop()
    started = partial(loop.call_soon_threadsafe, meanwhile)
    task = asyncio.ensure_future(
        asyncio.to_thread(build, worker, options, progress=progress, cache=cache, stop=stop, started=started)
    )
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        stop.stop()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()
        raise


@dataclass(frozen=True, slots=True)
class _Job:
    subject: Subject
    cache: BuildCache
    environ: Mapping[str, str]
    progress: Progress
    stop: Stop | None
    started: Callable[[], object]
    use_cache: bool


def _may_be_cached(subject: Subject) -> bool:
    """A custom command whose inputs are unknown is run every time."""
    if subject.build_command is None:
        return True
    from trailboss.build.inputs import custom_watch

    watched = custom_watch(subject)
    return watched is None or bool(watched[1])


def _code(job: _Job) -> tuple[Code, bool]:
    """The code, and whether it was had without starting Node."""
    if job.subject.is_assets_only:
        return no_code(job.subject), True
    check_entry(job.subject)
    wrangler = find(job.subject.base, job.progress)
    key = cache_key(job.subject, wrangler, job.environ)
    known = job.cache.load(key, job.subject.base) if job.use_cache else None
    if known is not None:
        return known, True
    job.started()
    from trailboss.build.making import make

    code, snapshot = make(job.subject, wrangler, job.environ, job.progress, job.stop)
    if job.use_cache and snapshot is not None:
        job.cache.store(key, code, snapshot, job.subject.base, job.progress)
    return code, False


def no_code(subject: Subject) -> Code:
    """The empty code of an assets-only Worker."""
    return Code(
        format="assets",
        main=None,
        modules=(),
        compatibility_date=subject.settings.get("compatibility_date"),
        compatibility_flags=tuple(subject.settings.get("compatibility_flags") or ()),
    )


def _assets(job: _Job) -> Assets | None:
    directory = job.subject.assets_directory
    if directory is None:
        return None
    from trailboss.build.assets import scan

    return scan(
        directory,
        job.subject.settings["assets"],
        index=job.cache.assets_index(directory),
        where=Location(job.subject.config),
        progress=job.progress,
    )
