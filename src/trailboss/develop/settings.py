"""`[dev]`, `[test]`, `[ssh]`, `[databases]` of trailboss.toml. Import it only when a project is loaded: it
brings pydantic.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field, RootModel

from trailboss.config.settings import Strict


class DevSettings(Strict):
    """`[dev]`. A flag wins over this, and this over the `dev` table of the wrangler configuration."""

    port: int | None = Field(default=None, ge=0, le=65535, description="Port to listen on; 0 is a free one.")
    ip: str | None = Field(default=None, min_length=1, description="Address to listen on.")
    local_protocol: Literal["http", "https"] | None = Field(default=None, description="http or https.")
    inspector_port: int | None = Field(
        default=None, ge=0, le=65535, description="Port for devtools; 0 is a free one."
    )
    require_trusted: bool = Field(
        default=False, description="With https: start only when this machine trusts the certificate."
    )
    persist_to: str | None = Field(
        default=None, min_length=1, description="Folder for local data, relative to trailboss.toml."
    )
    primary: str | None = Field(
        default=None, description="The Worker that answers on the port, when there are several."
    )
    tunnel: str | None = Field(default=None, min_length=1, description="Tunnel to reach it through.")
    hostname: str | None = Field(default=None, min_length=1, description="Public host name at the tunnel.")


class TestSettings(Strict):
    """`[test]`."""

    __test__ = False  # pytest takes a class of this name for a collection of tests

    command: str | list[str] | None = Field(
        default=None, description="What `dev --test` runs; the URL is in TRAILBOSS_URL and BASE_URL."
    )
    timeout: float = Field(default=600.0, gt=0, description="Seconds the command may take.")
    ready_timeout: float = Field(default=60.0, gt=0, description="Seconds the server may take to start.")


class SeedSettings(Strict):
    """`[environments.<name>.seed]` and `[ephemeral.seed]`: files by binding, relative to trailboss.toml."""

    d1: dict[str, str | list[str]] = Field(
        default_factory=dict, description="SQL files by binding; each is one transaction."
    )
    kv: dict[str, str | list[str]] = Field(
        default_factory=dict, description="JSON files by binding, as `wrangler kv bulk put` reads them."
    )
    r2: dict[str, str] = Field(
        default_factory=dict, description="A folder by binding; its files are the objects."
    )


class EphemeralSettings(Strict):
    """`[ephemeral]`: what is usual for environments that end by themselves."""

    model_config = ConfigDict(**{**Strict.model_config, "populate_by_name": True})

    source: str | None = Field(
        default=None,
        alias="from",
        description="What previews are copies of; staging. An empty text is the top level.",
    )
    expires: str | datetime | None = Field(
        default=None, description="A span (24h, 3d) that every deploy begins anew, or a moment; 3d."
    )
    seed: SeedSettings = Field(
        default_factory=SeedSettings,
        description="Data they begin with, where they have no seed of their own.",
    )


class SshHost(Strict):
    """One machine reached through a tunnel."""

    tunnel: str | None = Field(default=None, min_length=1, description="The tunnel's name or id.")
    hostname: str | None = Field(default=None, min_length=1, description="Its public host name.")
    user: str | None = Field(default=None, min_length=1, description="The user to log in as.")
    service: str | None = Field(
        default=None, min_length=1, description="Where sshd is, seen from the connector; ssh://localhost:22."
    )
    emails: list[str] = Field(
        default_factory=list, description="Who Access lets in: addresses, or domains such as @example.com."
    )
    short_lived_certificates: bool | None = Field(
        default=None,
        description="Log in with a certificate that Access signs. Default: where it has an authority.",
    )


class SshSettings(SshHost):
    """`[ssh]`: one machine, and others by name."""

    hosts: dict[str, SshHost] = Field(default_factory=dict, description="More machines, by name.")


class DatabaseEntry(Strict):
    """One TCP database reached through a tunnel."""

    hostname: str = Field(min_length=1, description="Its public host name at the tunnel.")
    tunnel: str | None = Field(default=None, min_length=1, description="The tunnel's name or id.")
    service: str | None = Field(
        default=None, min_length=1, description="tcp://host:port of the database, seen from the connector."
    )
    engine: Literal["postgresql", "mysql"] | None = Field(
        default=None, description="Which client to start; else what the port tells."
    )
    user: str | None = Field(default=None, min_length=1, description="The database user.")
    password: str | None = Field(default=None, description="Its password, as an op:// or ${VAR} reference.")
    database: str | None = Field(default=None, min_length=1, description="The database's name.")
    port: int | None = Field(default=None, ge=1, le=65535, description="Local port; default: a free one.")


class Databases(RootModel[dict[str, DatabaseEntry]]):
    """`[databases]`, by name."""
