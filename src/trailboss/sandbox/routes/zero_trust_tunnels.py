"""Cloudflare Tunnels: made, listed, renamed, deleted; their tokens.

Faithful: shapes, codes, names that only living tunnels hold, soft deletion, filters, tokens and credentials.
Simplified: no cloudflared can connect. The edge dials a tunnel's origins itself, and a tunnel is healthy when
they answer (`products/tunnel_health.py`).
https://developers.cloudflare.com/api/resources/zero_trust/subresources/tunnels/
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import uuid
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Reply
from trailboss.sandbox.products.tunnel_health import KIND, UP, observe
from trailboss.sandbox.products.tunnel_table import tunnels_table
from trailboss.sandbox.refusals import ApiError, bad_request
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record

DELETED = "cfd_tunnel_deleted"
"""Deleted tunnels are listed for ever, under a kind of their own: nothing may be done with them."""
ROUTES = ("teamnet_route", "hostname_route")
LIMIT = 1000
SECRET_BYTES = 32
MANAGEMENT_SECONDS = 3600


def tunnel_not_found() -> ApiError:
    """No living tunnel of that id."""
    return ApiError(404, 1003, "Tunnel not found")


def name_taken() -> ApiError:
    """Another living tunnel has the name."""
    return ApiError(
        409,
        1013,
        "You already have a tunnel with this name. Delete the existing tunnel, or choose a different name"
        " for your new tunnel",
    )


def still_connected() -> ApiError:
    """It serves; its connections must end first."""
    return ApiError(400, 1022, "Cannot delete tunnel because it has active connections")


def still_routed() -> ApiError:
    """Private networks lead to it."""
    return ApiError(400, 1023, "Cannot delete tunnel because it has routes; delete them, or use cascade=true")


def invalid_tunnel(detail: str) -> ApiError:
    """A name or a secret that cannot be one."""
    return ApiError(400, 1010, f"Bad Request: {detail}")


def tunnel_of(call: Call) -> Record:
    """The living tunnel the path names."""
    found = call.store.get(KIND, call["tunnel_id"])
    if found is None:
        raise tunnel_not_found()
    return found


async def shown(call: Call, tunnel: Record) -> Record:
    """One tunnel as the API shows it."""
    return (await observe(call.box, [tunnel]))[0]


def _check_name(call: Call, name: Any, own: str = "") -> str:
    if not isinstance(name, str) or not name.strip():
        raise invalid_tunnel("name must not be empty")
    try:
        uuid.UUID(name)
    except ValueError:
        taken = call.store.find(KIND, name=name)
        if taken is not None and taken["id"] != own:
            raise name_taken() from None
        return name
    raise invalid_tunnel("a tunnel's name must not be a UUID")


def _check_secret(secret: Any) -> str:
    try:
        base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise invalid_tunnel("tunnel_secret must be base64") from None
    # Documented of the bytes; what is counted, and what Terraform's own tests rely on, is the encoded text.
    if len(secret) < SECRET_BYTES:
        raise invalid_tunnel(f"tunnel_secret must be at least {SECRET_BYTES} bytes")
    return str(secret)


async def create_tunnel(call: Call) -> Reply:
    """The secret is the client's or ours; the reply alone has the credentials."""
    body = await call.object()
    name = _check_name(call, body.get("name"))
    source = body.get("config_src", "local")
    if source not in ("local", "cloudflare"):
        raise invalid_tunnel("config_src must be local or cloudflare")
    if call.store.count(KIND) >= LIMIT:
        raise ApiError(400, 1014, f"You have reached the limit of {LIMIT} tunnels")
    secret = body.get("tunnel_secret") or base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    tunnel: Record = {
        "id": call.ids.uuid(),
        "account_tag": call.account,
        "created_at": call.clock.iso(),
        "deleted_at": None,
        "name": name,
        "conns_active_at": None,
        "conns_inactive_at": call.clock.iso(),
        "tun_type": "cfd_tunnel",
        "metadata": body.get("metadata") or {},
        "config_src": source,
        "remote_config": source == "cloudflare",
        "secret": _check_secret(secret),
        "version": 0,
    }
    call.store.put(KIND, tunnel["id"], tunnel)
    await call.runtime.sync()
    credentials = {
        "AccountTag": call.account,
        "TunnelID": tunnel["id"],
        "TunnelName": name,
        "TunnelSecret": tunnel["secret"],
    }
    reply = {**await shown(call, tunnel), "credentials_file": credentials, "token": _token(tunnel)}
    return Reply(reply)


def _token(tunnel: Record) -> str:
    parts = {"a": tunnel["account_tag"], "t": tunnel["id"], "s": tunnel["secret"]}
    return base64.b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode()


def _existed(tunnel: Record, moment: str) -> bool:
    """Whether it was there just before a moment. Both are RFC 3339 in UTC, so they sort as text."""
    return tunnel["created_at"] <= moment and (not tunnel["deleted_at"] or tunnel["deleted_at"] > moment)


def _active(tunnel: Record, moment: str) -> bool:
    began, ended = tunnel["conns_active_at"], tunnel["conns_inactive_at"]
    return bool(began) and began <= moment and (not ended or ended > moment)


