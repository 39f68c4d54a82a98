"""Flagship applications: each holds feature flags. Source: API reference 11.1.

The flags themselves are no resources of a plan; they go with their application.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound
from trailboss.resources.marks import IDENTITY, NAMED, SERVER_SET
from trailboss.resources.protocol import Basis, BindingForm, Claimed, Permissions

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


@dataclass(frozen=True, slots=True)
class FlagshipApp:
    """What a file may want of an application's feature flags."""

    name: str = field(metadata=IDENTITY | NAMED)


@dataclass(frozen=True, slots=True)
class ObservedFlagshipApp:
    """An application of the account; `id` is what a binding names."""

    name: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)


class FlagshipAppKind(Basis):
    """The kind `flagship_app`."""

    name = "flagship_app"
    spec = FlagshipApp
    ownership = Claimed()
    holds_data = True
    permissions = Permissions("Flagship Read", "Flagship Write")
    binding = BindingForm(("flagship",), "flagship", "app_id", given="app_id", title=None)

    def from_binding(self, title: str, entry: Mapping[str, Any]) -> FlagshipApp:
        return FlagshipApp(title)

    def to_wire(self, spec: FlagshipApp) -> dict[str, Any]:
        return {"name": spec.name}

    def from_wire(self, data: Mapping[str, Any]) -> ObservedFlagshipApp:
        return ObservedFlagshipApp(str(data["name"]), str(data["id"]))

    async def list(self, cloud: Cloud, like: FlagshipApp | None = None) -> AsyncIterator[ObservedFlagshipApp]:
        async for item in cloud.pages(_path(cloud), style="cursor"):
            yield self.from_wire(item)

    async def create(self, cloud: Cloud, spec: FlagshipApp) -> ObservedFlagshipApp:
        return self.from_wire(await cloud.post(_path(cloud), json=self.to_wire(spec)))

    async def update(
        self, cloud: Cloud, spec: FlagshipApp, observed: ObservedFlagshipApp
    ) -> ObservedFlagshipApp:
        return observed

    async def delete(self, cloud: Cloud, observed: ObservedFlagshipApp) -> None:
        from trailboss.cloud import segment

        with contextlib.suppress(NotFound):
            await cloud.delete(f"{_path(cloud)}/{segment(observed.id)}")


def _path(cloud: Cloud) -> str:
    return f"{cloud.account}/flagship/apps"


KIND = FlagshipAppKind()
