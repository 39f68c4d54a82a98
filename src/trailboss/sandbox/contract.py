"""Requests and replies against the types of Cloudflare's SDK; for tests and `--strict`, never otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Reply

if TYPE_CHECKING:
    from trailboss.sandbox.routes import Route


async def check_request(call: Call, route: Route) -> None:
    """Raise when the body is not what the SDK would send."""


def check_reply(route: Route, reply: Reply) -> None:
    """Raise when the result is not what the SDK can read."""
