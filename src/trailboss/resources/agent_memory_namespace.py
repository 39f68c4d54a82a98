"""Agent memory namespaces. Source: wrangler 4.164; the name is unique in an account.

What agents remembered in one goes with it.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound
from trailboss.resources.marks import IDENTITY, NAMED
from trailboss.resources.protocol import Basis, BindingForm, Claimed, Permissions

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


@dataclass(frozen=True, slots=True)
class AgentMemoryNamespace:
    """What a file may want of an agent memory namespace."""

    name: str = field(metadata=IDENTITY | NAMED)


@dataclass(frozen=True, slots=True)
class ObservedAgentMemoryNamespace:
    """An agent memory namespace of the account."""

    name: str = field(metadata=IDENTITY)


class AgentMemoryNamespaceKind(Basis):
    """The kind `agent_memory_namespace`."""

    name = "agent_memory_namespace"
    spec = AgentMemoryNamespace
    ownership = Claimed()
    holds_data = True
    permissions = Permissions("Agent Memory Read", "Agent Memory Write")
    binding = BindingForm(("agent_memory",), "agent_memory", "namespace", given=None, title="namespace")

    def from_binding(self, title: str, entry: Mapping[str, Any]) -> AgentMemoryNamespace:
        return AgentMemoryNamespace(title)

    def handle(self, observed: ObservedAgentMemoryNamespace) -> str:
        return observed.name

    def to_wire(self, spec: AgentMemoryNamespace) -> dict[str, Any]:
        return {"name": spec.name}

    def from_wire(self, data: Mapping[str, Any]) -> ObservedAgentMemoryNamespace:
        return ObservedAgentMemoryNamespace(str(data["name"]))

    async def list(
        self, cloud: Cloud, like: AgentMemoryNamespace | None = None
    ) -> AsyncIterator[ObservedAgentMemoryNamespace]:
        async for item in cloud.pages(_path(cloud), style="cursor"):
            yield self.from_wire(item)

    async def create(self, cloud: Cloud, spec: AgentMemoryNamespace) -> ObservedAgentMemoryNamespace:
        return self.from_wire(await cloud.post(_path(cloud), json=self.to_wire(spec)))

    async def update(
        self, cloud: Cloud, spec: AgentMemoryNamespace, observed: ObservedAgentMemoryNamespace
    ) -> ObservedAgentMemoryNamespace:
        return observed

    async def delete(self, cloud: Cloud, observed: ObservedAgentMemoryNamespace) -> None:
        from trailboss.cloud import segment

        with contextlib.suppress(NotFound):
            await cloud.delete(f"{_path(cloud)}/{segment(observed.name)}")


def _path(cloud: Cloud) -> str:
    return f"{cloud.account}/agent-memory/namespaces"


KIND = AgentMemoryNamespaceKind()
