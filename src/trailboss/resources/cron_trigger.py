"""The cron schedules of one Worker, all of them as one resource. Source: API reference 4.

A PUT replaces all, and their order means nothing. A Worker without schedules has no such resource, unless
the file asks for exactly none.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound
from trailboss.resources import crons
from trailboss.resources.marks import IDENTITY, MUTABLE, Difference, differences
from trailboss.resources.protocol import Basis, OfWorker, Permissions

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


@dataclass(frozen=True, slots=True)
class CronTrigger:
    """What a file may want: cron expressions in UTC, with 1 for Sunday."""

    script: str = field(metadata=IDENTITY)
    crons: tuple[str, ...] = field(default=(), metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedCronTrigger:
    """The schedules of a Worker, sorted."""

    script: str = field(metadata=IDENTITY)
    crons: tuple[str, ...] = field(default=(), metadata=MUTABLE)


class CronTriggerKind(Basis):
    """The kind `cron_trigger`."""

    name = "cron_trigger"
    spec = CronTrigger
    ownership = OfWorker()
    handler = "scheduled"
    permissions = Permissions("Workers Scripts Read", "Workers Scripts Write")

    def problems(self, spec: CronTrigger) -> Iterable[str]:
        yield from (text for text in map(crons.problem, spec.crons) if text)

    def from_worker(self, script: str, raw: Mapping[str, Any]) -> Iterable[tuple[str, CronTrigger]]:
        """`triggers.crons`; a config without it leaves the schedules alone."""
        found = (raw.get("triggers") or {}).get("crons")
        if found is not None:
            yield script, CronTrigger(script, tuple(map(str, found)))

    def scope_of(self, spec: CronTrigger) -> tuple[Any, ...]:
        return (spec.script,)

    def handle(self, observed: ObservedCronTrigger) -> str:
        return observed.script

    def differs(self, spec: CronTrigger, observed: ObservedCronTrigger) -> tuple[Difference, ...]:
        return differences(replace(spec, crons=_sorted(spec.crons)), observed)

    def to_wire(self, spec: CronTrigger) -> dict[str, Any]:
        """`schedules` holds the body, which is a list."""
        return {"schedules": [{"cron": cron} for cron in dict.fromkeys(spec.crons)]}

    def from_wire(self, data: Mapping[str, Any]) -> ObservedCronTrigger:
        found = data.get("schedules") or ()
        return ObservedCronTrigger(str(data["script"]), _sorted(str(item["cron"]) for item in found))

    async def list(self, cloud: Cloud, like: CronTrigger | None = None) -> AsyncIterator[ObservedCronTrigger]:
        assert like is not None
        with contextlib.suppress(NotFound):  # a Worker that is not there yet
            data = await cloud.get(_path(cloud, like.script))
            found = self.from_wire({"schedules": _listed(data), "script": like.script})
            if found.crons or not like.crons:
                yield found

    async def create(self, cloud: Cloud, spec: CronTrigger) -> ObservedCronTrigger:
        data = await cloud.put(_path(cloud, spec.script), json=self.to_wire(spec)["schedules"])
        return self.from_wire({"schedules": _listed(data), "script": spec.script})

    async def update(
        self, cloud: Cloud, spec: CronTrigger, observed: ObservedCronTrigger
    ) -> ObservedCronTrigger:
        return await self.create(cloud, spec) if self.differs(spec, observed) else observed

    async def delete(self, cloud: Cloud, observed: ObservedCronTrigger) -> None:
        with contextlib.suppress(NotFound):
            await cloud.put(_path(cloud, observed.script), json=[])


def _sorted(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(found)))


def _listed(data: Any) -> Any:
    return data.get("schedules") if isinstance(data, Mapping) else data


def _path(cloud: Cloud, script: str) -> str:
    from trailboss.cloud import segment

    return f"{cloud.account}/workers/scripts/{segment(script)}/schedules"


KIND = CronTriggerKind()
