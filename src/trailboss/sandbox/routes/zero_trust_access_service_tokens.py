"""Access service tokens: what machines show at the edge. The secret is in one reply, and then nowhere.

Faithful: shapes, codes, expiry by the account's clock, rotation with a time in which the old secret is good.
https://developers.cloudflare.com/api/resources/zero_trust/subresources/access/subresources/service_tokens/
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Reply
from trailboss.sandbox.products.access_rules import (
    TOKEN,
    in_use,
    invalid,
    not_found,
    scope_of,
    seconds_of,
    token_in_use,
)
from trailboss.sandbox.products.access_table import moment_of, next_change
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.store import Record

YEAR = "8760h"
PRIVATE = frozenset({"secret_sha256", "previous_sha256", "zone"})
LIMIT = 50


def _token_of(call: Call) -> Record:
    found = call.store.get(TOKEN, call["service_token_id"])
    if found is None or found["zone"] != scope_of(call.path):
        raise not_found("service_token_not_found")
    return found


def _shown(token: Record) -> Record:
    return {name: value for name, value in token.items() if name not in PRIVATE}


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _expiry(call: Call, duration: Any) -> str | None:
    if duration == "forever":
        return None
    return call.clock.iso(call.clock.now() + seconds_of(duration))


async def _store(call: Call, token: Record) -> Record:
    call.store.put(TOKEN, token["id"], token, parent=token["zone"])
    call.clock.touch()  # whoever waits for the next expiry looks again
    await call.runtime.sync()
    return _shown(token)


async def list_tokens(call: Call) -> Reply:
    """By name, or a word of it; never a secret."""
    found = call.store.all(TOKEN, scope_of(call.path))
    found = [one for one in found if call.query("name") in ("", one["name"])]
    search = call.query("search").lower()
    return call.paged([_shown(one) for one in found if search in one["name"].lower()], per_page=25)


async def create_token(call: Call) -> Reply:
    """The reply has the secret."""
    body = await call.object()
    if not isinstance(body.get("name"), str) or not body["name"]:
        raise invalid("service token name is required")
    if call.store.count(TOKEN) >= LIMIT:
        raise invalid("maximum number of service tokens has been reached")
    now, secret = call.clock.iso(), secrets.token_hex(32)
    duration = body.get("duration") or YEAR
    token: Record = {
        "id": call.ids.uuid(),
        "client_id": f"{call.ids.hex()}.access",
        "name": body["name"],
        "duration": duration,
        "enabled": body.get("enabled", True),
        "expires_at": _expiry(call, duration),
        "client_secret_version": body.get("client_secret_version", 1),
        "created_at": now,
        "updated_at": now,
        "secret_sha256": _digest(secret),
        "zone": scope_of(call.path),
    }
    return Reply({**await _store(call, token), "client_secret": secret}, status=201)


async def get_token(call: Call) -> Record:
    """One token."""
    return _shown(_token_of(call))


def _rotated(call: Call, token: Record, until: Any, secret: str) -> Record:
    try:
        good = until is not None and moment_of(until) > call.clock.now()
    except ValueError:
        raise invalid("previous_client_secret_expires_at is no time") from None
    token = {**token, "previous_sha256": token["secret_sha256"], "secret_sha256": _digest(secret)}
    token["previous_client_secret_expires_at"] = until if good else None
    token["client_secret_version"] += 1
    return token


async def update_token(call: Call) -> Record:
    """A new name or duration; a higher `client_secret_version` makes a new secret, which the reply has."""
    token, body = _token_of(call), await call.object()
    token = {**token, **{name: body[name] for name in ("name", "enabled") if name in body}}
    if body.get("duration") and body["duration"] != token["duration"]:
        token |= {"duration": body["duration"], "expires_at": _expiry(call, body["duration"])}
    token["updated_at"] = call.clock.iso()
    shown: Record = {}
    if float(body.get("client_secret_version") or 0) > token["client_secret_version"]:
        shown = {"client_secret": secrets.token_hex(32)}
        token = _rotated(call, token, body.get("previous_client_secret_expires_at"), shown["client_secret"])
    return {**await _store(call, token), **shown}


async def rotate_token(call: Call) -> Record:
    """A new secret, in the reply. The old one is good until the time that was asked for."""
    token, secret = _token_of(call), secrets.token_hex(32)
    until = (await call.object()).get("previous_client_secret_expires_at")
    token = _rotated(call, token, until, secret)
    return {**await _store(call, {**token, "updated_at": call.clock.iso()}), "client_secret": secret}


async def refresh_token(call: Call) -> Record:
    """Good for its whole duration again, from now."""
    token = _token_of(call)
    return await _store(call, {**token, "expires_at": _expiry(call, token["duration"])})


async def delete_token(call: Call) -> Record:
    """Not while a policy or a group names it."""
    token = _token_of(call)
    if in_use(call.store, "service_token", token["id"]):
        raise token_in_use()
    call.store.delete(TOKEN, token["id"])
    await call.runtime.sync()
    return _shown(token)


async def expire(box: Box) -> None:
    """Tell the edge when a token or an old secret stops being good."""
    while True:
        moment = next_change(box)
        await box.clock.sleep_until(moment)
        if moment is not None and box.clock.now() >= moment:
            await box.runtime.sync()


router = Router("zero_trust_access_service_tokens")
_SDK, _TYPE = "zero_trust.access.service_tokens", "zero_trust.access.ServiceToken"
for _root in ("A/access/service_tokens", "Z/access/service_tokens"):
    _one = f"{_root}/{{service_token_id}}"
    router.add("GET", _root, list_tokens, sdk=f"{_SDK}.list", reply=_TYPE)
    router.add(
        "POST",
        _root,
        create_token,
        sdk=f"{_SDK}.create",
        request=f"{_TYPE}CreateParams",
        reply=f"{_TYPE}CreateResponse",
    )
    router.add("GET", _one, get_token, sdk=f"{_SDK}.get", reply=_TYPE)
    router.add("PUT", _one, update_token, sdk=f"{_SDK}.update", request=f"{_TYPE}UpdateParams", reply=_TYPE)
    router.add("DELETE", _one, delete_token, sdk=f"{_SDK}.delete", reply=_TYPE)
_ONE = "A/access/service_tokens/{service_token_id}"
router.add("POST", f"{_ONE}/refresh", refresh_token, sdk=f"{_SDK}.refresh", reply=_TYPE)
router.add(
    "POST",
    f"{_ONE}/rotate",
    rotate_token,
    sdk=f"{_SDK}.rotate",
    request=f"{_TYPE}RotateParams",
    reply=f"{_TYPE}RotateResponse",
)
router.on_start(expire)
