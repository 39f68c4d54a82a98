"""Targets of Access for Infrastructure: the machines an infrastructure application's criteria speak of.

Faithful: shapes, host names that need not be unique, addresses in virtual networks, writing and deleting in
bulk. Simplified: nobody reaches them, for there is no WARP.
https://developers.cloudflare.com/api/resources/zero_trust/subresources/access/subresources/infrastructure/
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Raw, Reply
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.zero_trust_networks import network_id

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record

KIND = "infrastructure_target"
HOSTNAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,253}[a-z0-9])?", re.IGNORECASE)
VERSIONS = {"ipv4": 4, "ipv6": 6}


def invalid_target(detail: str) -> ApiError:
    """A name or an address that cannot be one."""
    return ApiError(400, 1100, f"invalid target: {detail}")


def target_not_found() -> ApiError:
    """No target of that id."""
    return ApiError(404, 1101, "target not found")


def _target_of(call: Call) -> Record:
    found = call.store.get(KIND, call["target_id"])
    if found is None:
        raise target_not_found()
    return found


def _addresses(call: Call, given: Any) -> Record:
    if not isinstance(given, dict) or not given or not given.keys() <= VERSIONS.keys():
        raise invalid_target("ip needs ipv4 or ipv6")
    found: Record = {}
    for name, place in given.items():
        try:
            address = ipaddress.ip_address(str(place.get("ip_addr")))
        except ValueError as error:
            raise invalid_target(str(error)) from None
        if address.version != VERSIONS[name]:
            raise invalid_target(f"{address} is no {name} address")
        network = network_id(call, place.get("virtual_network_id"))
        found[name] = {"ip_addr": str(address), "virtual_network_id": network}
    return found


def _write(call: Call, body: Any, present: Record | None) -> Record:
    hostname = body.get("hostname") if isinstance(body, dict) else None
    if not isinstance(hostname, str) or not HOSTNAME.fullmatch(hostname):
        raise invalid_target("hostname is missing or invalid")
    now = call.clock.iso()
    record: Record = {
        "id": present["id"] if present else call.ids.uuid(),
        "hostname": hostname,
        "ip": _addresses(call, body.get("ip")),
        "tags": body.get("tags") or {},
        "created_at": present["created_at"] if present else now,
        "modified_at": now,
    }
    return call.store.put(KIND, record["id"], record)


def _holds(target: Record, name: str, value: str) -> bool:
    places = target["ip"].values()
    tests = {
        "hostname": target["hostname"].lower() == value.lower(),
        "hostname_contains": value.lower() in target["hostname"].lower(),
        "ip_v4": target["ip"].get("ipv4", {}).get("ip_addr") == value,
        "ip_v6": target["ip"].get("ipv6", {}).get("ip_addr") == value,
        "ip_like": any(value in place["ip_addr"] for place in places),
        "virtual_network_id": any(place["virtual_network_id"] == value for place in places),
        "created_after": target["created_at"] >= value,
        "created_before": target["created_at"] <= value,
        "modified_after": target["modified_at"] >= value,
        "modified_before": target["modified_at"] <= value,
    }
    return bool(tests.get(name, True))


async def list_targets(call: Call) -> Reply:
    """By name, address, network, times and ids; ordered by name or age."""
    found = [one for one in call.store.all(KIND) if all(_holds(one, *pair) for pair in call.query_pairs)]
    ids = call.queries("target_ids")
    found = [one for one in found if not ids or one["id"] in ids]
    order = "hostname" if call.query("order") == "hostname" else "created_at"
    found.sort(key=lambda one: str(one[order]), reverse=call.query("direction") == "desc")
    return call.paged(found, per_page=25)


async def create_target(call: Call) -> Record:
    """Without a virtual network in the default one."""
    return _write(call, await call.object(), None)


async def get_target(call: Call) -> Record:
    """One target."""
    return _target_of(call)


async def update_target(call: Call) -> Record:
    """Everything anew."""
    return _write(call, await call.object(), _target_of(call))


async def delete_target(call: Call) -> Raw:
    """Gone."""
    call.store.delete(KIND, _target_of(call)["id"])
    return Raw(status=204, content_type="")


async def put_targets(call: Call) -> Reply:
    """Add several, all or none; whoever has the same name and address is changed."""
    written = []
    with call.store.transaction():
        for body in await call.array():
            written.append(_write(call, body, _alike(call, body)))
    return call.single(written)


def _alike(call: Call, body: Any) -> Record | None:
    if not isinstance(body, dict):
        return None
    ip = _addresses(call, body.get("ip"))
    return call.store.find(KIND, hostname=body.get("hostname"), ip=ip)


async def delete_targets(call: Call) -> Raw:
    """Several at once; those that are not there do not matter."""
    for identifier in (await call.object()).get("target_ids") or []:
        call.store.delete(KIND, str(identifier))
    return Raw(status=200, content_type="")


router = Router("zero_trust_infrastructure_targets")
_ROOT, _ONE = "A/infrastructure/targets", "A/infrastructure/targets/{target_id}"
_SDK, _TYPE = (
    "zero_trust.access.infrastructure.targets",
    "zero_trust.access.infrastructure.Target",
)
router.add("GET", _ROOT, list_targets, sdk=f"{_SDK}.list", reply=f"{_TYPE}ListResponse")
router.add(
    "POST",
    _ROOT,
    create_target,
    sdk=f"{_SDK}.create",
    request=f"{_TYPE}CreateParams",
    reply=f"{_TYPE}CreateResponse",
)
router.add(
    "PUT",
    f"{_ROOT}/batch",
    put_targets,
    sdk=f"{_SDK}.bulk_update",
    request=f"{_TYPE}BulkUpdateParams",
    reply=f"{_TYPE}BulkUpdateResponse",
)
router.add(
    "POST",
    f"{_ROOT}/batch_delete",
    delete_targets,
    sdk=f"{_SDK}.bulk_delete_v2",
    request=f"{_TYPE}BulkDeleteV2Params",
    reply="None",
)
router.add("GET", _ONE, get_target, sdk=f"{_SDK}.get", reply=f"{_TYPE}GetResponse")
router.add(
    "PUT",
    _ONE,
    update_target,
    sdk=f"{_SDK}.update",
    request=f"{_TYPE}UpdateParams",
    reply=f"{_TYPE}UpdateResponse",
)
router.add("DELETE", _ONE, delete_target, sdk=f"{_SDK}.delete", reply="None")
