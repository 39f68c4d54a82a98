"""Artifact -> Cloudflare: exactly the request wrangler would make, in the same one of its two ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from trailboss.build.artifact import Artifact
from trailboss.build.existing import Existing, look_up
from trailboss.build.job import Job, Mode, Uploaded
from trailboss.build.metadata import annotations as notes
from trailboss.build.metadata import lifecycle
from trailboss.build.options import Options
from trailboss.build.request import check_size
from trailboss.build.subject import Subject, WorkerLike
from trailboss.build.support import needs_wrangler
from trailboss.errors import BuildError
from trailboss.values import Location, Secret

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

__all__ = ["Uploaded", "upload"]


async def upload(
    cloud: Cloud,
    worker: WorkerLike,
    artifact: Artifact,
    *,
    mode: Mode = "deploy",
    options: Options | None = None,
    message: str | None = None,
    tag: str | None = None,
    alias: str | None = None,
    commit: str | None = None,
    secrets: Mapping[str, Secret] | None = None,
    keep_vars: bool | None = None,
    existing: Existing | None = None,
    resources: Mapping[str, str | None] | None = None,
    fresh_resources: bool = False,
    record_digest: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> Uploaded:
    """Upload `artifact` as a version of `worker`; `mode="deploy"` gives it all traffic as well.

    `commit` is the git SHA, kept as `workers/commit_sha`. `existing` saves the look-up of the Worker.
    `resources` (binding name -> id or name) are those the configuration does not give; None, and a binding
    nothing is known of, keeps what the deployed Worker has. With `fresh_resources` a refusal by Cloudflare's
    validator, which may not know them yet, is tried again. With `record_digest` the message ends in the
    artifact's digest (see `metadata.annotations`). An upload whose answer was lost is looked for before it is
    repeated, so it never makes two versions.

    Raises:
        BuildError: TB3500 wrangler must do it, TB3501 a version of a Worker that does not exist, TB3502 a
        version
            with pending migrations, TB3503 no name, TB3510 too large, TB3401-TB3403 bindings, TB3307-TB3309
            assets.
        CloudError: what Cloudflare answered.
    """
    options = options or Options()
    subject = Subject.of(worker, options)
    _refuse(subject, artifact, needs_wrangler(worker, options))
    if existing is None:
        progress(f"looking up {subject.name}")
        existing = await look_up(cloud, subject.name)
    job = Job(cloud, subject, artifact, existing, mode, progress)
    job.migrations = _migrations(subject, existing, mode)
    job.message = message if message is not None else options.message
    nonce = notes.draw() if record_digest else None
    job.nonce = nonce
    said = notes.compose(
        message=notes.write_message(job.message, artifact.digest, nonce) if nonce else job.message,
        tag=tag if tag is not None else options.tag,
        alias=(alias if alias is not None else options.preview_alias) if mode == "version" else None,
        commit=commit,
    )
    job.annotations = said if said or mode == "version" else None
    job.keep_vars = bool(subject.settings.get("keep_vars")) if keep_vars is None else keep_vars
    return await job.run(secrets or {}, resources or {}, fresh_resources=fresh_resources)


def _refuse(subject: Subject, artifact: Artifact, reason: str | None) -> None:
    where = Location(subject.config)
    if not subject.name:
        raise BuildError(
            "TB3503", "the Worker has no name", where=where, hint='Set "name", or give --name <name>.'
        )
    if reason is not None:
        raise BuildError(
            "TB3500",
            f"{subject.name} must be uploaded by wrangler: {reason}",
            where=where,
            hint="`trailboss deploy` hands it to wrangler by itself.",
        )
    check_size(artifact)


def _migrations(subject: Subject, existing: Existing, mode: Mode) -> dict[str, Any] | None:
    """The pending Durable Object steps; declared exports replace them."""
    where = Location(subject.config)
    if mode == "version" and not existing.exists:
        raise BuildError(
            "TB3501",
            f"there is no Worker {subject.name} to upload a version of",
            where=where,
            hint="Run `trailboss deploy` once; a Worker's first upload deploys it.",
        )
    if lifecycle.has_durable_object_exports(subject.settings):
        return None
    steps = subject.settings.get("migrations") or ()
    pending = lifecycle.pending_migrations(steps, existing.migration_tag)
    if pending is not None and mode == "version":
        raise BuildError(
            "TB3502",
            f"the migration {pending['new_tag']} cannot go with a version that takes no traffic",
            where=where,
            hint="Run `trailboss deploy`, which applies it at once and cannot be split.",
        )
    return pending
