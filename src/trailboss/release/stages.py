"""The stages of a deploy: small functions that take what is known and answer with more, or stop.

`CHECKS` write nothing, anywhere. `CHANGES` each make one kind of write; killed between any two of them, the
next deploy sees in the account what is done and does the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trailboss.release.account import look as look_at
from trailboss.release.checks import check_settings, warn_of_dashboard
from trailboss.release.deciding import decide, urls_of
from trailboss.release.model import Share, Version
from trailboss.release.outcomes import Outcome, TriggerReport, TriggerState
from trailboss.release.passing import Go, Pass, Stage, Step, Stop
from trailboss.release.reading import read_details
from trailboss.release.settings import write_settings
from trailboss.release.surroundings import keep
from trailboss.release.together import together
from trailboss.release.traffic import confirm_live, shift
from trailboss.release.triggers import apply_triggers, read_record
from trailboss.release.uploading import upload_artifact
from trailboss.release.wires import describe_bindings
from trailboss.release.wiring import fingerprint
from trailboss.release.wrangling import hand_over, why_wrangler

if TYPE_CHECKING:
    from trailboss.build import Artifact
    from trailboss.release.account import Seen

ROUNDS = 6
"""Turns of the event loop in which a connection on this machine stands and a request is sent."""


async def preflight(now: Pass) -> Step:
    """Refuse what can be known to be wrong without building or asking."""
    check_settings(now.subject, now.options)
    return Go(now.noting(bindings=describe_bindings(now.subject)), f"settings of {now.name} are in order")


async def build(now: Pass) -> Step:
    """Folder to artifact; an unchanged folder comes from the cache. The account is read in the meantime."""
    if why_wrangler(now):
        return Go(now, "wrangler builds it")
    unread = now.cloud is not None and now.seen is None
    reading = asyncio.ensure_future(_read(now)) if unread else None
    making = _building(now) if now.options.promoted is None else _promoted(now)
    artifact = await _meanwhile(making, reading)
    now = replace(now, artifact=artifact, reading=reading, wiring=fingerprint(now.settings))
    warnings = (*now.report.warnings, *artifact.warnings)
    note = f"{'unchanged since' if artifact.cached else 'built'} {artifact.digest[:19]}"
    return Go(now.noting(digest=artifact.digest, size=artifact.size, warnings=warnings), note)


async def _building(now: Pass) -> Artifact:
    for _ in range(ROUNDS):  # the questions to the account go out first: the answers come while this loads
        await asyncio.sleep(0)
    from trailboss.build import build_async

    return await build_async(now.worker, now.subject.options, progress=now.progress, meanwhile=_get_ready)


async def _promoted(now: Pass) -> Artifact:
    """What has that digest: nothing is built while the build cache has it."""
    from trailboss.build import kept
    from trailboss.release.proof import refuse_another, wanted_digest

    digest = wanted_digest(now)
    known = await asyncio.to_thread(kept, now.worker, digest, now.subject.options, progress=now.progress)
    if known is not None:
        return known
    artifact = await _building(now)
    refuse_another(now, artifact)
    return artifact


def _get_ready() -> None:
    """Load what the upload needs; called while the bundler is at work."""
    import trailboss.build.uploader
    import trailboss.plan  # noqa: F401


async def _meanwhile(building: Coroutine[Any, Any, Artifact], reading: asyncio.Task[Seen] | None) -> Artifact:
    """The artifact. A failed build calls the reading off; a failed reading is told when it is asked for."""
    task = asyncio.ensure_future(building)
    try:
        return await task
    except BaseException:
        others = [other for other in (task, reading) if other is not None]
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        raise


async def _read(now: Pass) -> Seen:
    options = now.options
    return await look_at(
        now.account, now.name, now.settings, triggers=options.triggers, confirm=options.confirm
    )


async def look(now: Pass) -> Step:
    """What the account has, read all at once; in a dry run without an account there is nothing to read."""
    if now.cloud is None:
        return Go(now, "no account")
    seen = await (now.reading or _read(now))
    current = seen.current
    now = replace(now, seen=seen, reading=None).noting(
        first=not seen.exists,
        previous_version_id=current.whole if current else None,
        warnings=(*now.report.warnings, *warn_of_dashboard(seen)),
    )
    return Go(now, "exists" if seen.exists else "is new")


async def wrangle(now: Pass) -> Step:
    """What our uploader does not know is done by wrangler, from build to triggers, and said so."""
    reason = why_wrangler(now)
    if reason is None:
        return Go(now)
    return Stop(await hand_over(now, reason), Outcome.HANDED_OVER, reason)


async def keep_around(now: Pass) -> Step:
    """Where this deploy changes what belongs to no version, what was there is kept with the version that
    goes, so that a rollback can put it back. No deploy fails for it."""
    before = now.seen.live if now.seen else None
    moves = now.upload or now.waiting is not None
    if before is None or now.seen is None or not moves:
        return Go(now)
    changes = now.script_settings is not None or any(change.write for change in now.seen.changes)
    if not changes:
        return Go(now)
    warning = await keep(now.account, now.name, before.id, now.seen.record)
    if warning:
        now = now.noting(warnings=(*now.report.warnings, warning))
    return Go(now, "" if warning else f"kept with {before.label}")


async def upload(now: Pass) -> Step:
    """Code, bindings and secrets go up together and get all traffic, in whichever of its two ways
    wrangler would."""
    if now.waiting is not None:
        return await _move(now, now.waiting)
    if not now.upload:
        return Go(now)
    now = await upload_artifact(now, mode="deploy")
    return Go(now, f"version {(now.report.version_id or '')[:8]}")


async def _move(now: Pass, version: Version) -> Step:
    """Give a version that is up already all traffic."""
    now.progress(f"Giving {version.label} all traffic")
    await shift(
        now.account,
        now.name,
        [Share(version.id, 100)],
        before=now.seen.current if now.seen else None,
        message=now.options.message,
        deferred=True,
        confirm=now.options.confirm,
    )
    return Go(now.noting(version_id=version.id, version_number=version.number), f"{version.label} was up")


async def read_back(now: Pass) -> Step:
    """See that the account itself says that the new version has all traffic."""
    if not now.upload:
        return Go(now)
    assert now.report.version_id is not None
    _, record = await together(
        confirm_live(now.account, now.name, now.report.version_id),
        read_details(now.account, now.name, now.report.version_id),
    )
    return Go(now.noting(version_number=int(record.get("number") or 0) or None), "has all traffic")


async def unversioned(now: Pass) -> Step:
    """Logs, tail consumers and tags when nothing was uploaded: an upload carries them itself."""
    if now.upload or now.script_settings is None:
        return Go(now)
    await write_settings(now.account, now.name, now.script_settings)
    return Go(now, ", ".join(now.script_settings))


async def triggers(now: Pass) -> Step:
    """Everything by which the Worker is reached; what fails is reported, and the same deploy heals it."""
    seen = now.seen
    if seen is None:
        return Go(now)
    reports = await apply_triggers(seen.changes, now.progress)
    now = now.noting(triggers=reports)
    failed = [report for report in reports if report.state is TriggerState.FAILED]
    if failed:
        return Stop(now, Outcome.PARTIAL, _partly(failed))
    record = await read_record(now.account, now.name) if now.report.first else seen.record
    return Go(now.noting(urls=urls_of(now, record)))


def _partly(failed: Sequence[TriggerReport]) -> str:
    kinds = ", ".join(dict.fromkeys(report.kind for report in failed))
    return f"the code is live, but {kinds} could not be updated; the same command again does the rest"


CHECKS: tuple[tuple[str, Stage], ...] = (
    ("preflight", preflight),
    ("build", build),
    ("look", look),
    ("decide", decide),
)
CHANGES: tuple[tuple[str, Stage], ...] = (
    ("wrangler", wrangle),
    ("keep", keep_around),
    ("upload", upload),
    ("read-back", read_back),
    ("settings", unversioned),
    ("triggers", triggers),
)
