"""What is left when a rollout is promoted by somebody else than the deployer that began it: settings and
triggers belong to no version, and are written once the new one has all traffic.

They are in the project's files, and nowhere on the account. So they are written from the project here, when
it is what the version was made of: the same wiring, and the same commit where both are known. Else it is
said what is left, and how it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trailboss.release.account import made_by_us
from trailboss.release.callbacks import Confirm, Progress, quiet
from trailboss.release.commit import find_commit
from trailboss.release.deciding import settings_to_write
from trailboss.release.outcomes import DeployOptions, TriggerReport, TriggerState
from trailboss.release.passing import Pass
from trailboss.release.stages import look, triggers, unversioned
from trailboss.release.wiring import fingerprint

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.config import Project, Worker
    from trailboss.release.model import Version
    from trailboss.release.rollout.control import Found

AFTERWARDS = (("settings", unversioned), ("triggers", triggers))
"""The stages of a deploy that begin when the new version has all traffic."""


@dataclass(frozen=True, slots=True)
class Rest:
    """What was left for one Worker: the script settings (names) and triggers that were written, or why
    nothing could be (`left`, with what to do about it)."""

    worker: str
    settings: tuple[str, ...] = ()
    triggers: tuple[TriggerReport, ...] = ()
    left: str = ""

    @property
    def updated(self) -> tuple[TriggerReport, ...]:
        return tuple(one for one in self.triggers if one.state is TriggerState.UPDATED)

    @property
    def wrote(self) -> bool:
        return bool(self.settings) or any(one.state is not TriggerState.UNCHANGED for one in self.triggers)

    @property
    def ok(self) -> bool:
        return not self.left and all(one.state is not TriggerState.FAILED for one in self.triggers)


async def write_rest(
    project: Project | None,
    cloud: Cloud,
    found: Found,
    *,
    confirm: Confirm | None = None,
    progress: Progress = quiet,
) -> tuple[Rest, ...]:
    """Write the settings and triggers of every Worker of a promoted rollout; what the account has already is
    not written again. Reads as a deploy does, some five calls for each Worker.

    A trigger that fails is reported and stops nothing else. Raises CloudError, ReleaseError TB4073."""
    known = {worker.name: worker for worker in (project.workers if project else ())}
    done = []
    for name in found.order:
        worker = known.get(name)
        why = await _why_not(found, name, worker)
        if why or worker is None or project is None:
            done.append(Rest(name, left=why))
        else:
            done.append(await _write(project, worker, cloud, confirm, progress))
    return tuple(done)


async def _why_not(found: Found, name: str, worker: Worker | None) -> str:
    """Why this is not the place to write them; empty where it is."""
    from trailboss.build.subject import Subject

    version = _made(found, name)
    place = f" from commit {version.git_sha[:12]}" if version and version.git_sha else ""
    do = f"`trailboss deploy`{place} writes them"
    if worker is None:
        return f"routes, schedules, queue consumers and settings are in the project of {name}: {do}"
    subject = Subject.of(worker, None)
    if version is None or version.wiring is None:
        return ""
    if fingerprint(subject.settings) != version.wiring:
        return f"the configuration here is not the one {version.label} was made with: {do}"
    commit = await asyncio.to_thread(find_commit, subject.base) if version.git_sha else None
    if commit is not None and commit.sha != version.git_sha:
        return f"{version.label} was made of another commit than {commit.sha[:12]}, which is here: {do}"
    return ""


def _made(found: Found, name: str) -> Version | None:
    versions = found.versions.get(name, ())
    live = next((one for one in versions if one.id == found.marks[name].canary), None)
    return made_by_us(live, versions) if live else None


async def _write(
    project: Project, worker: Worker, cloud: Cloud, confirm: Confirm | None, progress: Progress
) -> Rest:
    from trailboss.release.deploy import begin, run

    now: Pass = begin(worker, cloud, DeployOptions(confirm=confirm), progress, project)
    now = (await look(now)).now
    assert now.seen is not None
    wanted = settings_to_write(now, now.seen)
    step = await run(AFTERWARDS, replace(now, upload=False, script_settings=wanted))
    return Rest(worker.name, tuple(wanted or ()), step.now.report.triggers)


def warnings_of(rests: Sequence[Rest]) -> tuple[str, ...]:
    """What has to be said of them, a line each."""
    said = [f"{one.worker}: {one.left}" for one in rests if one.left]
    for one in rests:
        for trigger in one.triggers:
            if trigger.state is TriggerState.FAILED:
                said.append(f"{one.worker}: {trigger.kind} could not be updated: {trigger.error}")
            said += [f"{one.worker}: {text}" for text in trigger.warnings]
    return tuple(said)
