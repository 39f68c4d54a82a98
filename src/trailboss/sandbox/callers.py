"""Who makes a call, and what its token may do.

The sandbox's own token may do everything. A token made through the API (`routes/tokens.py`) may do what its
policies allow: what they name, on the resources they name, unless a policy denies it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.guard import bearer, same
from trailboss.sandbox.products.permission_groups import ACCOUNT, USER, ZONE, needed
from trailboss.sandbox.refusals import authentication_error, invalid_token, missing_credentials
from trailboss.sandbox.routes import API

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.call import Call
    from trailboss.sandbox.store import Record, Store

Covers = Callable[[str], bool]
TOKEN, VALUE = "api_token", "api_token_value"
"""Tokens by id; and by the SHA-256 of their value, which is all that is kept of it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A token: its id, whose it is ("user" or "account"; "" is the sandbox's own) and its record."""

    id: str
    owner: str = ""
    record: Record = field(default_factory=dict)


def digest_of(value: str) -> str:
    """What is kept of a token's value; also its S3 secret, by R2's rule."""
    return hashlib.sha256(value.encode()).hexdigest()


def token_by_value(store: Store, value: str) -> Record | None:
    """The token that has this value."""
    found = store.get(VALUE, digest_of(value))
    return None if found is None else store.get(TOKEN, found["id"])


def status_of(token: Record, now: str) -> str:
    """`active`, `disabled` or `expired`."""
    if token["status"] == "active" and token.get("expires_on") and token["expires_on"] <= now:
        return "expired"
    return str(token["status"])


def usable(token: Record, now: str) -> bool:
    """Whether calls with it are answered at all at this moment."""
    return status_of(token, now) == "active" and (token.get("not_before") or "") <= now


def identify(call: Call) -> Caller:
    """The caller by its token, as a bearer or as a global key with an e-mail.

    Raises:
        ApiError: 9106 without credentials, 6003 malformed, 1000 (verify) or 10000 wrong, disabled, expired.
    """
    value, verifying = bearer(call.headers), call.raw_path.endswith("/tokens/verify")
    if not value:
        raise missing_credentials()
    if same(value, call.box.identity.token):
        return Caller(call.box.identity.token_id)
    token = token_by_value(call.store, value)
    if token is None:
        raise invalid_token() if verifying else authentication_error()
    now = call.clock.iso()
    if not verifying and not usable(token, now):
        raise authentication_error()
    if (token.get("last_used_on") or "")[:16] != now[:16]:  # once a minute is often enough
        call.store.put(TOKEN, token["id"], {**token, "last_used_on": now})
    return Caller(token["id"], token["owner"], token)


def check_permission(call: Call) -> None:
    """Refuse what the caller's policies do not allow.

    Raises:
        ApiError: 10000.
    """
    caller = call.caller
    if caller is None or not caller.owner:
        return
    path = call.raw_path.removeprefix(API).strip("/")
    wanted, covers = _wanted(call, path)
    if caller.owner == "account" and wanted and path.split("/")[0] in ("user", "memberships"):
        raise authentication_error()
    if wanted and not allowed(caller.record["policies"], wanted, covers):
        raise authentication_error()


def _wanted(call: Call, path: str) -> tuple[frozenset[str], Covers]:
    """(the groups that suffice, which resources of a policy are about what is called)."""
    scope, _, rest = path.partition("/")
    identifier, _, below = rest.partition("/")
    account = names_of_account(call.box.identity.account_id)
    if scope == "accounts" and identifier:
        return needed(ACCOUNT, below, call.method), account.__contains__
    if scope == "zones" and identifier:
        names = {*account, f"{ZONE}.*", f"{ZONE}.{identifier}"}
        return needed(ZONE, _by_phase(call, below), call.method), names.__contains__
    roots = (f"{USER}.", f"{ZONE}.")
    return needed(USER, path, call.method), lambda name: name in account or name.startswith(roots)


def _by_phase(call: Call, below: str) -> str:
    """The path of a ruleset as that of its phase: the phase decides which group it needs."""
    head, _, rest = below.partition("/")
    found = call.store.get("ruleset", rest.partition("/")[0]) if head == "rulesets" and rest else None
    return f"rulesets/phases/{found['phase']}" if found else below


def names_of_account(account: str) -> set[str]:
    """What policies call the account."""
    return {f"{ACCOUNT}.{account}", f"{ACCOUNT}.*"}


def allowed(policies: Iterable[Record], wanted: frozenset[str], covers: Covers) -> bool:
    """Whether some policy allows one of the wanted groups on a resource that covers what is called, and none
    denies it."""
    hits = {
        policy["effect"]
        for policy in policies
        if wanted & {group["name"] for group in policy["permission_groups"]}
        and any(covers(name) for name in _named(policy["resources"]))
    }
    return hits == {"allow"}


def _named(resources: dict[str, Any]) -> Iterator[str]:
    """The resources of a policy; an account with a table of zones stands for those zones."""
    for name, what in resources.items():
        yield from what if isinstance(what, dict) else (name,)


def token_in_use(box: Box, identifier: str) -> Record | None:
    """A token made through the API that may be used now, by its id."""
    token = box.store.get(TOKEN, identifier)
    return token if token is not None and usable(token, box.clock.iso()) else None
