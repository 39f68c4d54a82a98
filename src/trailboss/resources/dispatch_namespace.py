"""Dispatch namespaces of Workers for Platforms. Source: API reference; the name is unique in an account.

Deleting one deletes the Workers that were uploaded into it.
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
class DispatchNamespace:
    """What a file may want of a dispatch namespace."""

    name: str = field(metadata=IDENTITY | NAMED)


@dataclass(frozen=True, slots=True)
class ObservedDispatchNamespace:
    """A dispatch namespace of the account; `id` is a UUID."""

    name: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)


class DispatchNamespaceKind(Basis):
    """The kind `dispatch_namespace`."""

    name = "dispatch_namespace"
    spec = DispatchNamespace
    ownership = Claimed()
    holds_data = True
    permissions = Permissions("Workers Scripts Read", "Workers Scripts Write")
    binding = BindingForm(
        ("dispatch_namespaces",),
        "dispatch_namespace",
        "namespace",
        given=None,
        title="namespace",
        said=("outbound",),
    )

    def from_binding(self, title: str, entry: Mapping[str, Any]) -> DispatchNamespace:
        return DispatchNamespace(title)

    def handle(self, observed: ObservedDispatchNamespace) -> str:
        return observed.name

    def to_wire(self, spec: DispatchNamespace) -> dict[str, Any]:
        return {"name": spec.name}

    def from_wire(self, data: Mapping[str, Any]) -> ObservedDispatchNamespace:
        return ObservedDispatchNamespace(str(data["namespace_name"]), str(data["namespace_id"]))

    async def list(
        self, cloud: Cloud, like: DispatchNamespace | None = None
    ) -> AsyncIterator[ObservedDispatchNamespace]:
        async for item in cloud.pages(_path(cloud), per_page=100):
            yield self.from_wire(item)

    async def create(self, cloud: Cloud, spec: DispatchNamespace) -> ObservedDispatchNamespace:
        return self.from_wire(await cloud.post(_path(cloud), json=self.to_wire(spec)))

    async def update(
        self, cloud: Cloud, spec: DispatchNamespace, observed: ObservedDispatchNamespace
    ) -> ObservedDispatchNamespace:
        return observed

    async def delete(self, cloud: Cloud, observed: ObservedDispatchNamespace) -> None:
        from trailboss.cloud import segment

        with contextlib.suppress(NotFound):
            await cloud.delete(f"{_path(cloud)}/{segment(observed.name)}")


def _path(cloud: Cloud) -> str:
    return f"{cloud.account}/workers/dispatch/namespaces"


KIND = DispatchNamespaceKind()
