"""API tokens of the user and of the account: made, changed, rolled, verified, and enforced (`callers.py`).

Faithful: values shown once, policies with the API's own permission groups, statuses, account-owned tokens
that know no user. Simplified: conditions on addresses are kept, not enforced; permission groups have ids of
the sandbox's own; a list is not cut down to what a token may see.
https://developers.cloudflare.com/api/resources/user/subresources/tokens/
https://developers.cloudflare.com/api/resources/accounts/subresources/tokens/
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.callers import TOKEN, VALUE, digest_of, status_of
from trailboss.sandbox.products.permission_groups import (
    ACCOUNT,
    USER,
    ZONE,
    group_names,
    groups,
)
from trailboss.sandbox.refusals import ApiError, bad_request, invalid_token
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.user import CREATED

if TYPE_CHECKING:
    from trailboss.sandbox.envelope import Reply
    from trailboss.sandbox.store import Record

SHOWN = (
    *("id", "name", "status", "policies", "condition", "issued_on", "modified_on", "last_used_on"),
    *("expires_on", "not_before"),
)
TYPE = "shared.Token"
EFFECTS = ("allow", "deny")


def token_not_found() -> ApiError:
    """No token of that id."""
    return ApiError(404, 1003, "Token not found.")


def own_token() -> ApiError:
    """The sandbox would lock itself out."""
    return ApiError(
        403, 1004, "The sandbox's own token cannot be changed; `sandbox start --reset` makes a new one."
    )


def _shown(call: Call, token: Record) -> Record:
    shape = {key: token[key] for key in SHOWN if token.get(key) is not None}
    return {**shape, "status": status_of(token, call.clock.iso())}


def _own(call: Call) -> Record:
    """The sandbox's own token: every group, on everything."""
    every = [{"id": group["id"], "name": group["name"]} for group in groups()]
    resources = {
        f"{ACCOUNT}.{call.account}": "*",
        f"{ZONE}.*": "*",
        f"{USER}.{call.box.identity.user_id}": "*",
    }
    identifier = call.box.identity.token_id
    policy = {"id": identifier, "effect": "allow", "permission_groups": every, "resources": resources}
    return {
        "id": identifier,
        "name": "sandbox",
        "status": "active",
        "policies": [policy],
        "issued_on": CREATED,
        "modified_on": CREATED,
    }


def _policies(call: Call, asked: Any) -> list[Record]:
    if not isinstance(asked, list) or not asked:
        raise bad_request("policies must have at least one policy", 1001)
    return [_policy(call, one) for one in asked]


def _policy(call: Call, asked: Any) -> Record:
    if not isinstance(asked, dict) or asked.get("effect") not in EFFECTS or not asked.get("resources"):
        raise bad_request("a policy needs an effect of allow or deny, and resources", 1001)
    names, wanted = group_names(), [str(group.get("id")) for group in asked.get("permission_groups") or []]
    unknown = [one for one in wanted if one not in names]
    if unknown or not wanted:
        raise bad_request(f"unknown permission groups: {', '.join(unknown) or 'none given'}", 1001)
    return {
        "id": call.ids.hex(),
        "effect": asked["effect"],
        "permission_groups": [{"id": one, "name": names[one]} for one in wanted],
        "resources": asked["resources"],
    }


def _moment(call: Call, name: str, text: Any) -> str | None:
    """A date of a body as the sandbox writes dates."""
    if not text:
        return None
    try:
        return call.clock.iso(datetime.fromisoformat(text).timestamp())
    except (TypeError, ValueError):
        raise bad_request(f"{name} must be a date and time", 1001) from None


def _checked(call: Call, token: Record, body: Record) -> Record:
    """A token with what a body says of it."""
    if not isinstance(body.get("name"), str) or not body["name"]:
        raise bad_request("name is required", 1001)
    if body.get("status", "active") not in ("active", "disabled"):
        raise bad_request("status must be active or disabled", 1001)
    given = {
        "condition": body.get("condition"),
        **{key: _moment(call, key, body.get(key)) for key in ("expires_on", "not_before")},
    }
    changed = {"name": body["name"], "policies": _policies(call, body.get("policies")), **given}
    return {
        **token,
        **changed,
        "status": body.get("status") or token["status"],
        "modified_on": call.clock.iso(),
    }


