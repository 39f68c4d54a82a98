"""What the stages of a deploy hand on, and the two ways a stage can end without raising."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trailboss.release.account import Seen
from trailboss.release.callbacks import Progress
from trailboss.release.model import Version
from trailboss.release.outcomes import DeployOptions, Outcome, WorkerReport

if TYPE_CHECKING:
    from trailboss.build import Artifact
    from trailboss.build.subject import Subject
    from trailboss.cloud import Cloud
    from trailboss.config import Project, Worker


@dataclass(frozen=True, slots=True)
class Pass:
    """What is known of one Worker's deploy so far. Stages return copies; `report` grows with them.

    `reading` is the look at the account while it is under way beside the build.
    `upload`, `waiting` (a version that is up already and only needs the traffic) and `script_settings` say
    what is left to do, decided once everything has been read.
    """

    worker: Worker
    subject: Subject
    cloud: Cloud | None
    options: DeployOptions
    progress: Progress
    report: WorkerReport
    artifact: Artifact | None = None
    reading: asyncio.Task[Seen] | None = None
    seen: Seen | None = None
    wiring: str = ""
    upload: bool = True
    waiting: Version | None = None
    script_settings: Mapping[str, Any] | None = None
    whole: str | None = None
    project: Project | None = None
    """The project around the Worker, where it is deployed as a part of one."""

    @property
    def name(self) -> str:
        return self.subject.name

    @property
    def settings(self) -> Mapping[str, Any]:
        """The Worker's resolved settings with the command line's flags applied; wrangler's keys."""
        return self.subject.settings

    @property
    def account(self) -> Cloud:
        """The cloud of a stage that cannot run without one."""
        assert self.cloud is not None
        return self.cloud

    def noting(self, **fields: Any) -> Pass:
        """A copy whose report says more."""
        return replace(self, report=replace(self.report, **fields))


@dataclass(frozen=True, slots=True)
class Go:
    """On to the next stage."""

    now: Pass
    note: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """The deploy of this Worker ends here, well."""

    now: Pass
    outcome: Outcome
    why: str = ""


Step = Go | Stop
Stage = Callable[[Pass], Awaitable[Step]]
