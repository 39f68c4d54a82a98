"""Importing the room loads no network library."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {
    "httpx",
    "ssl",
    "asyncio",
    "msgspec",
    "pydantic",
    "rich",
    "click",
    "websockets",
    "cloudflare",
    "socket",
}


def _loaded(code: str) -> set[str]:
    text = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_room_is_light() -> None:
    assert not HEAVY & _loaded("import trailboss.cloud")


def test_a_target_and_a_cloud_are_light_too() -> None:
    code = """
from trailboss.cloud import Cloud, resolve_target
cloud = Cloud(resolve_target(None, environ={"CLOUDFLARE_API_TOKEN": "t"}))
assert cloud.account == "/accounts/~"
"""
    assert not HEAVY & _loaded(code)


def test_the_first_call_does_not_load_a_terminal_library() -> None:
    loaded = _loaded("import trailboss.cloud.session")
    assert "httpx" in loaded
    assert not {"rich", "click", "pydantic", "cloudflare", "anyio", "httpcore"} & loaded
    assert "httpx._main" not in loaded