class _Tokens:
    """The operations on the tokens of one owner, "user" or "account"."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def _token_of(self, call: Call) -> Record:
        found = call.store.get(TOKEN, call["token_id"])
        if found is None or found["owner"] != self.owner:
            raise own_token() if call["token_id"] == call.box.identity.token_id else token_not_found()
        return found

    async def verify_token(self, call: Call) -> Record:
        """Whether the token is good, and until when; only by its owner's path."""
        caller = call.caller
        assert caller is not None
        if not caller.owner:
            return {"id": caller.id, "status": "active"}
        if caller.owner != self.owner:
            raise invalid_token()
        dates = {key: caller.record[key] for key in ("expires_on", "not_before") if caller.record.get(key)}
        return {"id": caller.id, "status": status_of(caller.record, call.clock.iso()), **dates}

    async def list_tokens(self, call: Call) -> Reply:
        """The sandbox's own first."""
        found = [one for one in call.store.all(TOKEN) if one["owner"] == self.owner]
        return call.paged([_shown(call, one) for one in [_own(call), *found]])

    async def create_token(self, call: Call) -> Record:
        """With the value, this once."""
        now = call.clock.iso()
        token = {"id": call.ids.hex(), "owner": self.owner, "status": "active", "issued_on": now}
        return self._valued(call, _checked(call, token, await call.object()))

    def _valued(self, call: Call, token: Record) -> Record:
        value = secrets.token_urlsafe(30)
        token = {**token, "digest": digest_of(value)}
        with call.store.transaction():
            call.store.put(TOKEN, token["id"], token)
            call.store.put(VALUE, token["digest"], {"id": token["id"]}, parent=token["id"])
        return {**_shown(call, token), "value": value}

    async def get_token(self, call: Call) -> Record:
        """One token, without its value."""
        if call["token_id"] == call.box.identity.token_id:
            return _shown(call, _own(call))
        return _shown(call, self._token_of(call))

    async def update_token(self, call: Call) -> Record:
        """All of it but the value."""
        token = _checked(call, self._token_of(call), await call.object())
        return _shown(call, call.store.put(TOKEN, token["id"], token))

    async def delete_token(self, call: Call) -> Record:
        """Calls with it are refused from now on."""
        token = self._token_of(call)
        with call.store.transaction():
            call.store.delete(TOKEN, token["id"])
            call.store.delete_all(VALUE, token["id"])
        return {"id": token["id"]}

    async def roll_token(self, call: Call) -> str:
        """A new value; the old one is good for nothing."""
        token = self._token_of(call)
        call.store.delete_all(VALUE, token["id"])
        return str(self._valued(call, {**token, "modified_on": call.clock.iso()})["value"])


async def list_permission_groups(call: Call) -> Any:
    """By part of the name, and by scope."""
    name, scope = call.query("name"), call.query("scope")
    return call.single(
        [one for one in groups() if name in one["name"] and (not scope or scope in one["scopes"])]
    )


router = Router("tokens")
Operation = Callable[[Call], Awaitable[Any]]


def _declare(owner: str, root: str, sdk: str, types: str) -> None:
    tokens, one = _Tokens(owner), f"{root}/{{token_id}}"
    router.add(
        "GET",
        f"{root}/verify",
        tokens.verify_token,
        sdk=f"{sdk}.verify",
        reply=f"{types}.TokenVerifyResponse",
    )
    router.add("GET", root, tokens.list_tokens, sdk=f"{sdk}.list", reply=TYPE)
    router.add(
        "POST",
        root,
        tokens.create_token,
        sdk=f"{sdk}.create",
        request=f"{types}.TokenCreateParams",
        reply=f"{types}.TokenCreateResponse",
    )
    router.add("GET", one, tokens.get_token, sdk=f"{sdk}.get", reply=TYPE)
    router.add(
        "PUT",
        one,
        tokens.update_token,
        sdk=f"{sdk}.update",
        request=f"{types}.TokenUpdateParams",
        reply=TYPE,
    )
    router.add("DELETE", one, tokens.delete_token, sdk=f"{sdk}.delete", reply=f"{types}.TokenDeleteResponse")
    router.add("PUT", f"{one}/value", tokens.roll_token, sdk=f"{sdk}.value.update", reply="shared.TokenValue")
    router.add(
        "GET",
        f"{root}/permission_groups",
        list_permission_groups,
        sdk=f"{sdk}.permission_groups.list",
        reply=f"{types}.tokens.PermissionGroupListResponse",
    )


_declare("user", "/user/tokens", "user.tokens", "user")
_declare("account", "A/tokens", "accounts.tokens", "accounts")
