"""`dev --tunnel`: the local server under a public host name, for as long as it runs."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailboss.develop.connector import Tell, connected, need_connector
from trailboss.develop.hostnames import Place, ensure_record, find_place, public_url
from trailboss.develop.lines import Entry
from trailboss.develop.tunnels import Rule, Tunnel, ensure_tunnel, put_rule, remove_rule

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.develop.files import Files

LEAVING_SECONDS = 10.0
_ANYWHERE = re.compile(r"^(https?://)(?:0\.0\.0\.0|\[::\]|\*)(?=[:/]|$)")


@dataclass(frozen=True, slots=True)
class Exposure:
    """What has to be there before anything starts: the tunnel, and the record that leads the name to it."""

    cloud: Cloud
    tunnel: Tunnel
    place: Place

    @classmethod
    async def prepare(
        cls, cloud: Cloud, tunnel: str, hostname: str, tell: Tell, files: Files | None = None
    ) -> Exposure:
        """Make what is missing of them, in `files` too: both stay.

        Raises:
            BuildError: TB3610 to TB3612 about cloudflared. UsageError: TB9474. NotFound: TB2312.
            RefusedError: TB9475 the host name is in use.
        """
        await asyncio.to_thread(need_connector, cloud)
        place = await find_place(cloud, hostname)
        found, made = await ensure_tunnel(cloud, tunnel, files)
        if made:
            tell(Entry("tunnel", f"made the tunnel {found.name}"))
        if await ensure_record(cloud, place, found, files):
            tell(Entry("tunnel", f"made the DNS record of {place.hostname}"))
        return cls(cloud, found, place)

    async def run(self, url: str, tell: Tell) -> None:
        """Make the rule, connect, and stay so until cancelled; the rule goes then, and is in no file.

        Raises:
            RefusedError: TB9472 the host name leads elsewhere. BuildError, ReleaseError: see `connected`.
        """
        tunnel = self.tunnel
        rule = Rule(self.place.hostname, service_of(url), settings=settings_of(url))
        try:
            await put_rule(self.cloud, tunnel, rule)
            async with connected(self.cloud, tunnel, tell) as running:
                tell(Entry("tunnel", f"public at {public_url(self.cloud, self.place.hostname)}"))
                await (running or asyncio.Event().wait())
        finally:
            await self._leave(tunnel, rule, tell)

    async def _leave(self, tunnel: Tunnel, rule: Rule, tell: Tell) -> None:
        """Take our rule away, but do not keep a person waiting for an account that does not answer."""
        try:
            async with asyncio.timeout(LEAVING_SECONDS):
                await remove_rule(self.cloud, tunnel, rule.hostname, rule.service)
        except Exception as error:  # noqa: BLE001 - said, and then the session ends as it would have
            text = (
                f"the rule of {rule.hostname} could not be taken away ({error}); the next `dev` replaces it"
            )
            tell(Entry("tunnel", text, "warn"))


def service_of(url: str) -> str:
    """The local server as a connector on this machine dials it: no path, no address that means all."""
    return _ANYWHERE.sub(r"\1localhost", url).rstrip("/")


def settings_of(url: str) -> dict[str, object]:
    """Our own certificate is checked by nobody on the way from one program of this machine to another."""
    return {"noTLSVerify": True} if url.startswith("https://") else {}
