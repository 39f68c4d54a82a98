"""AI Search namespaces. Source: wrangler 4.164; the name is unique in an account.

A namespace holds search instances; they go with it.
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
class AISearchNamespace:
    """What a file may want of an AI Search namespace."""

    name: str = field(metadata=IDENTITY | NAMED)


@dataclass(frozen=True, slots=True)
class ObservedAISearchNamespace:
    """An AI Search namespace of the account."""

    name: str = field(metadata=IDENTITY)


class AISearchNamespaceKind(Basis):
    """The kind `ai_search_namespace`."""

    name = "ai_search_namespace"
    spec = AISearchNamespace
    ownership = Claimed()
    holds_data = True
    permissions = Permissions("AI Search Read", "AI Search Write")
    binding = BindingForm(
        ("ai_search_namespaces",), "ai_search_namespace", "namespace", given=None, title="namespace"
    )

    def from_binding(self, title: str, entry: Mapping[str, Any]) -> AISearchNamespace:
        return AISearchNamespace(title)

    def handle(self, observed: ObservedAISearchNamespace) -> str:
        return observed.name

    def to_wire(self, spec: AISearchNamespace) -> dict[str, Any]:
        return {"name": spec.name}

    def from_wire(self, data: Mapping[str, Any]) -> ObservedAISearchNamespace:
        return ObservedAISearchNamespace(str(data["name"]))

    async def list(
        self, cloud: Cloud, like: AISearchNamespace | None = None
    ) -> AsyncIterator[ObservedAISearchNamespace]:
        async for item in cloud.pages(_path(cloud), per_page=100):
            yield self.from_wire(item)

    async def create(self, cloud: Cloud, spec: AISearchNamespace) -> ObservedAISearchNamespace:
        return self.from_wire(await cloud.post(_path(cloud), json=self.to_wire(spec)))

    async def update(
        self, cloud: Cloud, spec: AISearchNamespace, observed: ObservedAISearchNamespace
    ) -> ObservedAISearchNamespace:
        return observed

    async def delete(self, cloud: Cloud, observed: ObservedAISearchNamespace) -> None:
        from trailboss.cloud import segment

        with contextlib.suppress(NotFound):
            await cloud.delete(f"{_path(cloud)}/{segment(observed.name)}")


def _path(cloud: Cloud) -> str:
    return f"{cloud.account}/ai-search/namespaces"


KIND = AISearchNamespaceKind()
