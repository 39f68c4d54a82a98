"""What a tunnel leads to: its ingress rules and how origins are reached. Source: edge reference 1.1, 1.2.

One per tunnel, written as a whole. Rules are in order and the first that matches answers; one for everything
else is added at the end when the file has none. The configuration cannot be deleted: letting go of it leaves
a tunnel that answers 404.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from trailboss.errors import NotFound
from trailboss.resources.marks import (
    IDENTITY,
    MUTABLE,
    UNSET,
    Difference,
    Ref,
    Unset,
    subset_differs,
    to,
)
from trailboss.resources.protocol import Basis, Permissions

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

Rules = tuple[Mapping[str, Any], ...]

REST: Mapping[str, Any] = {"service": "http_status:404"}
SCHEMES = ("http", "https", "tcp", "ssh", "rdp", "smb", "unix", "unix+tls")
WORDS = ("hello_world", "bastion", "socks-proxy")
SERVICES = ", ".join(f"{word}:{'' if word.startswith('unix') else '//'}…" for word in SCHEMES)
KEYS = ("hostname", "path", "service", "origin_request")
_ORIGIN = """
access audTag teamName required caPool connectTimeout disableChunkedEncoding http2Origin httpHostHeader
keepAliveConnections keepAliveTimeout matchSNItoHost noHappyEyeballs noTLSVerify originServerName proxyType
tcpKeepAlive tlsTimeout bastionMode ipRules prefix ports allow maxActiveFlows
"""
_SNAKE = {
    "noTLSVerify": "no_tls_verify",
    "matchSNItoHost": "match_sni_to_host",
    "http2Origin": "http2_origin",
}
TO_SNAKE = {
    name: _SNAKE.get(name) or re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", name)
    for name in _ORIGIN.split()
}
"""Cloudflare's words for the connection to an origin, and ours."""
TO_CAMEL = {ours: theirs for theirs, ours in TO_SNAKE.items()}
CONFIG = ("ingress", "originRequest", "warp-routing")
_LABELS = re.compile(r"(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_-]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TunnelConfiguration:
    """What a file may want: `ingress` rules with `hostname`, `path` (an expression), `service` and
    `origin_request`; the tunnel's own `origin_request`, times in seconds."""

    tunnel: str | Ref = field(metadata=IDENTITY | to("cloudflared_tunnel"))
    ingress: Rules = field(default=(), metadata=MUTABLE)
    origin_request: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)
    warp_routing: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedTunnelConfiguration:
    """The rules in force, the last one for everything else."""

    tunnel: str = field(metadata=IDENTITY)
    ingress: Rules = field(default=(), metadata=MUTABLE)
    origin_request: Mapping[str, Any] = field(default_factory=dict, metadata=MUTABLE)
    warp_routing: Mapping[str, Any] = field(default_factory=dict, metadata=MUTABLE)


