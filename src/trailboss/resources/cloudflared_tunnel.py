"""Tunnels of an account. Source: edge reference 1.1; only living tunnels hold a name.

A tunnel's token is never kept: whoever runs cloudflared reads it. What the tunnel leads to is another kind,
`tunnel_configuration`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trailboss.errors import CloudError, NotFound
from trailboss.resources.marks import (
    IDENTITY,
    NAMED,
    REPLACE,
    SECRET,
    SERVER_SET,
    UNSET,
    WRITE_ONLY,
    Unset,
    set_fields,
)
from trailboss.resources.protocol import Basis, Permissions, Tagged
from trailboss.resources.refusals import taken
from trailboss.values import Secret

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

SOURCES = ("cloudflare", "local")
TAKEN = 1013  # a living tunnel has the name
CONNECTED = 1022  # cloudflared still runs, or ended only now
LONGEST_NAME = 100
PER_PAGE = 1000
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CloudflaredTunnel:
    """What a file may want: `config_src` is "cloudflare" (rules in a tunnel_configuration) unless it says
    "local"; `tunnel_secret` is base64 of at least 32 bytes, Cloudflare's own choice when it is not given."""

    name: str = field(metadata=IDENTITY | NAMED)
    config_src: str | Unset = field(default=UNSET, metadata=REPLACE)
    tunnel_secret: str | Secret | Unset = field(default=UNSET, metadata=WRITE_ONLY | SECRET)


@dataclass(frozen=True, slots=True)
class ObservedCloudflaredTunnel:
    """A living tunnel of the account; `id` is a UUID."""

    name: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)
    config_src: str = field(default="local", metadata=REPLACE)
    sent: bool = field(default=False, compare=False, metadata=SERVER_SET)
    """Whether its secret went out just now."""


class CloudflaredTunnelKind(Basis):
    """The kind `cloudflared_tunnel`."""

    name = "cloudflared_tunnel"
    spec = CloudflaredTunnel
    ownership = Tagged("cloudflared_tunnel")
    permissions = Permissions("Cloudflare Tunnel Read", "Cloudflare Tunnel Write")

    def problems(self, spec: CloudflaredTunnel) -> Iterable[str]:
        if _UUID.fullmatch(spec.name):
            yield "a tunnel's name must not look like the id of one"
        if not 0 < len(spec.name) <= LONGEST_NAME:
            yield f"the name has {len(spec.name)} characters; Cloudflare allows 1 to {LONGEST_NAME}"
        if spec.config_src and spec.config_src not in SOURCES:
            yield f"config_src is '{spec.config_src}'; it may be {', '.join(SOURCES)}"

    def to_wire(self, spec: CloudflaredTunnel) -> dict[str, Any]:
        secret = spec.tunnel_secret.reveal() if isinstance(spec.tunnel_secret, Secret) else UNSET
        return set_fields(name=spec.name, config_src=spec.config_src or SOURCES[0], tunnel_secret=secret)

    def from_wire(self, data: Mapping[str, Any]) -> ObservedCloudflaredTunnel:
        return ObservedCloudflaredTunnel(
            str(data["name"]), str(data["id"]), str(data.get("config_src") or "local")
        )

    async def list(
        self, cloud: Cloud, like: CloudflaredTunnel | None = None
    ) -> AsyncIterator[ObservedCloudflaredTunnel]:
        living = {"is_deleted": "false"}
        async for item in cloud.pages(_path(cloud), params=living, per_page=PER_PAGE):
            yield self.from_wire(item)

    async def create(self, cloud: Cloud, spec: CloudflaredTunnel) -> ObservedCloudflaredTunnel:
        try:
            made = self.from_wire(await cloud.post(_path(cloud), json=self.to_wire(spec)))
            return replace(made, sent=True)
        except CloudError as error:
            if error.has_code(TAKEN):
                raise taken(
                    error, f"Choose another name than '{spec.name}', or adopt that tunnel."
                ) from error
            raise

    async def update(
        self, cloud: Cloud, spec: CloudflaredTunnel, observed: ObservedCloudflaredTunnel
    ) -> ObservedCloudflaredTunnel:
        """An update is about the secret, which nobody can compare: it is sent."""
        if observed.sent or not isinstance(spec.tunnel_secret, Secret):
            return observed
        body = {"name": spec.name, "tunnel_secret": spec.tunnel_secret.reveal()}
        changed = await cloud.patch(f"{_path(cloud)}/{observed.id}", json=body, idempotent=True)
        return replace(self.from_wire(changed), sent=True)

    async def delete(self, cloud: Cloud, observed: ObservedCloudflaredTunnel) -> None:
        """Cloudflare remembers connections for minutes after their end; those are cleared first."""
        path = f"{_path(cloud)}/{observed.id}"
        with contextlib.suppress(NotFound):
            try:
                await cloud.delete(path)
            except CloudError as error:
                if not error.has_code(CONNECTED):
                    raise
                await cloud.delete(f"{path}/connections")
                await cloud.delete(path)


def _path(cloud: Cloud) -> str:
    return f"{cloud.account}/cfd_tunnel"


KIND = CloudflaredTunnelKind()
