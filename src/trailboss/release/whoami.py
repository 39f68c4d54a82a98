"""`whoami`: whose credentials these are and which accounts they reach.

Account-owned tokens can read neither `/user` nor `/memberships`; what a token may not see is left empty
and said so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trailboss.errors import AuthenticationError, CloudError, PermissionDenied, Unavailable
from trailboss.release.together import together

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

_ACCOUNT_OWNED = 1000


@dataclass(frozen=True, slots=True)
class Account:
    """An account the credentials reach; `roles` are empty where they cannot be read. `active` marks the
    target's."""

    id: str
    name: str
    roles: tuple[str, ...] = ()
    active: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """`kind` is "user token", "account token" or "global key"; `status` is Cloudflare's word for the
    token ("active", "expired", ...); `expires` is ISO 8601, None for never; `notes` says what could not
    be read and why."""

    kind: str
    status: str
    email: str | None
    token_id: str | None
    expires: str | None
    accounts: tuple[Account, ...]
    notes: tuple[str, ...]


async def whoami(cloud: Cloud) -> Identity:
    """Four reads at the same time, five for an account-owned token. Raises AuthenticationError when the
    credentials are refused altogether."""
    token, user, accounts, memberships = await together(
        _attempt(cloud, "/user/tokens/verify"),
        _attempt(cloud, "/user"),
        _attempt_pages(cloud, "/accounts"),
        _attempt_pages(cloud, "/memberships"),
    )
    identity = Identity(
        kind="user token",
        status="active",
        email=None,
        token_id=None,
        expires=None,
        accounts=_accounts(accounts, memberships, cloud.target.account_id),
        notes=tuple(_notes(user, accounts, memberships)),
    )
    if not isinstance(user, CloudError):
        identity = replace(identity, email=(user or {}).get("email"))
    if isinstance(token, CloudError) and isinstance(user, CloudError) and isinstance(accounts, CloudError):
        raise token
    return await _about_token(cloud, identity, token)


async def _about_token(cloud: Cloud, identity: Identity, verified: Any) -> Identity:
    from trailboss.cloud import GlobalKey

    if isinstance(cloud.target.token, GlobalKey):
        return replace(identity, kind="global key", email=identity.email or cloud.target.token.email)
    if isinstance(verified, CloudError) and verified.has_code(_ACCOUNT_OWNED):
        identity = replace(identity, kind="account token")
        verified = await _attempt(cloud, f"{cloud.account}/tokens/verify")
    if isinstance(verified, CloudError):
        return replace(
            identity, status="unknown", notes=(*identity.notes, f"token status: {verified.message}")
        )
    return replace(
        identity,
        status=str(verified.get("status") or "active"),
        token_id=verified.get("id"),
        expires=verified.get("expires_on"),
    )


async def _attempt(cloud: Cloud, path: str) -> Any:
    """The result, or the error that says we may not see it; anything else is raised."""
    try:
        return await cloud.get(path)
    except Unavailable:
        raise
    except CloudError as error:
        return error


async def _attempt_pages(cloud: Cloud, path: str) -> Any:
    try:
        return [item async for item in cloud.pages(path, style="page")]
    except Unavailable:
        raise
    except CloudError as error:
        return error


def _accounts(accounts: Any, memberships: Any, active: str | None) -> tuple[Account, ...]:
    roles: dict[str, tuple[str, ...]] = {}
    names: dict[str, str] = {}
    for item in [] if isinstance(memberships, CloudError) else memberships:
        account: Mapping[str, Any] = item.get("account") or {}
        roles[str(account.get("id"))] = tuple(str(role) for role in item.get("roles") or ())
        names[str(account.get("id"))] = str(account.get("name") or "")
    if not isinstance(accounts, CloudError):
        names = {str(item.get("id")): str(item.get("name") or "") for item in accounts}
    if active and active not in names:
        names[active] = ""
    return tuple(
        Account(id, name, roles.get(id, ()), active=id == active or (active is None and len(names) == 1))
        for id, name in names.items()
    )


def _notes(user: Any, accounts: Any, memberships: Any) -> list[str]:
    asked = (("e-mail", user), ("accounts", accounts), ("roles", memberships))
    return [f"{what}: {_why(answer)}" for what, answer in asked if isinstance(answer, CloudError)]


def _why(error: CloudError) -> str:
    if isinstance(error, AuthenticationError | PermissionDenied):
        return "these credentials may not read it"
    return error.message