class TunnelConfigurationKind(Basis):
    """The kind `tunnel_configuration`."""

    name = "tunnel_configuration"
    spec = TunnelConfiguration
    permissions = Permissions("Cloudflare Tunnel Read", "Cloudflare Tunnel Write")

    def problems(self, spec: TunnelConfiguration) -> Iterable[str]:
        rules = _whole(spec.ingress)
        if rules == _whole(()) and not spec.origin_request and not spec.warp_routing:
            yield "it has no rules; a tunnel without a configuration has none either"
        for number, rule in enumerate(rules, 1):
            yield from _rule_problems(rule, f"rule {number}", last=number == len(rules))
        if spec.origin_request:
            yield from _unknown(_snake(spec.origin_request), TO_CAMEL, "origin_request")

    def scope_of(self, spec: TunnelConfiguration) -> tuple[Any, ...]:
        return (spec.tunnel,)

    def handle(self, observed: ObservedTunnelConfiguration) -> str:
        return observed.tunnel

    def differs(
        self, spec: TunnelConfiguration, observed: ObservedTunnelConfiguration
    ) -> tuple[Difference, ...]:
        wanted = {
            name: _snake(value)
            for name in ("origin_request", "warp_routing")
            if (value := getattr(spec, name))
        }
        found = subset_differs(replace(spec, ingress=_whole(spec.ingress), **wanted), observed)
        return tuple(found)

    def to_wire(self, spec: TunnelConfiguration) -> dict[str, Any]:
        config: dict[str, Any] = {"ingress": [_camel(rule) for rule in _whole(spec.ingress)]}
        if spec.origin_request is not UNSET:
            config["originRequest"] = _camel(_snake(spec.origin_request))
        if spec.warp_routing is not UNSET:
            config["warp-routing"] = _camel(_snake(spec.warp_routing))
        return {"config": config}

    def from_wire(self, data: Mapping[str, Any]) -> ObservedTunnelConfiguration:
        config = data.get("config") or {}
        rules, origin, warp = (config.get(name) or {} for name in CONFIG)
        return ObservedTunnelConfiguration(
            str(data["tunnel_id"]), _whole(rules or ()), _snake(origin), _snake(warp)
        )

    async def list(
        self, cloud: Cloud, like: TunnelConfiguration | None = None
    ) -> AsyncIterator[ObservedTunnelConfiguration]:
        assert like is not None
        if isinstance(like.tunnel, Ref):  # the tunnel is not there yet
            return
        with contextlib.suppress(NotFound):
            found = self.from_wire(await cloud.get(_path(cloud, like.tunnel)))
            if found != ObservedTunnelConfiguration(found.tunnel, _whole(())):
                yield found

    async def create(self, cloud: Cloud, spec: TunnelConfiguration) -> ObservedTunnelConfiguration:
        return self.from_wire(await cloud.put(_path(cloud, str(spec.tunnel)), json=self.to_wire(spec)))

    async def update(
        self, cloud: Cloud, spec: TunnelConfiguration, observed: ObservedTunnelConfiguration
    ) -> ObservedTunnelConfiguration:
        if not self.differs(spec, observed):
            return observed
        kept = {
            name: getattr(observed, name)
            for name in ("origin_request", "warp_routing")
            if getattr(spec, name) is UNSET and getattr(observed, name)
        }
        return await self.create(cloud, replace(spec, **kept))

    async def delete(self, cloud: Cloud, observed: ObservedTunnelConfiguration) -> None:
        with contextlib.suppress(NotFound):
            await cloud.put(_path(cloud, observed.tunnel), json={"config": {"ingress": [REST]}})


def _snake(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {TO_SNAKE.get(str(name), str(name)): _snake(inner) for name, inner in value.items()}
    return [_snake(inner) for inner in value] if isinstance(value, list | tuple) else value


def _camel(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {TO_CAMEL.get(name, name): _camel(inner) for name, inner in value.items()}
    return [_camel(inner) for inner in value] if isinstance(value, list | tuple) else value


TO_SNAKE["originRequest"] = "origin_request"
TO_CAMEL["origin_request"] = "originRequest"


def _whole(rules: Iterable[Mapping[str, Any]]) -> Rules:
    """Rules in snake_case without empty parts, and one for the rest at the end."""
    kept = [
        {name: value for name, value in _snake(rule).items() if value not in ("", None, {})} for rule in rules
    ]
    catches = bool(kept) and kept[-1].get("hostname", "*") == "*" and "path" not in kept[-1]
    return (*kept, *(() if catches else (dict(REST),)))


def _rule_problems(rule: Mapping[str, Any], place: str, *, last: bool) -> Iterator[str]:
    yield from _unknown(rule, KEYS, place)
    host, path = str(rule.get("hostname", "")), str(rule.get("path", ""))
    if host not in ("", "*") and not _LABELS.fullmatch(host):
        yield f"{place}: hostname is '{host}'; it is a name without port, with at most `*.` in front"
    if not last and host in ("", "*") and not path:
        yield f"{place} matches everything, so the rules after it would never answer"
    try:
        re.compile(path)
    except re.error as error:
        yield f"{place}: path is no expression: {error}"
    yield from _service_problems(str(rule.get("service", "")), place)
    yield from _unknown(rule.get("origin_request") or {}, TO_CAMEL, f"{place}, origin_request")


def _service_problems(service: str, place: str) -> Iterator[str]:
    if service in WORDS:
        return
    word, _, rest = service.partition(":")
    if word == "http_status":
        if not rest.isdigit() or not 100 <= int(rest) <= 999:
            yield f"{place}: service is '{service}'; the status has three digits"
    elif word not in SCHEMES or not rest.strip("/"):
        words = ", ".join(WORDS)
        yield f"{place}: service is '{service}'; it may be {SERVICES}, http_status:NNN, {words}"
    elif not word.startswith("unix") and urlsplit(service).path:
        yield f"{place}: service is '{service}'; the path is the request's own and cannot be given here"


def _unknown(table: Mapping[str, Any], known: Iterable[str], place: str) -> Iterator[str]:
    for name in table:
        if name not in known:
            yield f"{place} does not know '{name}'"


def _path(cloud: Cloud, tunnel: str) -> str:
    from trailboss.cloud import segment

    return f"{cloud.account}/cfd_tunnel/{segment(tunnel)}/configurations"


KIND = TunnelConfigurationKind()
