"""The user, as `whoami` asks for it: one, with all permissions.

https://developers.cloudflare.com/api/resources/user/
"""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.routes import Router

CREATED = "2026-01-01T00:00:00.000000Z"


def email(call: Call) -> str:
    """The e-mail address the sandbox's only user has; versions and deployments carry it as their author."""
    return f"{call.box.identity.name}@sandbox.localhost"


async def get_user(call: Call) -> dict[str, Any]:
    """The user behind the token."""
    return {
        "id": call.box.identity.user_id,
        "email": email(call),
        "first_name": "Sandbox",
        "last_name": "User",
        "username": call.box.identity.user_id,
        "telephone": None,
        "country": None,
        "zipcode": None,
        "two_factor_authentication_enabled": False,
        "two_factor_authentication_locked": False,
        "created_on": CREATED,
        "modified_on": CREATED,
        "suspended": False,
        "betas": [],
        "organizations": [],
    }


router = Router("user")
router.add("GET", "/user", get_user, sdk="user.get", reply="user.UserGetResponse")
