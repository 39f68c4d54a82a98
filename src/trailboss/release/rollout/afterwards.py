"""What is left when a rollout is promoted by somebody else than the deployer that began it: settings and
triggers belong to no version, and are written once the new one has all traffic.

They are in the project's files, and nowhere on the account. So they are written from the project here, when
it is what the version was made of: the same digest and the same wiring. Else it is said what is left, and how
it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trailboss.release.callbacks import Confirm, Progress, quiet
from trailboss.release.deciding import settings_to_write
from trailboss.release.deploy import begin, run
from trailboss.release.model import made_by_us
from trailboss.release.outcomes import DeployOptions, TriggerReport, TriggerState
from trailboss.release.passing import Pass, Stop
from trailboss.release.stages import build, look, triggers, unversioned

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.config import Project
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
    not written again. Builds and reads as a deploy does, some five calls for each Worker.

    A trigger that fails is reported and stops nothing else. Raises CloudError, BuildError, ReleaseError
    TB4073."""
    known = {worker.name: worker for worker in (project.workers if project else ())}
    done = []
    for name in found.order:
        version, worker = _made(found, name), known.get(name)
        if worker is None or project is None:
            what = "routes, schedules, queue consumers and settings"
            done.append(Rest(name, left=f"{what} are in the project of {name}: {_do(version)}"))
        else:
            now = begin(worker, cloud, DeployOptions(confirm=confirm), progress, project)
            done.append(await _write(now, version))
    return tuple(done)


def _do(version: Version | None) -> str:
    place = f" from commit {version.git_sha[:12]}" if version and version.git_sha else ""
    return f"`trailboss deploy`{place} writes them"


def _made(found: Found, name: str) -> Version | None:
    versions = found.versions.get(name, ())
    live = next((one for one in versions if one.id == found.marks[name].canary), None)
    return made_by_us(live, versions) if live else None


async def _write(now: Pass, version: Version | None) -> Rest:
    """The code is built (or found in the cache) to see that it is the version's; it is not uploaded."""
    step = await run((("build", build), ("look", look)), now)
    now = step.now
    if isinstance(step, Stop) or now.artifact is None or now.seen is None:
        return Rest(now.name, left=f"this cannot be compared with what is live: {_do(version)}")
    if version is not None and (version.digest, version.wiring) != (now.artifact.digest, now.wiring):
        what = "code" if version.digest != now.artifact.digest else "configuration"
        return Rest(now.name, left=f"the {what} here is not what {version.label} was made of: {_do(version)}")
    wanted = settings_to_write(now, now.seen)
    step = await run(AFTERWARDS, replace(now, upload=False, script_settings=wanted))
    return Rest(now.name, tuple(wanted or ()), step.now.report.triggers)


def warnings_of(rests: Sequence[Rest]) -> tuple[str, ...]:
    """What has to be said of them, a line each."""
    said = [f"{one.worker}: {one.left}" for one in rests if one.left]
    for one in rests:
        for trigger in one.triggers:
            if trigger.state is TriggerState.FAILED:
                said.append(f"{one.worker}: {trigger.kind} could not be updated: {trigger.error}")
            said += [f"{one.worker}: {text}" for text in trigger.warnings]
    return tuple(said)
