"""Access groups: rules under a name that policies and other groups may name. Source: edge reference 2.2.

Cloudflare allows several of one name; here a name is one group, and another's of that name is in the way.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound
from trailboss.resources.access_parts import Rules, adjusted, rule_problems, rules_from, rules_to
from trailboss.resources.marks import IDENTITY, MUTABLE, NAMED, SERVER_SET, Difference, subset_differs
from trailboss.resources.protocol import Basis, Permissions, Tagged

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


@dataclass(frozen=True, slots=True)
class AccessGroup:
    """What a file may want: one of `include`, all of `require`, none of `exclude`."""

    name: str = field(metadata=IDENTITY | NAMED)
    include: Rules = field(default=(), metadata=MUTABLE)
    exclude: Rules = field(default=(), metadata=MUTABLE)
    require: Rules = field(default=(), metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedAccessGroup:
    """A group of the account; `id` is a UUID."""

    name: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)
    include: Rules = field(default=(), metadata=MUTABLE)
    exclude: Rules = field(default=(), metadata=MUTABLE)
    require: Rules = field(default=(), metadata=MUTABLE)


class AccessGroupKind(Basis):
    """The kind `access_group`."""

    name = "access_group"
    spec = AccessGroup
    ownership = Tagged("access_group")
    permissions = Permissions(
        "Access: Organizations, Identity Providers, and Groups Read",
        "Access: Organizations, Identity Providers, and Groups Write",
    )

    def problems(self, spec: AccessGroup) -> Iterable[str]:
        return rule_problems(spec)

    def adjust(self, table: Mapping[str, Any]) -> Mapping[str, Any]:
        """Rules in their short spelling."""
        return adjusted(table)

    def differs(self, spec: AccessGroup, observed: ObservedAccessGroup) -> tuple[Difference, ...]:
        return subset_differs(spec, observed)

    def to_wire(self, spec: AccessGroup) -> dict[str, Any]:
        return {"name": spec.name, **rules_to(spec)}

    def from_wire(self, data: Mapping[str, Any]) -> ObservedAccessGroup:
        return ObservedAccessGroup(str(data["name"]), str(data["id"]), **rules_from(data))

    async def list(self, cloud: Cloud, like: AccessGroup | None = None) -> AsyncIterator[ObservedAccessGroup]:
        async for item in cloud.pages(_path(cloud), per_page=100):
            yield self.from_wire(item)

    async def create(self, cloud: Cloud, spec: AccessGroup) -> ObservedAccessGroup:
        return self.from_wire(await cloud.post(_path(cloud), json=self.to_wire(spec)))

    async def update(
        self, cloud: Cloud, spec: AccessGroup, observed: ObservedAccessGroup
    ) -> ObservedAccessGroup:
        if not self.differs(spec, observed):
            return observed
        path = f"{_path(cloud)}/{observed.id}"
        return self.from_wire(await cloud.put(path, json=self.to_wire(spec)))

    async def delete(self, cloud: Cloud, observed: ObservedAccessGroup) -> None:
        with contextlib.suppress(NotFound):
            await cloud.delete(f"{_path(cloud)}/{observed.id}")


def _path(cloud: Cloud) -> str:
    return f"{cloud.account}/access/groups"


KIND = AccessGroupKind()
