"""What a tunnel does: its versioned configuration, and who is connected.

Faithful: validation in cloudflared's words, versions that count up, a locally managed tunnel that becomes a
remotely managed one by being configured. Simplified: one connector with one connection, the edge itself.
https://developers.cloudflare.com/api/resources/zero_trust/subresources/tunnels/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailboss.sandbox.call import Call
from trailboss.sandbox.products.tunnel_health import KIND, connector_of
from trailboss.sandbox.products.tunnel_rules import BadConfig, checked_config
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.zero_trust_tunnels import shown, tunnel_of

if TYPE_CHECKING:
    from trailboss.sandbox.envelope import Reply
    from trailboss.sandbox.store import Record


def bad_configuration(detail: str) -> ApiError:
    """A configuration no connector could run."""
    return ApiError(400, 1056, f"Bad Configuration: {detail}")


def connector_not_found() -> ApiError:
    """No connector of that id is connected."""
    return ApiError(404, 1005, "Connector not found")


def _configuration(tunnel: Record) -> Record:
    return {
        "tunnel_id": tunnel["id"],
        "account_id": tunnel["account_tag"],
        "version": tunnel["version"],
        "config": tunnel.get("config"),
        "source": tunnel["config_src"],
        "created_at": tunnel.get("configured_at") or tunnel["created_at"],
    }


async def get_configuration(call: Call) -> Record:
    """The present one; `config` is null while there is none."""
    return _configuration(tunnel_of(call))


async def put_configuration(call: Call) -> Record:
    """The whole configuration anew, in force at once."""
    tunnel, body = tunnel_of(call), await call.object()
    try:
        config = checked_config(body.get("config"))
    except BadConfig as error:
        raise bad_configuration(str(error)) from None
    tunnel |= {
        "config": config,
        "version": tunnel["version"] + 1,
        "configured_at": call.clock.iso(),
        "config_src": "cloudflare",
        "remote_config": True,
    }
    call.store.put(KIND, tunnel["id"], tunnel)
    await call.runtime.sync()
    return _configuration(tunnel)


async def list_connections(call: Call) -> Reply:
    """One entry per connector."""
    tunnel = tunnel_of(call)
    found = await shown(call, tunnel)
    connectors = [connector_of(found, tunnel["version"])] if found["connections"] else []
    return call.single(connectors)


async def delete_connections(call: Call) -> Record:
    """They end now; a connector that still runs is back a few seconds later."""
    found = await shown(call, tunnel_of(call))
    client = call.query("client_id")
    ours = any(one["client_id"] == client for one in found["connections"])
    if found["connections"] and (not client or ours):
        tunnel = {**tunnel_of(call), "dropped_at": call.clock.now()}
        call.store.put(KIND, tunnel["id"], tunnel)
    return {}


async def get_connector(call: Call) -> Record:
    """One connector and its connections."""
    tunnel = tunnel_of(call)
    found = await shown(call, tunnel)
    if not found["connections"] or found["connections"][0]["client_id"] != call["connector_id"]:
        raise connector_not_found()
    return connector_of(found, tunnel["version"])


router = Router("zero_trust_tunnel_configurations")
_ONE, _SDK = "A/cfd_tunnel/{tunnel_id}", "zero_trust.tunnels.cloudflared"
_REPLY = "zero_trust.tunnels.cloudflared.Client"
_WHY = "the SDK requires a host name of the catch-all rule"
router.add(
    "GET",
    f"{_ONE}/configurations",
    get_configuration,
    sdk=f"{_SDK}.configurations.get",
    unchecked=_WHY,
)
router.add(
    "PUT",
    f"{_ONE}/configurations",
    put_configuration,
    sdk=f"{_SDK}.configurations.update",
    request="zero_trust.tunnels.cloudflared.ConfigurationUpdateParams",
    unchecked=_WHY,
)
router.add("GET", f"{_ONE}/connections", list_connections, sdk=f"{_SDK}.connections.get", reply=_REPLY)
router.add(
    "DELETE",
    f"{_ONE}/connections",
    delete_connections,
    sdk=f"{_SDK}.connections.delete",
    unchecked="an empty object",
)
router.add(
    "GET", f"{_ONE}/connectors/{{connector_id}}", get_connector, sdk=f"{_SDK}.connectors.get", reply=_REPLY
)
