"""Workers KV namespaces. Source: API reference 6.1; the title is unique in an account.

What is in one is no matter of a plan. Where its data may be (`jurisdiction`) is chosen when it is made.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound
from trailboss.resources.marks import IDENTITY, NAMED, REPLACE, SERVER_SET, UNSET, Unset, set_fields
from trailboss.resources.names import JURISDICTIONS, choice_problems, name_problems
from trailboss.resources.protocol import Basis, BindingForm, Permissions, Tagged

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


@dataclass(frozen=True, slots=True)
class KVNamespace:
    """What a file may want of a namespace; its `jurisdiction` is eu, us or fedramp."""

    title: str = field(metadata=IDENTITY | NAMED)
    jurisdiction: str | Unset | None = field(default=UNSET, metadata=REPLACE)


@dataclass(frozen=True, slots=True)
class ObservedKVNamespace:
    """A namespace of the account; `id` is 32 hex digits."""

    title: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)
    jurisdiction: str | None = field(default=None, metadata=REPLACE)


class KVNamespaceKind(Basis):
    """The kind `kv_namespace`."""

    name = "kv_namespace"
    spec = KVNamespace
    ownership = Tagged("kv_namespace")
    holds_data = True
    permissions = Permissions("Workers KV Storage Read", "Workers KV Storage Write")
    binding = BindingForm(("kv_namespaces",), "kv_namespace", "namespace_id", given="id", title=None)

    def problems(self, spec: KVNamespace) -> Iterable[str]:
        yield from name_problems(spec.title, r"(?s).{1,512}", "1 to 512 characters")
        yield from choice_problems(jurisdiction=(spec.jurisdiction, JURISDICTIONS))

    def from_binding(self, title: str, entry: Mapping[str, Any]) -> KVNamespace:
        return KVNamespace(title)

    def to_wire(self, spec: KVNamespace) -> dict[str, Any]:
        return set_fields(title=spec.title, jurisdiction=spec.jurisdiction or UNSET)

    def from_wire(self, data: Mapping[str, Any]) -> ObservedKVNamespace:
        return ObservedKVNamespace(str(data["title"]), str(data["id"]), data.get("jurisdiction"))

    async def list(self, cloud: Cloud, like: KVNamespace | None = None) -> AsyncIterator[ObservedKVNamespace]:
        order = {"order": "title", "direction": "asc"}
        async for item in cloud.pages(_path(cloud), params=order, per_page=1000):
            yield self.from_wire(item)

    async def create(self, cloud: Cloud, spec: KVNamespace) -> ObservedKVNamespace:
        return self.from_wire(await cloud.post(_path(cloud), json=self.to_wire(spec)))

    async def update(
        self, cloud: Cloud, spec: KVNamespace, observed: ObservedKVNamespace
    ) -> ObservedKVNamespace:
        return observed

    async def delete(self, cloud: Cloud, observed: ObservedKVNamespace) -> None:
        with contextlib.suppress(NotFound):
            await cloud.delete(f"{_path(cloud)}/{observed.id}")


def _path(cloud: Cloud) -> str:
    return f"{cloud.account}/storage/kv/namespaces"


KIND = KVNamespaceKind()
