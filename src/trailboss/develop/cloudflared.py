"""Cloudflare's connector: found on this machine, new enough, run with its token in the environment.

Flags, variables and the metrics server's `/ready` as cloudflared 2026.8 documents them:
https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/configure-tunnels/
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from trailboss.develop.lines import Entry, Level, Said
from trailboss.errors import BuildError
from trailboss.values import Secret

MINIMUM = (2024, 2, 1)
"""The oldest that reads TUNNEL_TOKEN, takes its rules from Cloudflare and still may connect (support is one
year)."""
_VERSION = re.compile(r"version (\d+)\.(\d+)\.(\d+)")
_LINE = re.compile(r"^\d{4}-\d\d-\d\dT\S+ (DBG|INF|WRN|ERR|FTL) (.*)$")
_LEVELS: dict[str, Level] = {"DBG": "debug", "INF": "info", "WRN": "warn", "ERR": "error", "FTL": "error"}
_QUIET = re.compile(
    r"^(Starting tunnel|Version |GOOS:|Settings:|Environmental variables|Generated Connector ID|"
    r"Initial protocol|ICMP proxy|Starting metrics server|Tunnel connection curve|Created ICMP|"
    r"Updated to new configuration|You requested|cloudflared will not automatically|"
    r"Unable to lookup protocol|precheck |(Tunnel|Metrics) server stopped|\+-+\+$)"
)
_PING = re.compile(r"^(The user running cloudflared process has a GID|ICMP proxy feature is disabled)")
"""Warnings about something that a development tunnel does not use."""
_CHECKS = re.compile(r"^\|\s*(?P<text>.*?)\s*\|$")
"""A row of the table of its checks at the start: what is well in it need not be said."""
_BAD = re.compile(r"\s(FAIL|WARN)\s|^(ERROR|WARNING):|failures|degraded")


@dataclass(frozen=True, slots=True)
class Binary:
    """A cloudflared that can be used."""

    path: Path
    version: str


def find_cloudflared(environ: Mapping[str, str] | None = None) -> Binary:
    """The one of CLOUDFLARED_PATH, else the one on PATH.

    Raises:
        BuildError: TB3610 there is none, TB3611 it is too old, TB3612 it does not say its version.
    """
    environ = os.environ if environ is None else environ
    named = environ.get("CLOUDFLARED_PATH")
    found = named or shutil.which("cloudflared", path=environ.get("PATH"))
    if not found or not Path(found).is_file():
        what = f"{named} (CLOUDFLARED_PATH) is not there" if named else "cloudflared is not on the PATH"
        raise BuildError("TB3610", what, hint=how_to_get())
    try:
        done = subprocess.run(
            [found, "--version"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        match = _VERSION.search(done.stdout + done.stderr)
    except (OSError, subprocess.TimeoutExpired):
        match = None
    if match is None:
        raise BuildError(
            "TB3612", f"{found} does not say which cloudflared it is", hint=f"Replace it. {how_to_get()}"
        )
    version = (int(match[1]), int(match[2]), int(match[3]))
    if version < MINIMUM:
        raise BuildError(
            "TB3611",
            f"cloudflared {_dotted(version)} is too old; {_dotted(MINIMUM)} is the oldest that will do",
            hint=f"Update it: `cloudflared update`, or: {how_to_get()}",
        )
    return Binary(Path(found), _dotted(version))


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def how_to_get() -> str:
    """How cloudflared is installed here."""
    if sys.platform == "darwin":
        return "Install it with `brew install cloudflared`."
    return (
        "Install it from https://pkg.cloudflare.com, or put the program from"
        " https://github.com/cloudflare/cloudflared/releases on the PATH as `cloudflared`."
    )


def run_command(binary: Binary, metrics: str, level: str = "info") -> list[str]:
    """The words that run a tunnel; its token is not among them."""
    flags = ["--no-autoupdate", "--metrics", metrics, "--loglevel", level]
    return [str(binary.path), "tunnel", *flags, "run"]


def run_environment(token: Secret, environ: Mapping[str, str]) -> dict[str, str]:
    """This process's variables without those that would lead a connector elsewhere, and its token."""
    kept = {name: value for name, value in environ.items() if not name.startswith("TUNNEL_")}
    return {**kept, "TUNNEL_TOKEN": token.reveal()}


async def read_log(lines: AsyncIterator[str]) -> AsyncIterator[Said]:
    """Its lines as entries of the merged log, without time stamps, settings, and checks that went well."""
    async for line in lines:
        match = _LINE.match(line)
        level, text = (_LEVELS[match[1]], match[2]) if match else ("info", line)
        if row := _CHECKS.match(text):
            level, text = "warn", row["text"] if _BAD.search(row["text"]) else ""
        quiet = _PING.match(text) or (level == "info" and _QUIET.match(text))
        if text.strip() and not quiet:
            yield Entry("tunnel", text.rstrip(), level)
