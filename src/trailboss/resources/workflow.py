"""Workflows: a name of the account for a class of a Worker, and when it runs. Source: API reference 6.6.

A PUT makes, changes and moves one, and leaves nothing that it does not name. What Cloudflare does not show
(limits, concurrency, retention) is sent when the file changes, and not compared. Deleting one ends its
instances.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound
from trailboss.resources import crons
from trailboss.resources.marks import (
    IDENTITY,
    MUTABLE,
    NAMED,
    REPLACE,
    SERVER_SET,
    UNSET,
    Difference,
    Unset,
    set_fields,
    subset_differs,
)
from trailboss.resources.protocol import Basis, OfWorker, Permissions

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

LONGEST_NAME = 64
_NAME = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_-]*")
_SETTINGS = ("limits", "concurrency", "default_retention", "jurisdiction")


@dataclass(frozen=True, slots=True)
class Workflow:
    """What a file may want: `schedules` are cron expressions in UTC, `limits` has `steps`, `concurrency` has
    `limit`, `default_retention` has `success_retention` and `error_retention`."""

    name: str = field(metadata=IDENTITY | NAMED)
    script: str = field(metadata=MUTABLE)
    class_name: str = field(metadata=MUTABLE)
    schedules: tuple[str, ...] | Unset = field(default=UNSET, metadata=MUTABLE)
    limits: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)
    concurrency: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)
    default_retention: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)
    jurisdiction: str | Unset = field(default=UNSET, metadata=REPLACE)


@dataclass(frozen=True, slots=True)
class ObservedWorkflow:
    """A workflow of the account; schedules are sorted, and what Cloudflare does not show is None."""

    name: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)
    script: str = field(metadata=MUTABLE)
    class_name: str = field(metadata=MUTABLE)
    schedules: tuple[str, ...] = field(default=(), metadata=MUTABLE)
    limits: Mapping[str, Any] | None = field(default=None, metadata=MUTABLE)
    concurrency: Mapping[str, Any] | None = field(default=None, metadata=MUTABLE)
    default_retention: Mapping[str, Any] | None = field(default=None, metadata=MUTABLE)
    jurisdiction: str | None = field(default=None, metadata=REPLACE)
    sent: bool = field(default=False, compare=False, metadata=SERVER_SET)
    """Whether all of it went out just now."""


class WorkflowKind(Basis):
    """The kind `workflow`."""

    name = "workflow"
    spec = Workflow
    ownership = OfWorker()
    holds_data = True
    permissions = Permissions("Workers Scripts Read", "Workers Scripts Write")

    def problems(self, spec: Workflow) -> Iterable[str]:
        if len(spec.name) > LONGEST_NAME:
            yield f"the name has {len(spec.name)} characters; Cloudflare allows {LONGEST_NAME}"
        if not _NAME.fullmatch(spec.name):
            yield f"the name '{spec.name}' may have letters, digits, _ and -, and no - at the start"
        yield from (text for text in map(crons.problem, _listed(spec.schedules)) if text)

    def from_worker(self, script: str, raw: Mapping[str, Any]) -> Iterable[tuple[str, Workflow]]:
        """The `workflows` whose class is in this Worker."""
        for item in raw.get("workflows") or ():
            if item.get("script_name") not in (None, "", script):
                continue
            given = {name: item[name] for name in _SETTINGS if item.get(name)}
            found = item.get("schedules")
            if found:
                given["schedules"] = (found,) if isinstance(found, str) else tuple(map(str, found))
            name = str(item["name"])
            yield name, Workflow(name, script, str(item["class_name"]), **given)

    def handle(self, observed: ObservedWorkflow) -> str:
        return observed.name

    def differs(self, spec: Workflow, observed: ObservedWorkflow) -> tuple[Difference, ...]:
        wanted = replace(spec, schedules=_sorted(spec.schedules)) if spec.schedules else spec
        return tuple(change for change in subset_differs(wanted, observed) if change.found is not None)

    def to_wire(self, spec: Workflow) -> dict[str, Any]:
        settings = {name: getattr(spec, name) for name in _SETTINGS}
        body = set_fields(script_name=spec.script, class_name=spec.class_name, **settings)
        if not isinstance(spec.schedules, Unset):
            body["schedules"] = [{"cron": cron} for cron in _sorted(spec.schedules)]
        return body

    def from_wire(self, data: Mapping[str, Any]) -> ObservedWorkflow:
        settings: dict[str, Any] = {name: data.get(name) for name in _SETTINGS}
        return ObservedWorkflow(
            str(data["name"]),
            str(data["id"]),
            str(data.get("script_name") or ""),
            str(data.get("class_name") or ""),
            _sorted(str(item["cron"]) for item in data.get("schedules") or ()),
            **settings,
        )

    async def list(self, cloud: Cloud, like: Workflow | None = None) -> AsyncIterator[ObservedWorkflow]:
        async for item in cloud.pages(f"{cloud.account}/workflows", per_page=100):
            yield self.from_wire(item)

    async def create(self, cloud: Cloud, spec: Workflow) -> ObservedWorkflow:
        return await self._put(cloud, spec.name, self.to_wire(spec))

    async def update(self, cloud: Cloud, spec: Workflow, observed: ObservedWorkflow) -> ObservedWorkflow:
        unseen = any(getattr(spec, name) and getattr(observed, name) is None for name in _SETTINGS)
        if not self.differs(spec, observed) and (observed.sent or not unseen):
            return observed
        kept = replace(spec, schedules=observed.schedules) if spec.schedules is UNSET else spec
        shown = {name: getattr(observed, name) for name in _SETTINGS if getattr(observed, name) is not None}
        return await self._put(cloud, spec.name, {**shown, **self.to_wire(kept)})

    async def delete(self, cloud: Cloud, observed: ObservedWorkflow) -> None:
        with contextlib.suppress(NotFound):
            await cloud.delete(_path(cloud, observed.name))

    async def _put(self, cloud: Cloud, name: str, body: Mapping[str, Any]) -> ObservedWorkflow:
        """The workflow as it is afterwards; the answer to a PUT does not show its schedules."""
        await cloud.put(_path(cloud, name), json=body)
        return replace(self.from_wire(await cloud.get(_path(cloud, name))), sent=True)


def _listed(found: tuple[str, ...] | Unset) -> tuple[str, ...]:
    return () if isinstance(found, Unset) else found


def _sorted(found: Any) -> tuple[str, ...]:
    return tuple(sorted(set(found)))


def _path(cloud: Cloud, name: str) -> str:
    from trailboss.cloud import segment

    return f"{cloud.account}/workflows/{segment(name)}"


KIND = WorkflowKind()
