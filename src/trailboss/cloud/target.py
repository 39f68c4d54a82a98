"""Where an environment lives: the sandbox, or a Cloudflare account."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from trailboss.cloud.connection import Connection, read_connection, running_connections
from trailboss.cloud.login import wrangler_login
from trailboss.errors import AuthenticationError, ConfigError
from trailboss.values import Secret

CLOUDFLARE = "https://api.cloudflare.com/client/v4"
FEDRAMP = "https://api.fed.cloudflare.com/client/v4"
_HERE = ("localhost", "127.0.0.1", "::1")
Resolve = Callable[[dict[str, Any]], Mapping[str, Any]]
_KEYS = {"name", "sandbox", "base_url", "account_id", "api_token", "auth", "api_key", "email"}


@dataclass(frozen=True, slots=True)
class GlobalKey:
    """The old global API key with its e-mail: used only when asked for, or when there is no token."""

    email: str
    key: Secret


@dataclass(frozen=True, slots=True)
class Target:
    """Which account a command acts on.

    `name` is 'cloudflare' or 'sandbox:<name>'; `base_url` has no trailing slash; `account_id` None means it
    is looked up with the token; `edge_url` is where a sandbox's Workers answer.
    """

    name: str
    base_url: str
    token: Secret | GlobalKey
    account_id: str | None = None
    edge_url: str | None = None
    is_sandbox: bool = False
    source: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.name} ({self.account_id})" if self.account_id else self.name


def resolve_target(
    settings_target: Mapping[str, Any] | str | None = None,
    *,
    flag: str | None = None,
    environ: Mapping[str, str] | None = None,
    account_id: str | None = None,
    resolve: Resolve | None = None,
) -> Target:
    """The target a command acts on; the first that says something wins.

    Order: `--target`, `TRAILBOSS_TARGET`, `[target]` of trailboss.toml, then the variables wrangler reads
    (CLOUDFLARE_API_BASE_URL, CLOUDFLARE_API_TOKEN, CLOUDFLARE_ACCOUNT_ID). The words are 'cloudflare',
    'sandbox' and 'sandbox:<name>'. `[target]` may hold `name` (one of these words), `sandbox` (true or a
    name), `base_url`, `account_id`, `api_token`, `auth = "key"` with `api_key` and `email`; what it leaves
    out comes from the variables, a token that is nowhere from `wrangler login`. A token always wins over
    key and e-mail unless `auth = "key"`. `account_id` is the one of a wrangler config: as with wrangler it
    comes before the variable. A sandbox has its own. `resolve` fills in the references (`op://...`,
    `${NAME}`) of a part of `[target]` that is about to be used, and of no other part.

    Raises:
        ConfigError: TB1901 unknown word, TB1902 unknown key, TB1903 unusable base URL.
        SandboxError: TB5901 the sandbox is not running, TB5902 its connection file is broken.
        AuthenticationError: TB2102 no token anywhere, TB2103 or TB2105 it cannot be one, TB2104 expired.
    """
    environ = os.environ if environ is None else environ
    table = _table(settings_target)
    if account_id:
        table.setdefault("account_id", account_id)
    resolve = resolve or _as_it_stands
    asked = [(flag, "--target"), (environ.get("TRAILBOSS_TARGET"), "TRAILBOSS_TARGET")]
    if not any(word for word, _ in asked):
        table |= resolve({key: table[key] for key in ("name", "sandbox") if key in table})
        asked.append((_word(table), "trailboss.toml"))
    for word, source in asked:
        if word:
            return _named(word, source, table, environ, resolve)
    return _cloudflare(table, environ, "trailboss.toml" if settings_target else "environment", resolve)


def _as_it_stands(part: dict[str, Any]) -> Mapping[str, Any]:
    return part


def _table(settings: Mapping[str, Any] | str | None) -> dict[str, Any]:
    table = {"name": settings} if isinstance(settings, str) else dict(settings or {})
    table = {key: value for key, value in table.items() if value is not None}
    unknown = sorted(set(table) - _KEYS)
    if unknown:
        raise ConfigError(
            "TB1902",
            f"[target] has no key '{unknown[0]}'",
            hint=f"It may have: {', '.join(sorted(_KEYS))}.",
        )
    return table


def _word(table: Mapping[str, Any]) -> str | None:
    sandbox = table.get("sandbox")
    if sandbox:
        return "sandbox" if sandbox is True else f"sandbox:{sandbox}"
    return table.get("name")


def _named(
    word: str, source: str, table: Mapping[str, Any], environ: Mapping[str, str], resolve: Resolve
) -> Target:
    kind, _, name = word.partition(":")
    if kind == "sandbox":
        chosen = name or environ.get("TRAILBOSS_SANDBOX") or "default"
        return _sandbox(read_connection(chosen, environ), source)
    if word == "cloudflare":
        return _cloudflare(table, environ, source, resolve)
    raise ConfigError(
        "TB1901",
        f"there is no target '{word}' (from {source})",
        hint="Targets are: cloudflare, sandbox, sandbox:<name>.",
    )


def _sandbox(found: Connection, source: str) -> Target:
    return Target(
        name=f"sandbox:{found.name}",
        base_url=found.api_url,
        token=found.token,
        account_id=found.account_id,
        edge_url=found.edge_url,
        is_sandbox=True,
        source=source,
    )


def _cloudflare(
    table: Mapping[str, Any], environ: Mapping[str, str], source: str, resolve: Resolve
) -> Target:
    table = {**table, **resolve(_used(table))}
    usual = FEDRAMP if environ.get("CLOUDFLARE_COMPLIANCE_REGION") == "fedramp_high" else CLOUDFLARE
    base = str(table.get("base_url") or _variable(environ, "API_BASE_URL") or usual).rstrip("/")
    host = _check_base(base)
    token = _credential(table, environ)
    account = table.get("account_id") or _variable(environ, "ACCOUNT_ID")
    account_id = str(account) if account else None
    if host in _HERE:  # `trailboss sandbox env` exports the sandbox this way
        for found in running_connections(environ):
            if urlsplit(found.api_url).port == urlsplit(base).port:
                account_id = account_id or found.account_id
                return Target(
                    f"sandbox:{found.name}", base, token, account_id, found.edge_url, True, source=source
                )
    return Target("cloudflare", base, token, account_id, source=source)


def _used(table: Mapping[str, Any]) -> dict[str, Any]:
    """What of `[target]` an account needs: not the key beside a token, unless the key is asked for."""
    keys = ["base_url", "account_id", "auth"]
    key = table.get("auth") == "key" or not table.get("api_token")
    keys += ["api_key", "email"] if key else ["api_token"]
    return {name: table[name] for name in keys if name in table}


def _variable(environ: Mapping[str, str], name: str) -> str | None:
    """A variable as wrangler reads it: the old CF_ spelling still works."""
    return environ.get(f"CLOUDFLARE_{name}") or environ.get(f"CF_{name}") or None


def _credential(table: Mapping[str, Any], environ: Mapping[str, str]) -> Secret | GlobalKey:
    token = table.get("api_token") or _variable(environ, "API_TOKEN")
    key = table.get("api_key") or _variable(environ, "API_KEY")
    email = table.get("email") or _variable(environ, "EMAIL")
    if key and email and (table.get("auth") == "key" or not token):
        return GlobalKey(str(email), _secret(key))
    if token and table.get("auth") != "key":
        return _secret(token)
    login = None if table.get("auth") == "key" else wrangler_login(environ)
    if login is not None:
        return login
    raise AuthenticationError(
        "TB2102",
        "there is no Cloudflare API token",
        hint="Set CLOUDFLARE_API_TOKEN (and CLOUDFLARE_ACCOUNT_ID), or use `--target sandbox` to work "
        "without an account.",
    )


def _secret(value: Any) -> Secret:
    text = (value.reveal() if isinstance(value, Secret) else str(value)).strip()
    if text.startswith("op://") or "${" in text:
        raise AuthenticationError(
            "TB2105",
            "the Cloudflare API token is a reference that was not resolved",
            hint="Run the command through `op run`, or set CLOUDFLARE_API_TOKEN to the token itself.",
        )
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise AuthenticationError(
            "TB2103",
            "the Cloudflare API token or key holds spaces, line breaks or non-ASCII characters",
            hint="Copy it again without quotes or line breaks.",
        )
    return Secret(text)


def _check_base(base: str) -> str:
    """The host of a base URL that a token may be sent to."""
    try:
        parts = urlsplit(base)
        host = parts.hostname or ""
        sound = parts.scheme in ("http", "https") and host and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        sound = False
    if not sound or parts.username or parts.query or not base.isprintable():
        raise ConfigError(
            "TB1903",
            "the API base URL is not an http(s) URL without user and query",
            hint=f"Cloudflare's is {CLOUDFLARE}.",
        )
    if parts.scheme == "http" and not _is_near(host):
        raise ConfigError(
            "TB1903",
            f"the API base URL would send the token to {host} without TLS",
            hint="Use https, or a host on this machine or a private network.",
        )
    return host


def _is_near(host: str) -> bool:
    if host in _HERE or "." not in host or host.endswith((".localhost", ".internal", ".local", ".test")):
        return True
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False
