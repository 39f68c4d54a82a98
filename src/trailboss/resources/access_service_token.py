"""Access service tokens: what machines show in front of a guarded host name. Source: edge reference 2.2.

Cloudflare says a secret once, in the reply to creation. A plan has nowhere to keep it, so it is thrown away
there; whoever needs one asks `new_secret`, which makes another and ends the old one.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound
from trailboss.resources.access_parts import duration_problems
from trailboss.resources.marks import (
    IDENTITY,
    MUTABLE,
    NAMED,
    SERVER_SET,
    UNSET,
    Unset,
    differences,
    set_fields,
)
from trailboss.resources.protocol import Basis, Permissions

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.values import Secret

FOREVER = "forever"


@dataclass(frozen=True, slots=True)
class AccessServiceToken:
    """What a file may want: `duration` like 8760h (a year, Cloudflare's own choice), or "forever"."""

    name: str = field(metadata=IDENTITY | NAMED)
    duration: str | Unset = field(default=UNSET, metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedAccessServiceToken:
    """A token of the account; `id` is a UUID, `client_id` what is shown beside the secret."""

    name: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)
    client_id: str = field(metadata=SERVER_SET)
    duration: str = field(default="", metadata=MUTABLE)


class AccessServiceTokenKind(Basis):
    """The kind `access_service_token`."""

    name = "access_service_token"
    spec = AccessServiceToken
    permissions = Permissions("Access: Service Tokens Read", "Access: Service Tokens Write")

    def problems(self, spec: AccessServiceToken) -> Iterable[str]:
        return duration_problems("duration", spec.duration, FOREVER)

    def to_wire(self, spec: AccessServiceToken) -> dict[str, Any]:
        return set_fields(name=spec.name, duration=spec.duration)

    def from_wire(self, data: Mapping[str, Any]) -> ObservedAccessServiceToken:
        return ObservedAccessServiceToken(
            str(data["name"]), str(data["id"]), str(data["client_id"]), str(data.get("duration") or "")
        )

    async def list(
        self, cloud: Cloud, like: AccessServiceToken | None = None
    ) -> AsyncIterator[ObservedAccessServiceToken]:
        async for item in cloud.pages(_path(cloud), per_page=100):
            yield self.from_wire(item)

    async def create(self, cloud: Cloud, spec: AccessServiceToken) -> ObservedAccessServiceToken:
        return self.from_wire(await cloud.post(_path(cloud), json=self.to_wire(spec)))

    async def update(
        self, cloud: Cloud, spec: AccessServiceToken, observed: ObservedAccessServiceToken
    ) -> ObservedAccessServiceToken:
        if not differences(spec, observed):
            return observed
        path = f"{_path(cloud)}/{observed.id}"
        return self.from_wire(await cloud.put(path, json=self.to_wire(spec)))

    async def delete(self, cloud: Cloud, observed: ObservedAccessServiceToken) -> None:
        with contextlib.suppress(NotFound):
            await cloud.delete(f"{_path(cloud)}/{observed.id}")


async def new_secret(cloud: Cloud, observed: ObservedAccessServiceToken) -> Secret:
    """Another secret for the token; the present one is good no more."""
    from trailboss.values import Secret

    made = await cloud.post(f"{_path(cloud)}/{observed.id}/rotate", json={})
    return Secret(str(made["client_secret"]))


def _path(cloud: Cloud) -> str:
    return f"{cloud.account}/access/service_tokens"


KIND = AccessServiceTokenKind()
