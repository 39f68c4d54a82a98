"""Routes, queue consumers and custom domains of one Worker: as they are now, as a version had them, and back.

Other Workers share the zones, the queues and the host names. So each is written by itself, only what is this
Worker's is ever changed or taken away, and what another Worker has by now is said and left.

wrangler's calls: `GET services/<name>/environments/production/routes`, `GET queues`, and the zones' own
routes (https://developers.cloudflare.com/api/resources/workers/subresources/routes/)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.cloud import segment
from trailboss.errors import CloudError, ReleaseError
from trailboss.release import paths
from trailboss.release.together import together
from trailboss.release.triggers import domains
from trailboss.release.triggers import queues as consuming
from trailboss.release.triggers.addresses import Address
from trailboss.release.triggers.change import Site
from trailboss.release.triggers.zones import zone_of

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.release.callbacks import Confirm

Routes = Mapping[str, str]
"""Pattern to the name of its zone (empty: it follows from the pattern)."""
Consumers = Mapping[str, Mapping[str, Any]]
"""Name of the queue to `settings` and `dead_letter_queue`, as the API has them."""


@dataclass(frozen=True, slots=True)
class Queues:
    """The account's queues by name, as the API lists them."""

    found: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, worker: str) -> dict[str, dict[str, Any]]:
        """What the Worker consumes."""
        mine = {name: consuming.of_worker(queue, worker) for name, queue in self.found.items()}
        return {name: _kept(one) for name, one in sorted(mine.items()) if one is not None}

    def taken(self, name: str, worker: str) -> str:
        """Why the Worker cannot consume the queue; empty when it can."""
        if name not in self.found:
            return "the queue is gone"
        others = [one for one in self.found[name].get("consumers") or () if one is not None]
        if not others or consuming.of_worker(self.found[name], worker) is not None:
            return ""
        return f"consumed by {consuming.script_of(others[0]) or 'HTTP clients'}"


async def read_routes(cloud: Cloud, worker: str) -> dict[str, str] | None:
    """All routes of the Worker, in all zones; None where the token may not know. One call."""
    path = f"{paths.service(cloud, worker)}/environments/production/routes"
    try:
        wire = await cloud.get(path, params={"show_zonename": "true"})
    except CloudError:
        return None
    found = {str(one.get("pattern")): str(one.get("zone_name") or "") for one in wire or ()}
    return dict(sorted(found.items()))


async def read_queues(cloud: Cloud) -> Queues | None:
    """All queues; None where the token may not know. One call per page."""
    try:
        pages = cloud.pages(f"{cloud.account}/queues")
        return Queues({str(one.get("queue_name")): one async for one in pages})
    except CloudError:
        return None


async def owner_of_route(cloud: Cloud, worker: str, pattern: str, zone: str) -> str:
    """Why the Worker cannot have the route; empty when it can."""
    try:
        there = await _in_zone(cloud, await _zone(cloud, pattern, zone))
    except (CloudError, ReleaseError) as error:
        return error.message
    if pattern not in there or there[pattern].get("script") == worker:
        return ""
    return f"of {there[pattern].get('script') or 'no Worker'}"


async def owner_of_domain(cloud: Cloud, worker: str, hostname: str) -> str:
    """Why the Worker cannot have the custom domain; empty when it can. One call."""
    wire = await cloud.get(f"{cloud.account}/workers/domains", params={"hostname": hostname})
    owners = [str(one.get("service")) for one in wire or () if one.get("hostname") == hostname]
    return f"of {owners[0]}" if owners and owners[0] != worker else ""


async def put_route(cloud: Cloud, worker: str, pattern: str, zone: str, *, there: bool) -> None:
    """Make or take away one route of the Worker; nothing where it is so already, or another's."""
    place = await _zone(cloud, pattern, zone)
    path = f"/zones/{segment(place)}/workers/routes"
    found = (await _in_zone(cloud, place)).get(pattern)
    if there and found is None:
        await cloud.post(path, json={"pattern": pattern, "script": worker})
    elif not there and found is not None and found.get("script") == worker:
        await cloud.delete(f"{path}/{segment(str(found['id']))}")


async def put_consumer(cloud: Cloud, worker: str, queue: str, wanted: Mapping[str, Any] | None) -> None:
    """Make the Worker consume a queue as `wanted`, or not at all (None). Another's consumer stays."""
    queues = await read_queues(cloud)
    if queues is not None and not queues.taken(queue, worker):
        body = None if wanted is None else {"type": "worker", "script_name": worker, **wanted}
        await consuming.put_consumer(cloud, queues.found[queue], worker, body)


async def put_domains(
    cloud: Cloud, worker: str, hostnames: tuple[str, ...], confirm: Confirm | None = None
) -> None:
    """Make `hostnames` the Worker's custom domains. Raises RefusedError TB4070 (a DNS record is in the way)
    unless `confirm` says yes, TB4076 likewise (another Worker's)."""

    async def nobody() -> None:
        return None

    site = Site(cloud, worker, {}, nobody, confirm)
    await domains.write_domains(site, [{"hostname": one} for one in hostnames])


async def _zone(cloud: Cloud, pattern: str, zone: str) -> str:
    wire = {"pattern": pattern, **({"zone_name": zone} if zone else {})}
    return await zone_of(cloud, Address(pattern, False, wire))


async def _in_zone(cloud: Cloud, zone: str) -> dict[str, Mapping[str, Any]]:
    pages = cloud.pages(f"/zones/{segment(zone)}/workers/routes", style="cursor")
    return {str(one.get("pattern")): one async for one in pages}


def _kept(consumer: Mapping[str, Any]) -> dict[str, Any]:
    settings = {key: value for key, value in (consumer.get("settings") or {}).items() if value is not None}
    letters = consumer.get("dead_letter_queue")
    return {"settings": settings, **({"dead_letter_queue": letters} if letters else {})}


async def obstacles(
    cloud: Cloud,
    worker: str,
    wanted: tuple[Routes, tuple[str, ...], tuple[str, ...]],
    queues: Queues | None,
) -> dict[str, str]:
    """Of the routes, queues and host names in `wanted`: why one cannot be had, as `Difference.what` names
    it. One to two calls per route, one per host name."""
    routes, consumed, hosts = wanted
    said = await together(
        *(owner_of_route(cloud, worker, pattern, zone) for pattern, zone in routes.items()),
        *(owner_of_domain(cloud, worker, host) for host in hosts),
    )
    names = [*(f"route {pattern}" for pattern in routes), *(f"custom domain {host}" for host in hosts)]
    found = dict(zip(names, said, strict=True))
    found |= {f"consumer of {name}": queues.taken(name, worker) for name in consumed if queues}
    return {name: why for name, why in found.items() if why}
