"""Which account a token reaches, asked as wrangler asks: /accounts, narrowed by /memberships."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailboss.errors import AuthenticationError, ConfigError, PermissionDenied

if TYPE_CHECKING:
    from trailboss.cloud.cloud import Cloud


async def reachable_accounts(cloud: Cloud) -> dict[str, str]:
    """Account id -> name, in Cloudflare's order, of every account the token reaches.

    An account-owned token may not ask for memberships; then `/accounts` alone decides.

    Raises:
        AuthenticationError: the token is refused. CloudError: see `trailboss.cloud.failures`.
    """
    accounts = {
        str(account["id"]): str(account.get("name", "")) async for account in cloud.pages("/accounts")
    }
    try:
        members = {str(member["account"]["id"]) async for member in cloud.pages("/memberships")}
    except (AuthenticationError, PermissionDenied):
        return accounts
    return {id_: name for id_, name in accounts.items() if id_ in members}


async def only_account(cloud: Cloud) -> str:
    """The id of the one account the token reaches.

    Raises:
        ConfigError: TB1904 there are several. PermissionDenied: TB2203 there is none.
    """
    accounts = await reachable_accounts(cloud)
    if len(accounts) == 1:
        return next(iter(accounts))
    if not accounts:
        raise PermissionDenied(
            "TB2203",
            "the token reaches no account",
            hint="Give it 'Account Settings Read', or set CLOUDFLARE_ACCOUNT_ID.",
        )
    known = ", ".join(f"{name} ({id_})" for id_, name in accounts.items())
    raise ConfigError(
        "TB1904",
        f"the token reaches {len(accounts)} accounts: {known}",
        hint="Set CLOUDFLARE_ACCOUNT_ID, or `account_id` in [target] of trailboss.toml.",
    )
