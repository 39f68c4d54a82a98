"""What is left to do for one Worker, once its artifact and its account have been seen."""

from __future__ import annotations

from dataclasses import replace

from trailboss.release.account import Seen
from trailboss.release.checks import check_split, measure
from trailboss.release.model import Version, made_by_us
from trailboss.release.outcomes import Outcome
from trailboss.release.passing import Go, Pass, Step, Stop
from trailboss.release.settings import differs, environment_tags, wanted_settings
from trailboss.release.triggers.addresses import read_addresses
from trailboss.release.triggers.subdomain import url_of, wants


async def decide(now: Pass) -> Step:
    """Upload, only move traffic, only write triggers and settings, or nothing at all."""
    if now.options.dry_run:
        return _planned(now)
    if now.artifact is None or now.seen is None:
        return Go(now)
    seen = now.seen
    now = replace(now, script_settings=settings_to_write(now, seen))
    if seen.live is None or not is_this(now, seen.live):
        return _new_code(now, seen)
    now = replace(now, upload=False)
    now = now.noting(version_id=seen.live.id, version_number=seen.live.number, urls=urls_of(now, seen.record))
    if now.script_settings is None and not any(change.write for change in seen.changes):
        unchanged = tuple(change.planned() for change in seen.changes)
        return Stop(now.noting(triggers=unchanged), Outcome.UNCHANGED, f"{seen.live.label} is this already")
    return Go(now, "only triggers and settings differ")


def _new_code(now: Pass, seen: Seen) -> Step:
    assert now.artifact is not None
    if seen.current is not None and seen.current.mark is not None:
        from trailboss.release.rollout.shape import refuse_running

        refuse_running(now.name, seen.current.mark, force=now.options.force)
    check_split(now.name, seen, now.options)
    size, gzipped = measure(now.artifact)
    now = now.noting(size=size, gzip_size=gzipped)
    waiting = _waiting(now, seen) if now.options.triggers else None
    if waiting is None:
        return Go(now, "a new version")
    return Go(replace(now, upload=False, waiting=waiting), f"{waiting.label} waits for traffic")


def _waiting(now: Pass, seen: Seen) -> Version | None:
    """The newest version, when it is this one and only lacks the traffic: from a deploy that died after its
    upload, or from `versions upload`. It is used instead of making a second one."""
    newest = seen.versions[0] if seen.versions else None
    if newest is None or not is_this(now, newest):
        return None
    return newest if now.options.tag in (None, newest.tag) else None


def is_this(now: Pass, version: Version) -> bool:
    """Whether `version` has the code and the wiring that are here, as far as anybody can tell.

    Secrets cannot be compared: with some to ship, no version is.
    """
    assert now.seen is not None and now.artifact is not None
    if now.options.force or now.options.secrets:
        return False
    made = made_by_us(version, now.seen.versions)
    return (made.digest, made.wiring) == (now.artifact.digest, now.wiring)


def _planned(now: Pass) -> Step:
    """The end of a dry run."""
    if now.artifact is not None:
        size, gzipped = measure(now.artifact)
        now = now.noting(size=size, gzip_size=gzipped)
    seen = now.seen
    if seen is None:
        return Stop(now, Outcome.PLANNED, "checked without an account")
    now = now.noting(
        triggers=tuple(change.planned() for change in seen.changes),
        warnings=(*now.report.warnings, *_no_way_back(now, seen)),
    )
    if now.artifact is not None and seen.live is not None and is_this(now, seen.live):
        return _all_but_code(now, seen, seen.live)
    what = " and get all traffic" if now.options.triggers else ""
    return Stop(now, Outcome.PLANNED, f"a new version would be uploaded{what}")


def _all_but_code(now: Pass, seen: Seen, live: Version) -> Step:
    now = now.noting(version_id=live.id, version_number=live.number)
    if settings_to_write(now, seen) is None and not any(change.write for change in seen.changes):
        return Stop(now, Outcome.UNCHANGED, f"{live.label} is this already")
    why = f"{live.label} is this code already: only what is around it would change"
    return Stop(now, Outcome.PLANNED, why)


def _no_way_back(now: Pass, seen: Seen) -> tuple[str, ...]:
    """What will make a rollback behind this deploy impossible."""
    steps = now.settings.get("migrations") or ()
    if not steps or not seen.exists:
        return ()
    from trailboss.build.metadata.lifecycle import pending_migrations

    pending = pending_migrations(steps, seen.migration_tag)
    if pending is None:
        return ()
    return (f"the migration {pending['new_tag']} cannot be undone: this cannot be rolled back behind it",)


def settings_to_write(now: Pass, seen: Seen) -> dict[str, object] | None:
    """The unversioned settings the account does not have yet; None when they are as wanted."""
    record = seen.record
    tags = environment_tags(
        list((record or {}).get("tags") or ()),
        service=now.subject.top_level_name,
        environment=now.subject.wrangler_environment,
        environments=bool(now.subject.environments),
    )
    body = wanted_settings(now.settings, tags)
    return body if differs(body, record) else None


def urls_of(now: Pass, record: object) -> tuple[str, ...]:
    """Where the Worker answers: workers.dev, routes, custom domains."""
    found = []
    url = url_of(record if isinstance(record, dict) else None)
    if url and wants(now.settings)[0]:
        found.append(url)
    for address in read_addresses(now.settings) or ():
        found.append(f"https://{address.pattern}" if address.custom_domain else address.pattern)
    return tuple(found)
