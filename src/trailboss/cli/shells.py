"""The variables that point any Cloudflare tool at a sandbox, spelled for a shell."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trailboss.sandbox.identity import Connection

CLOUDFLARE = (
    "TRAILBOSS_TARGET",
    "CLOUDFLARE_API_BASE_URL",
    "CLOUDFLARE_BASE_URL",
    "CLOUDFLARE_API_TOKEN",
    "CLOUDFLARE_ACCOUNT_ID",
)
S3 = (
    "AWS_ENDPOINT_URL_S3",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
)
DISPLACING = ("CLOUDFLARE_API_KEY", "CLOUDFLARE_EMAIL")
"""They win over the token in wrangler and in the SDKs."""
DISPLACING_S3 = ("AWS_SESSION_TOKEN", "AWS_PROFILE")
"""They win over the two keys in tools for S3."""


def variables(found: Connection, *, s3: bool) -> dict[str, str]:
    """What points at the sandbox: for Trailboss itself, wrangler, the SDKs; with `s3` for R2's S3 interface.

    boto3 reads AWS_DEFAULT_REGION, the other S3 tools AWS_REGION.
    """
    values = (f"sandbox:{found.name}", found.api_url, found.api_url, found.token, found.account_id)
    said = dict(zip(CLOUDFLARE, values, strict=True))
    if s3:
        keys = found.s3["endpoint"], found.s3["access_key_id"], found.s3["secret_access_key"]
        said |= dict(zip(S3, (*keys, "auto", "auto"), strict=True))
    return said


def setting(shell: str, said: Mapping[str, str], environ: Mapping[str, str]) -> list[str]:
    """The lines that set `said`, after those that take away what would displace it here (`environ`)."""
    rivals = [*DISPLACING, *(DISPLACING_S3 if S3[0] in said else ())]
    gone = unsetting(shell, [name for name in rivals if name in environ]) if shell in UNSET else []
    return [*gone, *(SET[shell](name, value) for name, value in said.items())]


def unsetting(shell: str, names: Iterable[str]) -> list[str]:
    """The lines that take variables away."""
    return [UNSET[shell].format(name) for name in names]


def _fish(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{escaped}'"


def _powershell(name: str, value: str) -> str:
    escaped = value.replace("'", "''")
    return f"$env:{name} = '{escaped}'"


SET: dict[str, Callable[[str, str], str]] = {
    "sh": lambda name, value: f"export {name}={shlex.quote(value)}",
    "fish": _fish,
    "powershell": _powershell,
    "dotenv": lambda name, value: f"{name}={value}",
}
UNSET = {
    "sh": "unset {}",
    "fish": "set -e {}",
    "powershell": "Remove-Item Env:{} -ErrorAction SilentlyContinue",
}
"""A dotenv file and JSON can only say what is there."""
SHELLS = (*SET, "json")
