"""Hyperdrive configurations: a pool of connections to a database. Source: API reference 6.5, edge 9.1.

Passwords are sent and never shown. A connection string is our spelling (and wrangler's); Cloudflare knows
its parts only, and they are compared once the secret is open.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound, PlanError
from trailboss.resources.marks import (
    IDENTITY,
    MUTABLE,
    NAMED,
    SECRET,
    SERVER_SET,
    UNSET,
    WRITE_ONLY,
    Difference,
    Ref,
    Unset,
    differences,
    set_fields,
    to,
)
from trailboss.resources.protocol import Basis, BindingForm, Permissions
from trailboss.values import Secret

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

SCHEMES = ("postgres", "postgresql", "mysql")
PORTS = {"mysql": 3306}
POSTGRES_PORT = 5432
LONGEST_AGE = 3600  # seconds
CONNECTIONS = (5, 100)
CACHING = ("caching_disabled", "max_age", "stale_while_revalidate")
MTLS = ("ca_certificate_id", "mtls_certificate_id", "sslmode")
PLACE = ("scheme", "host", "port", "database", "user", "access_client_id", "service_id")
SSL_MODES = {
    "postgres": ("require", "verify-ca", "verify-full"),
    "mysql": ("REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"),
}


@dataclass(frozen=True, slots=True)
class HyperdriveConfig:
    """What a file may want: a `connection_string`, or the parts of one. Ages in seconds.

    With `access_client_id` and `access_client_secret` the host is behind Access, with `service_id` the
    database is a Workers VPC service; neither has a port.
    """

    name: str = field(metadata=IDENTITY | NAMED)
    connection_string: str | Secret | Unset = field(default=UNSET, metadata=WRITE_ONLY | SECRET)
    scheme: str | Unset = field(default=UNSET, metadata=MUTABLE)
    host: str | Unset = field(default=UNSET, metadata=MUTABLE)
    port: int | Unset = field(default=UNSET, metadata=MUTABLE)
    database: str | Unset = field(default=UNSET, metadata=MUTABLE)
    user: str | Unset = field(default=UNSET, metadata=MUTABLE)
    password: str | Secret | Unset = field(default=UNSET, metadata=WRITE_ONLY | SECRET)
    access_client_id: str | Unset = field(default=UNSET, metadata=MUTABLE)
    access_client_secret: str | Secret | Unset = field(default=UNSET, metadata=WRITE_ONLY | SECRET)
    service_id: str | Unset = field(default=UNSET, metadata=MUTABLE)
    caching_disabled: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    max_age: int | Unset = field(default=UNSET, metadata=MUTABLE)
    stale_while_revalidate: int | Unset = field(default=UNSET, metadata=MUTABLE)
    origin_connection_limit: int | Unset = field(default=UNSET, metadata=MUTABLE)
    ca_certificate_id: str | Ref | Unset = field(default=UNSET, metadata=MUTABLE | to("mtls_certificate"))
    mtls_certificate_id: str | Ref | Unset = field(default=UNSET, metadata=MUTABLE | to("mtls_certificate"))
    sslmode: str | Unset = field(default=UNSET, metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedHyperdriveConfig:
    """A configuration of the account; `id` is 32 hex digits, `sent` that its secrets went out just now."""

    name: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)
    scheme: str = field(default="", metadata=MUTABLE)
    host: str = field(default="", metadata=MUTABLE)
    port: int | None = field(default=None, metadata=MUTABLE)
    database: str = field(default="", metadata=MUTABLE)
    user: str = field(default="", metadata=MUTABLE)
    access_client_id: str = field(default="", metadata=MUTABLE)
    service_id: str = field(default="", metadata=MUTABLE)
    caching_disabled: bool = field(default=False, metadata=MUTABLE)
    max_age: int = field(default=60, metadata=MUTABLE)
    stale_while_revalidate: int = field(default=15, metadata=MUTABLE)
    origin_connection_limit: int | None = field(default=None, metadata=MUTABLE)
    ca_certificate_id: str = field(default="", metadata=MUTABLE)
    mtls_certificate_id: str = field(default="", metadata=MUTABLE)
    sslmode: str = field(default="", metadata=MUTABLE)
    sent: bool = field(default=False, compare=False, metadata=SERVER_SET)


class HyperdriveConfigKind(Basis):
    """The kind `hyperdrive_config`."""

    name = "hyperdrive_config"
    spec = HyperdriveConfig
    permissions = Permissions("Hyperdrive Read", "Hyperdrive Write")
    binding = BindingForm(("hyperdrive",), "hyperdrive", "id", given="id", title=None, makes=False)

    def from_binding(self, title: str, entry: Mapping[str, Any]) -> HyperdriveConfig:
        """Which one it is; what it consists of is not in a binding."""
        return HyperdriveConfig(title)

    def problems(self, spec: HyperdriveConfig) -> Iterable[str]:
        yield from _origin_problems(spec)
        if spec.caching_disabled and (spec.max_age or spec.stale_while_revalidate):
            yield "max_age and stale_while_revalidate mean nothing while caching is disabled"
        if isinstance(spec.max_age, int) and not 0 <= spec.max_age <= LONGEST_AGE:
            yield f"max_age is {spec.max_age} seconds; Cloudflare allows {LONGEST_AGE}"
        limit, (least, most) = spec.origin_connection_limit, CONNECTIONS
        if isinstance(limit, int) and not least <= limit <= most:
            yield f"origin_connection_limit is {limit}; Cloudflare allows {least} to {most}"
        if spec.service_id and any(getattr(spec, name) for name in MTLS):
            yield "a database behind service_id has its TLS settings at the VPC service, not here"

    def differs(self, spec: HyperdriveConfig, observed: ObservedHyperdriveConfig) -> tuple[Difference, ...]:
        found = differences(_spelled(spec), observed)
        return tuple(change for change in found if not _same_scheme(change))

    def to_wire(self, spec: HyperdriveConfig) -> dict[str, Any]:
        return {"name": spec.name, "origin": _origin(spec), **_settings(spec)}

    def from_wire(self, data: Mapping[str, Any]) -> ObservedHyperdriveConfig:
        origin, caching, mtls = (data.get(part) or {} for part in ("origin", "caching", "mtls"))
        parts: dict[str, Any] = {name: origin[name] for name in PLACE if origin.get(name) is not None}
        parts |= {name: int(caching[name]) for name in CACHING[1:] if caching.get(name) is not None}
        parts |= {name: str(mtls[name]) for name in MTLS if mtls.get(name)}
        return ObservedHyperdriveConfig(
            str(data["name"]),
            str(data["id"]),
            caching_disabled=bool(caching.get("disabled")),
            origin_connection_limit=data.get("origin_connection_limit"),
            **parts,
        )

    async def list(
        self, cloud: Cloud, like: HyperdriveConfig | None = None
    ) -> AsyncIterator[ObservedHyperdriveConfig]:
        async for item in cloud.pages(_path(cloud), per_page=100):
            yield self.from_wire(item)

    async def create(self, cloud: Cloud, spec: HyperdriveConfig) -> ObservedHyperdriveConfig:
        made = self.from_wire(await cloud.post(_path(cloud), json=self.to_wire(spec)))
        return replace(made, sent=True)

    async def update(
        self, cloud: Cloud, spec: HyperdriveConfig, observed: ObservedHyperdriveConfig
    ) -> ObservedHyperdriveConfig:
        """An update without a difference is about a secret, which nobody can compare: it is sent."""
        changed = {change.field for change in self.differs(spec, observed)}
        if not changed and observed.sent:
            return observed
        body = _settings(spec)
        if not observed.sent or changed & set(PLACE):
            # Cloudflare takes an origin only as a whole, and the password may be a new one.
            body["origin"] = _origin(spec)
        path = f"{_path(cloud)}/{observed.id}"
        made = self.from_wire(await cloud.patch(path, json=body, idempotent=True))
        return replace(made, sent=True)

    async def delete(self, cloud: Cloud, observed: ObservedHyperdriveConfig) -> None:
        with contextlib.suppress(NotFound):
            await cloud.delete(f"{_path(cloud)}/{observed.id}")


def _origin_problems(spec: HyperdriveConfig) -> Iterable[str]:
    if not spec.connection_string:
        missing = [name for name in ("database", "user", "password") if not getattr(spec, name)]
        if not spec.host and not spec.service_id:
            missing.insert(0, "host")
        if missing:
            yield f"it lacks {', '.join(missing)}; or give a connection_string"
    if spec.scheme and spec.scheme not in SCHEMES:
        yield f"scheme is '{spec.scheme}'; it may be {', '.join(SCHEMES)}"
    if bool(spec.access_client_id) != bool(spec.access_client_secret):
        yield "access_client_id and access_client_secret go together"
    if (spec.access_client_id or spec.service_id) and spec.port:
        yield "a database behind Access or a VPC service has no port"
    modes = SSL_MODES["mysql" if spec.scheme == "mysql" else "postgres"]
    if spec.sslmode and not spec.connection_string and spec.sslmode not in modes:
        yield f"sslmode is '{spec.sslmode}'; it may be {', '.join(modes)}"


def _same_scheme(change: Difference) -> bool:
    return change.field == "scheme" and {change.wanted, change.found} == {"postgres", "postgresql"}


def _spelled(spec: HyperdriveConfig) -> HyperdriveConfig:
    """The spec with the parts of its connection string; a reference that is not open yet says nothing."""
    if not isinstance(spec.connection_string, Secret):
        return spec
    parts = _parts(spec.name, spec.connection_string)
    missing = {name: value for name, value in parts.items() if not getattr(spec, name)}
    return replace(spec, connection_string=UNSET, **missing)


def _parts(name: str, secret: Secret) -> dict[str, Any]:
    """Scheme, host, port, database, user and password; what stands behind `?` is the driver's."""
    from urllib.parse import unquote, urlsplit

    broken = PlanError(
        "TB6110",
        f"the connection string of the Hyperdrive configuration '{name}' cannot be read",
        hint="It has the form postgres://user:password@host:port/database, special characters as %40.",
    )
    try:
        url = urlsplit(secret.reveal())
        port = url.port or PORTS.get(url.scheme, POSTGRES_PORT)
    except ValueError:
        raise broken from None
    whole = (url.hostname, url.username, url.password, url.path.strip("/"))
    if url.scheme not in SCHEMES or not all(whole):
        raise broken
    return {
        "scheme": url.scheme,
        "host": url.hostname,
        "port": port,
        "database": unquote(url.path.strip("/")),
        "user": unquote(url.username or ""),
        "password": Secret(unquote(url.password or "")),
    }


def _origin(spec: HyperdriveConfig) -> dict[str, Any]:
    whole = _spelled(spec)
    origin = set_fields(**{name: getattr(whole, name) for name in PLACE})
    origin.setdefault("scheme", "postgresql")
    if whole.access_client_id or whole.service_id:
        origin.pop("port", None)
    else:
        origin.setdefault("port", PORTS.get(origin["scheme"], POSTGRES_PORT))
    for name in ("password", "access_client_secret"):
        secret = getattr(whole, name)
        if isinstance(secret, Secret):
            origin[name] = secret.reveal()
    return origin


def _settings(spec: HyperdriveConfig) -> dict[str, Any]:
    disabled, age, stale = (getattr(spec, name) for name in CACHING)
    caching = set_fields(disabled=disabled, max_age=age, stale_while_revalidate=stale)
    mtls = set_fields(**{name: getattr(spec, name) for name in MTLS})
    return set_fields(
        caching=caching or UNSET,
        mtls=mtls or UNSET,
        origin_connection_limit=spec.origin_connection_limit,
    )


def _path(cloud: Cloud) -> str:
    return f"{cloud.account}/hyperdrive/configs"


KIND = HyperdriveConfigKind()
