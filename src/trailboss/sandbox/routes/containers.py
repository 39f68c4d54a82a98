"""Containers: none. The list is there for wrangler, which looks for a Worker's own before it deletes it.

https://developers.cloudflare.com/api/resources/containers/
"""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.routes import Router


async def list_applications(call: Call) -> Any:
    """GET /containers/applications: there are none."""
    return call.single([])


router = Router("containers")
router.add(
    "GET",
    "A/containers/applications",
    list_applications,
    sdk="containers.applications.list",
    reply="containers.ApplicationListResponse",
)
