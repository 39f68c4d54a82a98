"""What belongs to no version: routes, custom domains, workers.dev, schedules, queue consumers, script
settings, and where D1 stands.

Before a rollout gives a new version anything, what surrounds the old one is kept in tags of that old version
(Resource Tagging API, `worker_version`; 1,024 characters each). So a rollback can put back what was around it
then, from any machine. What other Workers have by now is left to them (`attached`).
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from trailboss.cloud import segment
from trailboss.cloud.tags import write_tags
from trailboss.errors import CloudError, TrailbossError
from trailboss.release import attached, paths
from trailboss.release.reading import read_details
from trailboss.release.together import together
from trailboss.release.triggers import read_record

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

TAG = "trailboss.around"
_ROOM = 1000
_MOST = 8
SETTINGS = ("logpush", "observability", "tail_consumers")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`domains` are host names; `workers_dev` and `previews` the two switches; `settings` the script
    settings as the API has them; `bookmarks` D1's by database id. `routes` (zone by pattern) and `consumers`
    (settings by queue) are None where nobody could read them, or an older release did not keep them. `taken`
    says what of an earlier state cannot be had, and why; it is never kept."""

    crons: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    workers_dev: bool = False
    previews: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    bookmarks: Mapping[str, str] = field(default_factory=dict)
    routes: attached.Routes | None = None
    consumers: attached.Consumers | None = None
    taken: Mapping[str, str] = field(default_factory=dict)


async def read_surroundings(
    cloud: Cloud,
    name: str,
    version_id: str,
    then: Surroundings | None = None,
    record: Mapping[str, Any] | None = None,
) -> Surroundings:
    """What surrounds the Worker now, and the D1 databases of `version_id`. Five calls, four where the
    Worker's `record` is known, and one per database; with `then`, one or two more for each route and domain
    of then that is not there now."""
    record, crons, details, routes, queues = await together(
        _known(record) if record else read_record(cloud, name),
        cloud.get(paths.script(cloud, name, "schedules")),
        read_details(cloud, name, version_id),
        attached.read_routes(cloud, name),
        attached.read_queues(cloud),
    )
    record = record or {}
    bindings = (details.get("resources") or {}).get("bindings") or ()
    databases = [str(one.get("id") or one.get("database_id")) for one in bindings if one.get("type") == "d1"]
    marks = await together(*(_bookmark(cloud, database) for database in databases))
    subdomain = record.get("subdomain") or {}
    listed = crons.get("schedules") if isinstance(crons, Mapping) else crons
    domains = (record.get("references") or {}).get("domains") or ()
    hosts = tuple(sorted(str(one.get("hostname")) for one in domains))
    consumers = queues.of(name) if queues is not None else None
    taken: Mapping[str, str] = {}
    if then is not None:
        lost = {key: zone for key, zone in (then.routes or {}).items() if key not in (routes or {})}
        quiet = tuple(key for key in then.consumers or {} if key not in (consumers or {}))
        gone = tuple(host for host in then.domains if host not in hosts)
        taken = await attached.obstacles(cloud, name, (lost, quiet, gone), queues)
    return Surroundings(
        tuple(sorted(str(one.get("cron")) for one in listed or ())),
        hosts,
        bool(subdomain.get("enabled")),
        bool(subdomain.get("previews_enabled")),
        {key: record[key] for key in SETTINGS if record.get(key) not in (None, [], {})},
        {database: mark for database, mark in zip(databases, marks, strict=True) if mark},
        routes,
        consumers,
        taken,
    )


async def _bookmark(cloud: Cloud, database: str) -> str:
    try:
        found = await cloud.get(f"{cloud.account}/d1/database/{segment(database)}/time_travel/bookmark")
    except CloudError:
        return ""
    return str((found or {}).get("bookmark") or "")


async def _known(record: Mapping[str, Any]) -> Mapping[str, Any]:
    return record


async def keep(
    cloud: Cloud, name: str, version_id: str, record: Mapping[str, Any] | None = None
) -> str | None:
    """Keep what surrounds `version_id` with it; a warning where that cannot be done. No release fails for
    it. `record` is the Worker's, where it was read already."""
    try:
        record = record or await read_record(cloud, name)
        worker = str((record or {}).get("id") or "")
        around, there = await together(
            read_surroundings(cloud, name, version_id, record=record), _tags(cloud, worker, version_id)
        )
        kept = {key: text for key, text in there.items() if not key.startswith(TAG)}
        packed = pack(around)
        if packed is None:
            return "too much surrounds this Worker to be kept for a rollback"
        extra = {"worker_id": worker}
        await write_tags(cloud, "worker_version", version_id, kept | packed, extra=extra)
    except TrailbossError as error:
        return f"what surrounds the version before could not be kept ({error.message}): a rollback leaves it"
    return None


async def recall(cloud: Cloud, name: str, version_id: str) -> Surroundings | None:
    """What was kept with a version; None where nothing was, or it cannot be read."""
    try:
        record = await read_record(cloud, name)
        return unpack(await _tags(cloud, str((record or {}).get("id") or ""), version_id))
    except (CloudError, ValueError, TypeError):
        return None


async def _tags(cloud: Cloud, worker: str, version_id: str) -> Mapping[str, str]:
    where = {"resource_type": "worker_version", "resource_id": version_id, "worker_id": worker}
    found: Mapping[str, Any] = await cloud.get(f"{cloud.account}/tags", params=where) or {}
    return found.get("tags") or {}


def pack(around: Surroundings) -> dict[str, str] | None:
    """As tags; None when it takes more of them than is decent."""
    kept = {key: value for key, value in asdict(around).items() if key != "taken"}
    text = json.dumps(kept, separators=(",", ":"), sort_keys=True)
    packed = base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode()
    parts = [packed[at : at + _ROOM] for at in range(0, len(packed), _ROOM)]
    return {f"{TAG}.{number}": part for number, part in enumerate(parts)} if len(parts) <= _MOST else None


def unpack(tags: Mapping[str, str]) -> Surroundings | None:
    """From tags. Raises ValueError or TypeError for what `pack` did not make."""
    parts = [tags[key] for key in (f"{TAG}.{number}" for number in range(_MOST)) if key in tags]
    if not parts:
        return None
    try:
        found = json.loads(zlib.decompress(base64.urlsafe_b64decode("".join(parts))))
    except zlib.error as error:
        raise ValueError(str(error)) from error
    known = {one.name for one in fields(Surroundings)}
    found = {key: value for key, value in found.items() if key in known}
    return Surroundings(**{**found, "crons": tuple(found["crons"]), "domains": tuple(found["domains"])})
