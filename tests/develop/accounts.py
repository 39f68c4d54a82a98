"""The suite's sandbox as the rooms see it: a target, and one verb with a connection."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from tests.conftest import Sandbox
from trailboss.cloud import Cloud, Target
from trailboss.values import Secret

Result = TypeVar("Result")
STANDIN = Path(__file__).parent / "standin_cloudflared.py"


def standin(folder: Path) -> Path:
    """A `cloudflared` in `folder`: the stand-in, with this Python and its libraries."""
    program = folder / "cloudflared"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STANDIN}" "$@"\n')
    program.chmod(0o755)
    return program


def target(box: Sandbox, *, sandbox: bool = True) -> Target:
    """The sandbox as a target; with `sandbox` False as an account somewhere, which needs a real connector."""
    found = box.connection
    edge = found.edge_url if sandbox else None
    name = "sandbox:test" if sandbox else "cloudflare"
    return Target(name, found.api_url, Secret(found.token), found.account_id, edge, sandbox)


def call(box: Sandbox, verb: Callable[[Cloud], Awaitable[Result]], *, sandbox: bool = True) -> Result:
    """One verb of a room."""

    async def go() -> Result:
        async with Cloud(target(box, sandbox=sandbox)) as cloud:
            return await verb(cloud)

    return asyncio.run(go())


def at_sandbox(box: Sandbox) -> dict[str, str]:
    """Variables with which the command line acts on the sandbox."""
    return {"TRAILBOSS_SANDBOX_HOME": str(box.home), "TRAILBOSS_TARGET": "sandbox:test"}


def as_account(box: Sandbox, home: Path) -> dict[str, str]:
    """Variables with which the command line takes the sandbox for an account somewhere, and finds the
    stand-in for cloudflared.
    """
    return {
        "TRAILBOSS_SANDBOX_HOME": str(home),
        "TRAILBOSS_TARGET": "cloudflare",
        "CLOUDFLARE_API_BASE_URL": box.connection.api_url,
        "CLOUDFLARE_API_TOKEN": box.connection.token,
        "CLOUDFLARE_ACCOUNT_ID": box.connection.account_id,
        "CLOUDFLARED_PATH": str(STANDIN),
    }
