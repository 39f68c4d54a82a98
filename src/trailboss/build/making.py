"""Code made by the bundler, and the record of what it was made from."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping

from trailboss.build import inputs
from trailboss.build.artifact import Code, Module
from trailboss.build.bundle import Bundle, bundle
from trailboss.build.snapshot import Snapshot
from trailboss.build.subject import Subject
from trailboss.build.wrangler import Stop, Wrangler

_BLOBS = {"wasm_module", "text_blob", "data_blob"}


def make(
    subject: Subject,
    wrangler: Wrangler,
    environ: Mapping[str, str],
    progress: Callable[[str], None],
    stop: Stop | None,
) -> tuple[Code, Snapshot | None]:
    """Bundle `subject`; the record is None when part of the result cannot be traced to files at rest.

    Raises:
        BuildError: TB3101-TB3106.
    """
    started = time.time_ns()
    made = bundle(subject, wrangler, environ=environ, progress=progress, stop=stop)
    code = code_of(made, wrangler)
    snapshot = inputs.observe(subject, wrangler, made, code)
    if snapshot is None or not _is_settled(subject, snapshot, started):
        return code, None
    return code, snapshot


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
