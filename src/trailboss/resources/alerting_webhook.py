"""Webhooks that notifications go to. Source: edge reference 13.1.

Cloudflare sends a test to the address when one is made or changed, and refuses it when the answer is no 2xx.
Names may be given twice, so the tags say which is ours. A secret is never shown again.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from trailboss.errors import NotFound
from trailboss.resources.marks import (
    ASKING,
    IDENTITY,
    MUTABLE,
    NAMED,
    REFERENCES,
    SECRET,
    SERVER_SET,
    UNSET,
    WRITE_ONLY,
    Difference,
    Unset,
    differences,
    set_fields,
)
from trailboss.resources.protocol import Basis, Permissions, Tagged
from trailboss.values import Secret

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

SCHEMES, PORTS = ("http", "https"), (None, 80, 443)
LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class AlertingWebhook:
    """What a file may want: `secret` comes back in the header cf-webhook-auth of every call.

    An address that is a secret itself (Slack, Discord) is better given as a reference (`op://…`, `${NAME}`):
    it is looked up when it is sent, and not compared.
    """

    name: str = field(metadata=IDENTITY | NAMED)
    url: str = field(metadata=MUTABLE | ASKING)
    secret: str | Secret | Unset = field(default=UNSET, metadata=WRITE_ONLY | SECRET)


@dataclass(frozen=True, slots=True)
class ObservedAlertingWebhook:
    """A webhook of the account; `type` is what Cloudflare takes its host for, `sent` that it was just
    written."""

    name: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)
    url: str = field(default="", metadata=MUTABLE)
    type: str = field(default="", metadata=SERVER_SET)
    sent: bool = field(default=False, compare=False, metadata=SERVER_SET)


class AlertingWebhookKind(Basis):
    """The kind `alerting_webhook`."""

    name = "alerting_webhook"
    spec = AlertingWebhook
    ownership = Tagged("alerting_webhook")
    repeats = True
    permissions = Permissions("Notifications Read", "Notifications Write")

    def problems(self, spec: AlertingWebhook) -> Iterable[str]:
        if spec.url.startswith(REFERENCES):
            return
        parts = urlsplit(spec.url)
        if parts.scheme not in SCHEMES or not parts.hostname:
            yield f"url is '{spec.url}'; it starts with https://"
            return
        local = parts.hostname in LOCAL or parts.hostname.endswith(".localhost")
        if not local and _port(spec.url) not in PORTS:
            yield f"url has the port {_port(spec.url)}; Cloudflare calls the ports 80 and 443"

    def clashes(self, spec: AlertingWebhook, observed: ObservedAlertingWebhook) -> bool:
        return False

    def differs(self, spec: AlertingWebhook, observed: ObservedAlertingWebhook) -> tuple[Difference, ...]:
        found = differences(spec, observed)
        return tuple(one for one in found if one.field != "url" or not spec.url.startswith(REFERENCES))

    def to_wire(self, spec: AlertingWebhook) -> dict[str, Any]:
        secret = spec.secret.reveal() if isinstance(spec.secret, Secret) else UNSET
        return set_fields(name=spec.name, url=spec.url, secret=secret)

    def from_wire(self, data: Mapping[str, Any]) -> ObservedAlertingWebhook:
        return ObservedAlertingWebhook(
            str(data["name"]), str(data["id"]), str(data.get("url") or ""), str(data.get("type") or "")
        )

    async def list(
        self, cloud: Cloud, like: AlertingWebhook | None = None
    ) -> AsyncIterator[ObservedAlertingWebhook]:
        async for item in cloud.pages(_path(cloud), style="single"):
            yield self.from_wire(item)

    async def create(self, cloud: Cloud, spec: AlertingWebhook) -> ObservedAlertingWebhook:
        made = await cloud.post(_path(cloud), json=self.to_wire(spec))
        return await self._read(cloud, str(made["id"]))

    async def update(
        self, cloud: Cloud, spec: AlertingWebhook, observed: ObservedAlertingWebhook
    ) -> ObservedAlertingWebhook:
        """An update without a difference is about the secret, which nobody can compare: it is sent."""
        if observed.sent and not self.differs(spec, observed):
            return observed
        await cloud.put(f"{_path(cloud)}/{observed.id}", json=self.to_wire(spec))
        return await self._read(cloud, observed.id)

    async def _read(self, cloud: Cloud, identifier: str) -> ObservedAlertingWebhook:
        return replace(self.from_wire(await cloud.get(f"{_path(cloud)}/{identifier}")), sent=True)

    async def delete(self, cloud: Cloud, observed: ObservedAlertingWebhook) -> None:
        with contextlib.suppress(NotFound):
            await cloud.delete(f"{_path(cloud)}/{observed.id}")


def _port(url: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError:
        return -1


def _path(cloud: Cloud) -> str:
    return f"{cloud.account}/alerting/v3/destinations/webhooks"


KIND = AlertingWebhookKind()
