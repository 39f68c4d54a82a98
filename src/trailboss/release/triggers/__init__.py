"""Triggers: everything by which requests, times and messages reach a Worker. None of it belongs to a
version.

`plan_triggers` reads what the account has, all at the same time, and says what would have to be written;
`apply_triggers` writes that, each on its own. One file per trigger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trailboss.errors import CloudError
from trailboss.release import paths
from trailboss.release.callbacks import Confirm, Progress, quiet
from trailboss.release.outcomes import TriggerReport
from trailboss.release.reading import no_such_worker
from trailboss.release.together import together
from trailboss.release.triggers import domains, events, queues, routes, schedules, subdomain, workflows
from trailboss.release.triggers.change import Change, Site, apply

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

FILES = (subdomain, routes, domains, schedules, queues, workflows, events)


async def plan_triggers(site: Site) -> tuple[Change, ...]:
    """Every configured trigger with what it would take. Reads only. Raises what a missing queue raises
    (TB4073)."""
    found = await together(*(file.plan(site) for file in FILES))
    return tuple(change for changes in found for change in changes)


async def apply_triggers(changes: Sequence[Change], progress: Progress = quiet) -> tuple[TriggerReport, ...]:
    """Do the writes that are needed, at the same time; a failure becomes a report and stops nothing
    else."""
    needed = [change for change in changes if change.write]
    if needed:
        progress("Updating " + ", ".join(dict.fromkeys(change.kind for change in needed)))
    return tuple(await together(*(apply(change) for change in changes)))


async def read_record(cloud: Cloud, name: str) -> Mapping[str, Any] | None:
    """The Worker as `GET workers/workers/<name>` gives it (workers.dev state, settings, references); None
    when there is none."""
    try:
        record: Mapping[str, Any] = await cloud.get(paths.worker(cloud, name))
    except CloudError as error:
        if paths.is_missing(error) or error.status == 404:
            return None
        raise
    return record


async def deploy_triggers(
    cloud: Cloud,
    name: str,
    settings: Mapping[str, Any],
    *,
    confirm: Confirm | None = None,
    dry_run: bool = False,
    progress: Progress = quiet,
) -> tuple[TriggerReport, ...]:
    """`triggers deploy`: bring the triggers of a Worker that is live to what `settings` say, and nothing
    else.

    Raises ReleaseError TB4010 (no such Worker) and TB4073 (a queue is missing).
    """
    record = await read_record(cloud, name)
    if record is None:
        raise no_such_worker(name)

    async def known() -> Mapping[str, Any] | None:
        return record

    changes = await plan_triggers(Site(cloud, name, settings, known, confirm))
    if dry_run:
        return tuple(change.planned() for change in changes)
    return await apply_triggers(changes, progress)
