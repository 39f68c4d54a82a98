"""The way from a Worker's folder to an artifact."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from trailboss.build import inputs
from trailboss.build.artifact import Artifact, Code, Module, seal
from trailboss.build.assets import Assets, scan
from trailboss.build.bundle import Bundle, bundle, check_entry
from trailboss.build.cache import BuildCache
from trailboss.build.key import cache_key
from trailboss.build.options import Options
from trailboss.build.snapshot import Snapshot
from trailboss.build.subject import Subject, WorkerLike
from trailboss.build.wrangler import Stop, Wrangler, find
from trailboss.values import Location

Progress = Callable[[str], None]
_BLOBS = {"wasm_module", "text_blob", "data_blob"}


def _silent(_: str) -> None:
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
) -> Artifact:
    """Build `worker`; an unchanged one comes from the cache without starting Node.

    `progress` receives short lines for people. `environ` replaces the process environment.

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
        use_cache and _may_be_cached(subject),
    )
    code, cached = _code(job)
    return seal(code, _assets(job), cached=cached)


async def build_async(
    worker: WorkerLike,
    options: Options | None = None,
    *,
    progress: Progress = _silent,
    cache: BuildCache | None = None,
) -> Artifact:
    """`build` off the event loop; cancelling it ends the bundler at once."""
    stop = Stop()
    task = asyncio.ensure_future(
        asyncio.to_thread(build, worker, options, progress=progress, cache=cache, stop=stop)
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
    use_cache: bool


def _may_be_cached(subject: Subject) -> bool:
    """A custom command whose inputs are unknown is run every time."""
    watched = inputs.custom_watch(subject)
    return watched is None or bool(watched[1])


def _code(job: _Job) -> tuple[Code, bool]:
    """The code, and whether it was had without starting Node."""
    if job.subject.is_assets_only:
        return no_code(job.subject), True
    check_entry(job.subject)
    wrangler = find(job.subject.base, job.progress)
    key = cache_key(job.subject, wrangler, job.environ)
    known = job.cache.load(key) if job.use_cache else None
    if known is not None:
        return known, True
    started = time.time_ns()
    made = bundle(job.subject, wrangler, environ=job.environ, progress=job.progress, stop=job.stop)
    code = code_of(made, wrangler)
    if job.use_cache:
        snapshot = inputs.observe(job.subject, wrangler, made, code)
        if snapshot is not None and _is_settled(job.subject, snapshot, started):
            job.cache.store(key, code, snapshot, job.progress)
    return code, False


def _is_settled(subject: Subject, snapshot: Snapshot, started: int) -> bool:
    """Whether no source was written while the bundler ran, other than by the project's own build command."""
    return subject.build_command is not None or snapshot.newest() < started


def code_of(made: Bundle, wrangler: Wrangler) -> Code:
    """The code part of one dry run."""
    metadata = made.metadata
    main = metadata.get("main_module") or metadata.get("body_part")
    blobs = {entry["part"] for entry in metadata.get("bindings", ()) if entry["type"] in _BLOBS}
    modules = []
    for part in made.parts:
        name, content_type = part.filename or part.name, part.content_type or "application/octet-stream"
        if part.name in blobs:
            # Configured blobs are named by their path on this machine; the file name alone says as much.
            plain = os.path.basename(name) if os.path.isabs(name) else name  # noqa: PTH117, PTH119
            modules.append(Module(plain, content_type, part.content, "blob", part.name))
        else:
            role = "source-map" if content_type == "application/source-map" else "module"
            modules.append(Module(name, content_type, part.content, "main" if name == main else role))
    return Code(
        format="modules" if "main_module" in metadata else "service-worker",
        main=main,
        modules=tuple(modules),
        compatibility_date=metadata.get("compatibility_date"),
        compatibility_flags=tuple(metadata.get("compatibility_flags", ())),
        package_dependencies=tuple(metadata.get("package_dependencies", ())),
        warnings=made.warnings,
        bundler=f"wrangler {wrangler.version}",
    )


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
    return scan(
        directory,
        job.subject.settings["assets"],
        index=job.cache.assets_index(directory),
        where=Location(job.subject.config),
        progress=job.progress,
    )
