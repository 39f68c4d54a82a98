"""`versions upload`: a version that takes no traffic yet, with its preview URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailboss.errors import ReleaseError
from trailboss.release.callbacks import Progress, quiet
from trailboss.release.deploy import begin, finish, run
from trailboss.release.outcomes import DeployOptions, Outcome, WorkerReport
from trailboss.release.passing import Go, Pass, Step, Stop
from trailboss.release.reading import read_details
from trailboss.release.secret_shipping import prepare
from trailboss.release.stages import CHECKS
from trailboss.release.triggers.subdomain import preview_url
from trailboss.release.uploading import upload_artifact
from trailboss.release.wrangling import hand_over, why_wrangler

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.config import Worker


async def upload_version(
    worker: Worker,
    cloud: Cloud | None,
    options: DeployOptions | None = None,
    *,
    progress: Progress = quiet,
) -> WorkerReport:
    """Upload `worker` as a version without traffic; `previous_version_id` in the report is what stays live.

    Unlike a deploy it always uploads: asking for a version is asking for one. Triggers are left alone.

    Raises:
        ReleaseError: TB4100 the Worker does not exist (its first upload must be a deploy).
        BuildError: TB3502 Durable Object migrations are pending. The others as `deploy`.
    """
    from dataclasses import replace

    options = replace(options or DeployOptions(), triggers=False, force=True)
    [ready] = await prepare([begin(worker, cloud, options, progress)])
    step = await run((*CHECKS, ("upload", _upload), ("read-back", _read_back)), ready)
    return finish(step)


async def _upload(now: Pass) -> Step:
    reason = why_wrangler(now)
    if reason is not None:
        return Stop(await hand_over(now, reason, ("versions", "upload")), Outcome.HANDED_OVER, reason)
    if now.seen is None or not now.seen.exists:
        raise ReleaseError(
            "TB4100",
            f'There is no Worker "{now.name}" to upload a version of.',
            hint="Run `trailboss deploy` once: a Worker's first upload puts it live.",
        )
    now = await upload_artifact(now, mode="version")
    return Go(now, f"version {(now.report.version_id or '')[:8]}")


async def _read_back(now: Pass) -> Step:
    """The version as the account has it, and where it can be previewed."""
    version_id = now.report.version_id or ""
    record = await read_details(now.account, now.name, version_id)
    known = now.seen.record if now.seen else None
    alias = now.options.alias or now.subject.options.preview_alias
    now = now.noting(
        version_number=int(record.get("number") or 0) or None,
        preview_url=preview_url(known, version_id[:8]),
        alias_url=preview_url(known, alias) if alias else None,
    )
    return Stop(now, Outcome.UPLOADED)
