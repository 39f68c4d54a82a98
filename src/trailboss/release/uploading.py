"""The one place where a release meets the build room's upload."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from trailboss.release.account import Seen
from trailboss.release.commit import find_commit
from trailboss.release.passing import Pass
from trailboss.release.stamp import Stamp

if TYPE_CHECKING:
    from trailboss.build import Existing


async def upload_artifact(now: Pass, *, mode: Literal["deploy", "version"]) -> Pass:
    """Upload the artifact, stamped with what made it; `mode="deploy"` gives it all traffic as well."""
    from trailboss.build import upload

    assert now.artifact is not None and now.seen is not None
    options = now.options
    commit = await asyncio.to_thread(find_commit, now.subject.base)
    stamp = Stamp(
        message=options.message or now.subject.options.message,
        wiring=now.wiring,
        git_sha=commit.sha if commit else None,
        dirty=commit.dirty if commit else False,
    )
    done = await upload(
        now.account,
        now.worker,
        now.artifact,
        mode=mode,
        options=now.subject.options,
        message=stamp.as_message(),
        tag=options.tag,
        alias=options.alias,
        commit=commit.sha if commit else None,
        secrets=options.secrets,
        keep_vars=options.keep_vars or None,
        existing=_existing(now.seen),
        progress=now.progress,
    )
    return now.noting(
        version_id=done.version_id,
        shape=done.shape,
        first=done.was_new,
        startup_time_ms=done.startup_time_ms,
        provisioned=done.made,
        secrets=tuple(sorted(options.secrets)),
        warnings=(*now.report.warnings, *done.warnings),
    )


def _existing(seen: Seen) -> Existing:
    """What was seen already, in the upload's words, so that it does not ask again."""
    from trailboss.build import Existing

    return Existing(
        exists=seen.exists,
        tags=tuple((seen.record or {}).get("tags") or ()),
        migration_tag=seen.migration_tag,
    )
