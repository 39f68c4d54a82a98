"""Accounts and memberships: one account, one member.

https://developers.cloudflare.com/api/resources/accounts/
"""

from __future__ import annotations

import hashlib
from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.user import CREATED


def account_shape(call: Call) -> dict[str, Any]:
    """The account."""
    return {
        "id": call.account,
        "name": f"{call.box.identity.name} sandbox",
        "type": "standard",
        "settings": {"enforce_twofactor": False, "abuse_contact_email": None},
        "created_on": CREATED,
    }


async def list_accounts(call: Call) -> Any:
    """GET /accounts."""
    account = account_shape(call)
    return call.paged([account] if call.query("name") in account["name"] else [])


async def get_account(call: Call) -> Any:
    """GET /accounts/{id}."""
    return account_shape(call)


async def list_memberships(call: Call) -> Any:
    """GET /memberships."""
    return call.paged([membership(call)])


async def get_membership(call: Call) -> Any:
    """GET /memberships/{id}."""
    found = membership(call)
    if call["membership_id"] != found["id"]:
        raise ApiError(404, 1001, "Membership not found.")
    return found


def membership(call: Call) -> dict[str, Any]:
    """How the user belongs to the account."""
    return {
        "id": hashlib.md5(call.account.encode(), usedforsecurity=False).hexdigest(),
        "account": account_shape(call),
        "roles": ["Super Administrator - All Privileges"],
        "status": "accepted",
        "api_access_enabled": None,
        "permissions": {},
    }


router = Router("accounts")
router.add("GET", "/accounts", list_accounts, sdk="accounts.list", reply="accounts.Account")
router.add("GET", "/accounts/{account_id}", get_account, sdk="accounts.get", reply="accounts.Account")
router.add("GET", "/memberships", list_memberships, sdk="memberships.list", reply="memberships.Membership")
router.add(
    "GET",
    "/memberships/{membership_id}",
    get_membership,
    sdk="memberships.get",
    reply="memberships.MembershipGetResponse",
)
