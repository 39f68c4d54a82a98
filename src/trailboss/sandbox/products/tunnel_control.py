"""The sandbox's own say over tunnels, under `/_sandbox/tunnels`: look, and force a state. And the file that
cloudflared's login would have left, as there is no login here."""

from __future__ import annotations

import base64
import textwrap
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.envelope import Raw, encode_json
from trailboss.sandbox.products.tunnel_health import KIND, STATES, observe
from trailboss.sandbox.refusals import ApiError, bad_request

if TYPE_CHECKING:
    from trailboss.sandbox.call import Call
    from trailboss.sandbox.store import Record


async def get_tunnels(call: Call) -> list[dict[str, Any]]:
    """Every tunnel with its state, whether that is forced, and the host names that lead to it."""
    from trailboss.sandbox.products.tunnel_table import tunnels_table

    hosts: dict[str, str] = tunnels_table(call.box).get("hosts", {})
    tunnels = call.store.all(KIND)
    return [
        {
            "id": shown["id"],
            "name": shown["name"],
            "status": shown["status"],
            "forced": kept.get("forced"),
            "hosts": sorted(host for host, tunnel in hosts.items() if tunnel == shown["id"]),
        }
        for kept, shown in zip(tunnels, await observe(call.box, tunnels), strict=True)
    ]


async def put_tunnel(call: Call) -> list[dict[str, Any]]:
    """{"tunnel": name or id, "status": one of `STATES`, or "auto" for what the origins say}."""
    value = await call.object()
    status = value.get("status")
    if status not in (*STATES, "auto"):
        raise bad_request(f"status must be one of {', '.join((*STATES, 'auto'))}")
    tunnel = _named(call, str(value.get("tunnel", "")))
    tunnel = {**tunnel, "forced": None if status == "auto" else status}
    call.store.put(KIND, tunnel["id"], tunnel)
    await call.runtime.sync()
    return await get_tunnels(call)


async def get_cert(call: Call) -> Raw:
    """A cert.pem for cloudflared (`--origincert`): ?zone=<name>, with the account's token.

    Source: cloudflared's `credentials` package, https://github.com/cloudflare/cloudflared"""
    zone = call.store.find("zone", name=call.query("zone"))
    if zone is None:
        raise ApiError(404, 10404, f"there is no zone {call.query('zone')!r}")
    identity = call.box.identity
    cert = {"zoneID": zone["id"], "accountID": identity.account_id, "apiToken": identity.token}
    lines = textwrap.wrap(base64.b64encode(encode_json(cert)).decode(), 64)
    name = "ARGO TUNNEL TOKEN"
    text = "\n".join([f"-----BEGIN {name}-----", *lines, f"-----END {name}-----", ""])
    return Raw(text.encode(), content_type="application/x-pem-file")


def _named(call: Call, wanted: str) -> Record:
    found = call.store.get(KIND, wanted) or call.store.find(KIND, name=wanted)
    if found is None:
        raise ApiError(404, 10404, f"there is no tunnel {wanted!r}")
    return found
