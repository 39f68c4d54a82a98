"""The sandbox's own control plane under `/_sandbox`: status, reset, seed, snapshots, clock, faults,
journal, tunnels, Access."""

from __future__ import annotations

import os
import time
from typing import Any

from trailboss.sandbox import snapshots
from trailboss.sandbox.call import Call
from trailboss.sandbox.callbacks import from_binding, from_preview, from_trace
from trailboss.sandbox.faults import parse_fault
from trailboss.sandbox.guard import bearer, same
from trailboss.sandbox.memory import resident_bytes
from trailboss.sandbox.products.access_control import from_sign, post_login
from trailboss.sandbox.products.invocations import collect
from trailboss.sandbox.products.tunnel_control import get_cert, get_tunnels, put_tunnel
from trailboss.sandbox.refusals import authentication_error, bad_request
from trailboss.sandbox.routes import Handler, Router
from trailboss.version import __version__

ROOT = "/_sandbox"


async def get_status(call: Call) -> dict[str, Any]:
    """Ports, processes, memory in bytes, uptime in seconds."""
    box = call.box
    supervisor = box.runtime.supervisor
    return {
        "name": box.identity.name,
        "version": __version__,
        "pid": os.getpid(),
        "uptime": round(time.time() - box.started, 3),
        "api_url": f"{box.api_root}/client/v4",
        "edge_port": box.edge_port,
        "account_id": box.identity.account_id,
        "subdomain": box.identity.subdomain,
        "runtime": supervisor.status(),
        "memory": resident_bytes(os.getpid(), supervisor.child.process.pid),
        "clock": box.clock.state(),
        "faults": len(box.faults.rules),
        "workers": box.store.count("script"),
        "strict": box.strict,
    }


async def reset(call: Call) -> dict[str, Any]:
    """Empty the account: every product's state, runtime data, faults, clock, journal."""
    began = time.perf_counter()
    await snapshots.reset(call.box)
    return {"reset": True, "ms": round((time.perf_counter() - began) * 1000, 1)}


async def seed(call: Call) -> dict[str, Any]:
    """Plant state: {"ids": <seed of the identifiers>, "<product's seed>": <its value>, ...}."""
    value = await call.object()
    planters = {name: plant for router in call.box.routers for name, plant in router.seeds.items()}
    unknown = set(value) - set(planters) - {"ids"}
    if unknown:
        raise bad_request(f"nothing plants {sorted(unknown)}; there are {['ids', *sorted(planters)]}")
    if "ids" in value:
        call.ids.seed(value["ids"])
    planted = {name: await planters[name](call.box, item) for name, item in value.items() if name != "ids"}
    await call.runtime.sync()
    return planted


async def list_snapshots(call: Call) -> list[dict[str, Any]]:
    """The snapshots there are."""
    return snapshots.listed(call.box)


async def take_snapshot(call: Call) -> dict[str, Any]:
    """Keep the present state under {"name"}."""
    return await snapshots.take(call.box, str((await call.object()).get("name", "default")))


async def restore_snapshot(call: Call) -> dict[str, Any]:
    """Go back to snapshot {"name"}."""
    return await snapshots.restore(call.box, str((await call.object()).get("name", "default")))


async def get_clock(call: Call) -> dict[str, Any]:
    """The sandbox's time."""
    return call.clock.state()


async def put_clock(call: Call) -> dict[str, Any]:
    """{"offset": seconds} | {"freeze": true | false | unix seconds} and/or {"advance": seconds} | {"reset":
    true}."""
    value = await call.object()
    await collect(call.box)
    if value.get("reset"):
        call.clock.reset()
    try:
        call.clock.set(
            offset=value.get("offset"),
            freeze=value.get("freeze"),
            advance=float(value.get("advance", 0)),
        )
    except (TypeError, ValueError) as error:
        raise bad_request(f"clock: {error}") from None
    return call.clock.state()


async def get_faults(call: Call) -> list[dict[str, Any]]:
    """The rules in force with their hit counts."""
    return call.box.faults.state()


async def put_faults(call: Call) -> list[dict[str, Any]]:
    """Replace all rules by these."""
    call.box.faults.replace([parse_fault(value, call.ids) for value in await call.array()])
    return call.box.faults.state()


async def delete_faults(call: Call) -> list[dict[str, Any]]:
    """Behave."""
    call.box.faults.replace([])
    return []


async def get_journal(call: Call) -> list[dict[str, Any]]:
    """Requests so far: ?since=<id>&limit=&match=<part of the path>; with ?wait=<seconds>, once there is
    one."""
    since, match = call.number("since", 0), call.query("match")
    seconds = call.number("wait", 0, 0, 60)
    if seconds:
        await call.box.journal.wait(since=since, match=match, seconds=seconds)
    return call.box.journal.read(since=since, limit=call.number("limit", 1000), match=match)


async def delete_journal(call: Call) -> list[dict[str, Any]]:
    """Forget them."""
    call.box.journal.clear()
    return []


def _own(handler: Handler) -> Handler:
    async def checked(call: Call) -> Any:
        if not same(bearer(call.headers), call.box.identity.token):
            raise authentication_error()
        return await handler(call)

    checked.__name__ = handler.__name__
    return checked


CONTROL = Router("control")
for _method, _path, _handler in (
    ("GET", "status", get_status),
    ("POST", "reset", reset),
    ("POST", "seed", seed),
    ("GET", "snapshot", list_snapshots),
    ("POST", "snapshot", take_snapshot),
    ("POST", "restore", restore_snapshot),
    ("GET", "clock", get_clock),
    ("PUT", "clock", put_clock),
    ("GET", "faults", get_faults),
    ("PUT", "faults", put_faults),
    ("DELETE", "faults", delete_faults),
    ("GET", "journal", get_journal),
    ("DELETE", "journal", delete_journal),
    ("GET", "cert", get_cert),
    ("GET", "tunnels", get_tunnels),
    ("PUT", "tunnels", put_tunnel),
    ("POST", "access", post_login),
    ("POST", "runtime/trace", from_trace),
    ("POST", "runtime/preview", from_preview),
    ("POST", "runtime/access/sign", from_sign),
    ("*", "runtime/bindings/{kind}/{rest:path}", from_binding),
):
    CONTROL.add(_method, f"{ROOT}/{_path}", _own(_handler), open=True)
