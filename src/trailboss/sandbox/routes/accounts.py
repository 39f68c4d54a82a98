"""Accounts, memberships, token permission groups: one account, one member, every permission.

https://developers.cloudflare.com/api/resources/accounts/
"""

from __future__ import annotations

import hashlib
from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.user import CREATED

ACCOUNT_SCOPE = "com.cloudflare.api.account"
ZONE_SCOPE = "com.cloudflare.api.account.zone"
USER_SCOPE = "com.cloudflare.api.user"

ACCOUNT_GROUPS = (
    *("Account Analytics Read", "Account Settings Read", "Billing Read", "D1 Read", "D1 Write"),
    *("Hyperdrive Read", "Hyperdrive Write", "Load Balancing: Monitors and Pools Write", "Logs Write"),
    *("Notifications Write", "Pipelines Write", "Queues Read", "Queues Write", "Secrets Store Read"),
    *("Secrets Store Write", "Vectorize Read", "Vectorize Write", "Workers AI Read", "Workers AI Write"),
    *(
        "Workers CI Write",
        "Workers KV Storage Read",
        "Workers KV Storage Write",
        "Workers Observability Read",
    ),
    *("Workers Observability Write", "Workers R2 Storage Read", "Workers R2 Storage Write"),
    *("Workers Scripts Read", "Workers Scripts Write", "Workers Tail Read"),
)
ZONE_GROUPS = (
    *("Analytics Read", "Cache Purge", "DNS Read", "DNS Write", "Load Balancers Write"),
    *("SSL and Certificates Write", "Workers Routes Read", "Workers Routes Write", "Zone Read"),
    *("Zone Settings Write", "Zone Write"),
)
USER_GROUPS = ("Memberships Read", "User Details Read")


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


def permission_groups() -> list[dict[str, Any]]:
    """Every permission group by the name the API uses."""
    scopes = ((ACCOUNT_SCOPE, ACCOUNT_GROUPS), (ZONE_SCOPE, ZONE_GROUPS), (USER_SCOPE, USER_GROUPS))
    return [
        {
            "id": hashlib.md5(name.encode(), usedforsecurity=False).hexdigest(),
            "name": name,
            "scopes": [scope],
        }
        for scope, names in scopes
        for name in names
    ]


async def list_permission_groups(call: Call) -> Any:
    """GET .../tokens/permission_groups."""
    name, scope = call.query("name"), call.query("scope")
    return call.single(
        [
            group
            for group in permission_groups()
            if name in group["name"] and (not scope or scope in group["scopes"])
        ]
    )


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
router.add(
    "GET",
    "/user/tokens/permission_groups",
    list_permission_groups,
    sdk="user.tokens.permission_groups.list",
    reply="user.tokens.PermissionGroupListResponse",
)
router.add(
    "GET",
    "A/tokens/permission_groups",
    list_permission_groups,
    sdk="accounts.tokens.permission_groups.list",
    reply="accounts.tokens.PermissionGroupListResponse",
)
