"""The one place where a release meets the plan room's resources and the build room's upload."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from trailboss.release.account import Seen
from trailboss.release.commit import find_commit
from trailboss.release.passing import Pass
from trailboss.release.secret_marks import carry
from trailboss.release.stamp import Stamp
from trailboss.release.together import together

if TYPE_CHECKING:
    from trailboss.build import Existing
    from trailboss.plan import Provisioned
    from trailboss.plan.provision import Wish


async def upload_artifact(now: Pass, *, mode: Literal["deploy", "version"]) -> Pass:
    """Give every binding its resource, then upload the artifact, stamped with what made it; `mode="deploy"`
    gives it all traffic as well."""
    from trailboss.build import upload

    assert now.artifact is not None and now.seen is not None
    options = now.options
    commit, provided = await together(asyncio.to_thread(find_commit, now.subject.base), _resources(now))
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
        resources=provided.resources,
        fresh_resources=bool(provided.created),
        progress=now.progress,
    )
    marked = await carry(now.account, now.name, done.version_id, options.secrets, now.seen)
    return now.noting(
        version_id=done.version_id,
        shape=done.shape,
        first=done.was_new,
        startup_time_ms=done.startup_time_ms,
        provisioned=tuple(bound.binding for bound in provided.created),
        secrets=tuple(sorted(options.secrets)),
        warnings=(*now.report.warnings, *_unchecked(provided), *done.warnings, *marked),
    )


async def _resources(now: Pass) -> Provisioned:
    """What the bindings without an id stand for; what is missing is made."""
    from trailboss.plan import Provisioned, provision, titles
    from trailboss.plan.wanted import declared

    assert now.artifact is not None and now.seen is not None
    if now.artifact.format == "assets":
        return Provisioned()
    return await provision(
        now.account,
        now.name,
        now.settings,
        deployed_bindings=None if now.seen.exists else (),
        named=titles(now.worker, now.name, declared(now.project) if now.project else {}),
        missing=lambda lacking: _make(now, lacking),
        progress=now.progress,
    )


async def _make(now: Pass, lacking: list[Wish]) -> None:
    """Missing resources are made as `apply` makes them: under the lock, stamped as this project's."""
    if now.project is not None and now.name == now.worker.name:
        from trailboss.plan.ensure import ensure_bound

        await ensure_bound(now.account, now.project, lacking, now.progress, now.options.reveal)


def _unchecked(provided: Provisioned) -> tuple[str, ...]:
    names = ", ".join(bound.binding for bound in provided.unchecked)
    return (f"the token may not look up the resources of {names}; sent as they are",) if names else ()


def _existing(seen: Seen) -> Existing:
    """What was seen already, in the upload's words, so that it does not ask again."""
    from trailboss.build import Existing

    return Existing(
        exists=seen.exists,
        tags=tuple((seen.record or {}).get("tags") or ()),
        migration_tag=seen.migration_tag,
    )
