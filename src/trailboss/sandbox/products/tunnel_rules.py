"""What a tunnel's configuration may be: ingress rules, services, the settings of the connection to an origin.

Source: cloudflared's `ingress` package, whose wording the API repeats behind "Bad Configuration:".
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

Record = dict[str, Any]

DIALLED = {"http": 80, "https": 443, "tcp": 0, "ssh": 22, "rdp": 3389, "smb": 445}
"""Service schemes that name a host and a port, with the port they mean when none is given."""
LOCAL = ("unix:", "unix+tls:")
WORDS = frozenset({"hello_world", "hello-world", "bastion", "socks-proxy"})
CATCH_ALL = (
    "Validation failed: The last ingress rule must match all URLs"
    " (i.e. it should not have a hostname or path filter)\n"
)
WILDCARD = (
    "Validation failed: Hostname patterns can have at most one wildcard character"
    ' ("*") and it can only be used for subdomains, e.g. "*.example.com"'
)


class BadConfig(ValueError):
    """A configuration that cannot be run; the text is cloudflared's."""


def checked_config(config: Any) -> Record:
    """The configuration as it will be kept.

    Raises:
        BadConfig: the first rule it breaks.
    """
    if not isinstance(config, dict):
        raise BadConfig("config must be an object")
    rules = config.get("ingress", [])
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise BadConfig("ingress must be a list of rules")
    for number, rule in enumerate(rules, 1):
        _check_rule(rule, number, last=number == len(rules))
    return {**config, "ingress": [_kept(rule) for rule in rules]} if rules else config


def _kept(rule: Record) -> Record:
    """Empty host names and paths are not kept: a catch-all rule has neither."""
    return {name: value for name, value in rule.items() if value != "" or name == "service"}


def _check_rule(rule: Record, number: int, *, last: bool) -> None:
    host, path = rule.get("hostname") or "", rule.get("path") or ""
    if not isinstance(host, str) or not isinstance(path, str):
        raise BadConfig(f"Validation failed: Rule #{number} has a hostname or path that is no string")
    _check_hostname(host)
    if last and (host not in ("", "*") or path):
        raise BadConfig(CATCH_ALL)
    if not last and host in ("", "*") and not path:
        raise BadConfig(
            f"Validation failed: Rule #{number} is matching the hostname '{host}', but this will match every"
            " hostname, meaning the rules which follow it will never be triggered."
        )
    try:
        re.compile(path)
    except re.error as error:
        raise BadConfig(f"Validation failed: Rule #{number} has an invalid regex: {error}") from None
    _check_service(rule.get("service"), number)


def _check_hostname(host: str) -> None:
    if ":" in host:
        raise BadConfig("Validation failed: Hostname cannot contain a port")
    if "*" in host and host != "*" and (not host.startswith("*.") or "*" in host[2:]):
        raise BadConfig(WILDCARD)


def _check_service(service: Any, number: int) -> None:
    if not isinstance(service, str) or not service:
        raise BadConfig(f"Validation failed: Rule #{number} has no service")
    if service in WORDS or service.startswith(LOCAL):
        return
    if service.startswith("http_status:"):
        code = service.partition(":")[2]
        if not code.isdigit() or not 100 <= int(code) <= 999:
            raise BadConfig(f"Validation failed: invalid HTTP status code {code!r} in rule #{number}")
        return
    if not _is_address(service):
        raise BadConfig(
            f"Validation failed: {service} is an invalid address,"
            " please make sure it has a scheme and a hostname"
        )
    if urlsplit(service).path:
        raise BadConfig(
            f"Validation failed: {service} is an invalid address, ingress rules don't support proxying to a"
            " different path on the origin service. The path will be the same as the eyeball request's path"
        )


def _is_address(service: str) -> bool:
    try:
        parts = urlsplit(service)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    known = parts.scheme in (*DIALLED, "ws", "wss") and (port is not None or parts.scheme != "tcp")
    return known and re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:.]+", host) is not None


def dialled(service: str) -> tuple[str, int] | str | None:
    """What a connector connects to for a service: (host, port), the path of a socket, or None for nothing.

    `hello_world` and the like are the connector's own and always there: "" says so.
    """
    if service.startswith(LOCAL):
        return service.partition(":")[2]
    if service in WORDS:
        return ""
    parts = urlsplit(service)
    if not parts.hostname:
        return None
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    return parts.hostname, parts.port or DIALLED.get(scheme, 0)


def origin_settings(config: Record, rule: Record) -> Record:
    """The connection settings in force for a rule: its own over the tunnel's."""
    return {**(config.get("originRequest") or {}), **(rule.get("originRequest") or {})}


def checked_network(text: Any) -> str:
    """A CIDR in its canonical form.

    Raises:
        BadConfig: it is none.
    """
    try:
        return str(ipaddress.ip_network(str(text), strict=True))
    except ValueError as error:
        raise BadConfig(str(error)) from None