def _wanted(call: Call, tunnel: Record) -> bool:
    ask = call.query
    deleted = bool(tunnel["deleted_at"])
    tests = (
        not ask("name") or tunnel["name"] == ask("name"),
        not ask("uuid") or tunnel["id"] == ask("uuid"),
        not ask("is_deleted") or deleted is call.flag("is_deleted"),
        not ask("include_prefix") or tunnel["name"].startswith(ask("include_prefix")),
        not ask("name_prefix") or tunnel["name"].startswith(ask("name_prefix")),
        not ask("exclude_prefix") or not tunnel["name"].startswith(ask("exclude_prefix")),
        not ask("existed_at") or _existed(tunnel, ask("existed_at")),
        not ask("was_active_at") or _active(tunnel, ask("was_active_at")),
        not ask("was_inactive_at") or not _active(tunnel, ask("was_inactive_at")),
        not call.queries("tun_types") or tunnel["tun_type"] in call.queries("tun_types"),
    )
    return all(tests)


async def list_tunnels(call: Call) -> Reply:
    """Deleted ones too, unless `is_deleted=false`. Newest first."""
    both = [*call.store.all(KIND), *call.store.all(DELETED)]
    found = [one for one in both if _wanted(call, one)]
    found.sort(key=lambda one: str(one["created_at"]), reverse=True)
    status = call.query("status")
    if status:
        found = [one for one in await observe(call.box, found) if one["status"] == status]
        return call.paged(found)
    page = call.paged(found)
    page.result = await observe(call.box, page.result)
    return page


async def get_tunnel(call: Call) -> Record:
    """One tunnel, deleted or not."""
    gone = call.store.get(DELETED, call["tunnel_id"])
    return await shown(call, gone or tunnel_of(call))


async def edit_tunnel(call: Call) -> Record:
    """A new name, a new secret."""
    tunnel, body = tunnel_of(call), await call.object()
    if "name" in body:
        tunnel["name"] = _check_name(call, body["name"], tunnel["id"])
    if "tunnel_secret" in body:
        tunnel["secret"] = _check_secret(body["tunnel_secret"])
    call.store.put(KIND, tunnel["id"], tunnel)
    await call.runtime.sync()
    return await shown(call, tunnel)


async def delete_tunnel(call: Call) -> Record:
    """Refused while it serves or private networks lead to it; `cascade=true` ends both."""
    tunnel = tunnel_of(call)
    cascade = call.flag("cascade")
    routes = [one for kind in ROUTES for one in call.store.all(kind) if one["tunnel_id"] == tunnel["id"]]
    if not cascade and (await shown(call, tunnel))["status"] in UP:
        raise still_connected()
    if not cascade and routes:
        raise still_routed()
    now = call.clock.iso()
    gone = {**tunnel, "deleted_at": now, "conns_inactive_at": now, "forced": None}
    with call.store.transaction():
        for route in routes:
            for kind in ROUTES:
                call.store.delete(kind, route["id"])
        call.store.delete(KIND, tunnel["id"])
        call.store.put(DELETED, tunnel["id"], gone)
    await call.runtime.sync()
    return await shown(call, gone)


async def get_token(call: Call) -> str:
    """What a connector is started with. A new secret makes a new token."""
    return _token(tunnel_of(call))


async def create_management_token(call: Call) -> str:
    """A token for cloudflared's log stream: a JWT of the real shape, that nothing here takes. What it is for
    stands in the body, or (cloudflared) in the path."""
    tunnel, body = tunnel_of(call), await call.object()
    wanted = [call["resource"]] if "resource" in call.path else body.get("resources")
    if wanted not in (["logs"], ["admin"], ["host_details"]) or (wanted != ["logs"] and body):
        raise bad_request('resources must be ["logs"]', 1010)
    claims = {
        "tun": {"id": tunnel["id"], "account_tag": tunnel["account_tag"]},
        "actor": {"id": call.box.identity.user_id, "support": False},
        "res": wanted,
        "exp": int(call.clock.now()) + MANAGEMENT_SECONDS,
        "iss": "tunnelstore",
    }
    parts = [{"alg": "ES256", "typ": "JWT"}, claims]
    encoded = [_url64(json.dumps(part, separators=(",", ":")).encode()) for part in parts]
    return ".".join([*encoded, _url64(secrets.token_bytes(64))])


def _url64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


router = Router("zero_trust_tunnels")
_SDK, _TYPES = "zero_trust.tunnels.cloudflared", "zero_trust.tunnels."
_ROOT, _ONE = "A/cfd_tunnel", "A/cfd_tunnel/{tunnel_id}"
_REPLY = "shared.CloudflareTunnel"
router.add("GET", _ROOT, list_tunnels, sdk=f"{_SDK}.list", reply=_REPLY)
router.add(
    "POST",
    _ROOT,
    create_tunnel,
    sdk=f"{_SDK}.create",
    request=f"{_TYPES}CloudflaredCreateParams",
    reply=_REPLY,
)
router.add("GET", _ONE, get_tunnel, sdk=f"{_SDK}.get", reply=_REPLY)
router.add(
    "PATCH", _ONE, edit_tunnel, sdk=f"{_SDK}.edit", request=f"{_TYPES}CloudflaredEditParams", reply=_REPLY
)
router.add("DELETE", _ONE, delete_tunnel, sdk=f"{_SDK}.delete", reply=_REPLY)
router.add("GET", f"{_ONE}/token", get_token, sdk=f"{_SDK}.token.get", unchecked="a string")
router.add(
    "POST",
    f"{_ONE}/management",
    create_management_token,
    sdk=f"{_SDK}.management.create",
    request=f"{_TYPES}cloudflared.ManagementCreateParams",
    unchecked="a string",
)
router.add(
    "POST", f"{_ONE}/management/{{resource}}", create_management_token, unchecked="cloudflared's spelling"
)
router.add(
    "GET",
    "A/tunnels",
    list_tunnels,
    sdk="zero_trust.tunnels.list",
    reply="zero_trust.TunnelListResponse",
)
router.edge("tunnels", tunnels_table)
