"""How a service behind a tunnel is reached from here: our own client, or cloudflared's.

cloudflared can log in with a browser, ours only shows tokens; ours needs nothing installed, and is the only
one that reaches a sandbox.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trailboss.develop.access import (
    Application,
    Visitor,
    emails_of,
    ensure_application,
    find_application,
    own_email,
    sandbox_login,
)
from trailboss.develop.cloudflared import Binary, find_cloudflared
from trailboss.develop.forward import Gate
from trailboss.develop.hostnames import Place, ensure_record, find_place
from trailboss.develop.rules import keep_rule
from trailboss.develop.tunnels import Rule, Tunnel, ensure_tunnel, read_rules
from trailboss.errors import BuildError

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.develop.files import Files


@dataclass(frozen=True, slots=True)
class Way:
    """A way to a service: `cloudflared` when that has to be used, else `gate` for our own client."""

    place: Place
    tunnel: Tunnel
    application: Application
    visitor: Visitor
    gate: Gate
    cloudflared: Binary | None

    @property
    def can_sign(self) -> bool:
        """Whether Access would know whom a certificate is for: a service token is nobody."""
        return self.cloudflared is not None or "Cf-Access-Token" in self.gate.headers


@dataclass(frozen=True, slots=True)
class Wanted:
    """What has to be there: a tunnel and, at it, a host name that leads to `service`; for whom.

    `service` None leaves a rule that is there alone, and `default` is what a new one leads to. What is made
    stays, and is in `files`.
    """

    tunnel: str
    hostname: str
    service: str | None
    default: str
    emails: tuple[str, ...] = ()
    kind: str = "self_hosted"
    files: Files | None = None


async def prepare(cloud: Cloud, wanted: Wanted, environ: Mapping[str, str]) -> Way:
    """Make sure that tunnel, rule, record and application are there; and find out how to go through.

    Raises:
        UsageError, NotFound, RefusedError: see `hostnames` and `tunnels`. ConfigError: TB1821, TB1822.
        BuildError: TB3614 nothing here can log in.
    """
    visitor = Visitor.of(environ)
    place = await find_place(cloud, wanted.hostname)
    binary = None if cloud.target.is_sandbox else _binary(visitor, environ)
    tunnel, _ = await ensure_tunnel(cloud, wanted.tunnel, wanted.files)
    present = [rule for rule in await read_rules(cloud, tunnel) if rule.hostname == place.hostname]
    if wanted.service is not None or not present:
        rule = Rule(place.hostname, wanted.service or wanted.default)
        await keep_rule(cloud, tunnel, rule, wanted.files)
    application = await ensure_application(
        cloud, place.hostname, visitor, wanted.emails, kind=wanted.kind
    )  # before the name exists: it is never there unguarded
    await ensure_record(cloud, place, tunnel, wanted.files)
    gate = Gate(place.hostname, cloud.target.edge_url, visitor.headers)
    return Way(
        place, tunnel, application, visitor, await _signed_in(cloud, gate, visitor, application), binary
    )


async def find_gate(cloud: Cloud, hostname: str, environ: Mapping[str, str]) -> Gate:
    """How our own client reaches a host name that is there already. Raises ConfigError TB1821."""
    visitor = Visitor.of(environ)
    gate = Gate(hostname, cloud.target.edge_url, visitor.headers)
    if gate.edge is None or gate.headers:
        return gate
    present = await find_application(cloud, hostname)
    if present is None:
        return gate
    application = Application(str(present["id"]), hostname, False, emails_of(present))
    return await _signed_in(cloud, gate, visitor, application)


async def _signed_in(cloud: Cloud, gate: Gate, visitor: Visitor, application: Application) -> Gate:
    """At a sandbox a login stands in for the browser's, when no token is shown."""
    if not cloud.target.is_sandbox or visitor.headers:
        return gate
    people = [email for email in application.emails if not email.startswith("@")]
    email = people[0] if people else await own_email(cloud)
    token = await sandbox_login(cloud, gate.hostname, email)
    return replace(gate, headers={**gate.headers, "Cf-Access-Token": token})


def _binary(visitor: Visitor, environ: Mapping[str, str]) -> Binary | None:
    """cloudflared where there is one; ours will do with a token to show."""
    try:
        return find_cloudflared(environ)
    except BuildError as error:
        if visitor.headers and error.code == "TB3610":
            return None
        if error.code != "TB3610":
            raise
        raise BuildError(
            "TB3614",
            "nothing here can log in to Access: there is no cloudflared and no service token",
            hint=f"{error.hint} Or set CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET.",
        ) from None


def proxy_command(way: Way, target: str, hostname: str = "%h") -> str:
    """The ProxyCommand for ssh; no token is in it: ours and cloudflared's read the environment."""
    if way.cloudflared is not None:
        return f"{shlex.quote(str(way.cloudflared.path))} access ssh --hostname {hostname}"
    words = [*_program(), "tunnel", "forward", "--target", target, "--hostname"]
    return f"{shlex.join(words).replace('%', '%%')} {hostname}"


def _program() -> list[str]:
    """How this program is started again."""
    if os.path.basename(sys.argv[0]) == "trailboss":  # noqa: PTH119
        return [os.path.abspath(sys.argv[0])]  # noqa: PTH100
    return [sys.executable, "-m", "trailboss"]
