"""What all triggers have in common: a plan that has read everything, and a write that happens only when
needed.

A trigger file has one function, `plan(site)`: it reads what the account has and answers with `Change`s.
Planning never writes; `apply` runs the writes after the code is live, and turns a failure into a report
instead of raising: the other triggers still go on, and the same command heals the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.errors import TrailbossError
from trailboss.release.callbacks import Confirm
from trailboss.release.outcomes import TriggerReport, TriggerState

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

Record = Mapping[str, Any] | None
Write = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Site:
    """Where triggers are planned: the account, the Worker's name, and its resolved settings (wrangler's
    keys).

    `record()` is the reply of `GET workers/workers/<name>`, None for a Worker that does not exist yet. It
    is one read that all triggers share and wait for only when they need it."""

    cloud: Cloud
    name: str
    settings: Mapping[str, Any]
    record: Callable[[], Awaitable[Record]]
    confirm: Confirm | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One trigger: `write` is None when the account already has it so. `targets` are its addresses."""

    kind: str
    targets: tuple[str, ...]
    write: Write | None = None
    warnings: tuple[str, ...] = field(default=())

    def planned(self) -> TriggerReport:
        """The report of a dry run."""
        state = TriggerState.PLANNED if self.write else TriggerState.UNCHANGED
        return TriggerReport(self.kind, state, self.targets, warnings=self.warnings)


async def apply(change: Change) -> TriggerReport:
    """Do the write, if there is one."""
    if change.write is None:
        return TriggerReport(change.kind, TriggerState.UNCHANGED, change.targets, warnings=change.warnings)
    try:
        await change.write()
    except TrailbossError as error:
        return TriggerReport(
            change.kind, TriggerState.FAILED, change.targets, error.message, error.hint, change.warnings
        )
    return TriggerReport(change.kind, TriggerState.UPDATED, change.targets, warnings=change.warnings)
