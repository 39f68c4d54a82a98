"""The login that `wrangler login` left on this machine, used when there is no token.

Read only: wrangler renews it (a renewal replaces the old one, so only one tool may do it). Where it is:
`<config home>/.wrangler/config/<profile>.toml`, or below `~/.wrangler` when that folder exists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from time import time

from trailboss.errors import AuthenticationError
from trailboss.values import Secret

MARGIN = 60.0  # seconds of validity below which a login counts as expired


def wrangler_login(environ: Mapping[str, str]) -> Secret | None:
    """The access token of wrangler's login; None when there is no login.

    Raises:
        AuthenticationError: TB2104 it has expired.
    """
    for file in _places(environ):
        found = _read(file)
        if found is None:
            continue
        token, expires = found
        if expires is not None and expires < time() + MARGIN:
            raise AuthenticationError(
                "TB2104",
                "the login of `wrangler login` has expired, and CLOUDFLARE_API_TOKEN is not set",
                hint="Renew it with `wrangler whoami`, or set CLOUDFLARE_API_TOKEN.",
            )
        return token
    return None


def _places(environ: Mapping[str, str]) -> Iterator[Path]:
    name = f"{environ.get('CLOUDFLARE_AUTH_PROFILE') or 'default'}.toml"
    home = environ.get("HOME")
    if home:
        yield Path(home) / ".wrangler" / "config" / name
    config = environ.get("XDG_CONFIG_HOME")
    if config:
        yield Path(config) / ".wrangler" / "config" / name
    elif home:
        yield Path(home) / ".config" / ".wrangler" / "config" / name
        yield Path(home) / "Library" / "Preferences" / ".wrangler" / "config" / name


def _read(file: Path) -> tuple[Secret, float | None] | None:
    """Token and the moment it expires; None when the file is not there or holds no login."""
    import tomllib
    from datetime import datetime

    try:
        data = tomllib.loads(file.read_text())
        token, expires = data.get("oauth_token"), data.get("expiration_time")
        moment = expires if isinstance(expires, datetime) else None
        if isinstance(expires, str):
            moment = datetime.fromisoformat(expires)
        return (Secret(token), moment.timestamp() if moment else None) if isinstance(token, str) else None
    except (OSError, ValueError):  # broken files are wrangler's to repair
        return None
