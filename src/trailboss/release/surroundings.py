"""What belongs to no version: schedules, custom domains, workers.dev, script settings, and where D1 stands.

Before a rollout gives a new version anything, what surrounds the old one is kept in tags of that old version
(Resource Tagging API, `worker_version`; 1,024 characters each). So a rollback can put back what was around it
then, from any machine. Routes of zones and queue consumers are not kept: other Workers share them.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.cloud import segment
from trailboss.cloud.tags import write_tags
from trailboss.errors import CloudError, TrailbossError
from trailboss.release import paths
from trailboss.release.reading import read_details
from trailboss.release.together import together
from trailboss.release.triggers import read_record

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

TAG = "trailboss.around"
_ROOM = 1000
_MOST = 8
_SETTINGS = ("logpush", "observability", "tail_consumers")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`domains` are host names; `workers_dev` and `previews` the two switches; `settings` the script
    settings as the API has them; `bookmarks` D1's by database id."""

    crons: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    workers_dev: bool = False
    previews: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    bookmarks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was: `what` it is, `now` and `then` as text. `data` is stored data, put
    back only when asked for by name; `restorable` is False for what is only said."""

    what: str
    now: str
    then: str
    data: bool = False
    restorable: bool = True


async def read_surroundings(cloud: Cloud, name: str, version_id: str) -> Surroundings:
    """What surrounds the Worker now, and the D1 databases of `version_id`. Three calls, and one per
    database."""
    record, crons, details = await together(
        read_record(cloud, name),
        cloud.get(paths.script(cloud, name, "schedules")),
        read_details(cloud, name, version_id),
    )
    record = record or {}
    bindings = (details.get("resources") or {}).get("bindings") or ()
    databases = [str(one.get("id") or one.get("database_id")) for one in bindings if one.get("type") == "d1"]
    marks = await together(*(_bookmark(cloud, database) for database in databases))
    subdomain = record.get("subdomain") or {}
    listed = crons.get("schedules") if isinstance(crons, Mapping) else crons
    domains = (record.get("references") or {}).get("domains") or ()
    return Surroundings(
        tuple(sorted(str(one.get("cron")) for one in listed or ())),
        tuple(sorted(str(one.get("hostname")) for one in domains)),
        bool(subdomain.get("enabled")),
        bool(subdomain.get("previews_enabled")),
        {key: record[key] for key in _SETTINGS if record.get(key) not in (None, [], {})},
        {database: mark for database, mark in zip(databases, marks, strict=True) if mark},
    )


async def _bookmark(cloud: Cloud, database: str) -> str:
    try:
        found = await cloud.get(f"{cloud.account}/d1/database/{segment(database)}/time_travel/bookmark")
    except CloudError:
        return ""
    return str((found or {}).get("bookmark") or "")


async def keep(cloud: Cloud, name: str, version_id: str) -> str | None:
    """Keep what surrounds `version_id` with it; a warning where that cannot be done. No release fails for
    it."""
    try:
        record, around = await together(read_record(cloud, name), read_surroundings(cloud, name, version_id))
        worker = str((record or {}).get("id") or "")
        there = await _tags(cloud, worker, version_id)
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
    text = json.dumps(asdict(around), separators=(",", ":"), sort_keys=True)
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
    return Surroundings(**{**found, "crons": tuple(found["crons"]), "domains": tuple(found["domains"])})


def compare(now: Surroundings, then: Surroundings) -> tuple[Difference, ...]:
    """What is not as it was. Pure."""
    found = []
    if now.crons != then.crons:
        found.append(Difference("schedules", _list(now.crons), _list(then.crons)))
    if (now.workers_dev, now.previews) != (then.workers_dev, then.previews):
        found.append(Difference("workers.dev", _switch(now), _switch(then)))
    if now.domains != then.domains:
        found.append(Difference("custom domains", _list(now.domains), _list(then.domains), restorable=False))
    for key in _SETTINGS:
        if now.settings.get(key) != then.settings.get(key):
            found.append(Difference(key, _short(now.settings.get(key)), _short(then.settings.get(key))))
    for database, mark in then.bookmarks.items():
        if now.bookmarks.get(database) not in (None, mark):
            found.append(Difference(f"D1 {database}", "written since", f"bookmark {mark}", data=True))
    return tuple(found)


async def restore(
    cloud: Cloud, name: str, now: Surroundings, then: Surroundings, *, data: bool = False
) -> tuple[Difference, ...]:
    """Put back what can be put back, and with `data` the D1 databases to where they stood; what was done.

    Every write may be repeated. Raises CloudError at the first that fails."""
    done = []
    for one in compare(now, then):
        if one.restorable and (data or not one.data):
            await _put_back(cloud, name, one, then)
            done.append(one)
    return tuple(done)


async def _put_back(cloud: Cloud, name: str, one: Difference, then: Surroundings) -> None:
    if one.data:
        database = one.what.removeprefix("D1 ")
        path = f"{cloud.account}/d1/database/{segment(database)}/time_travel/restore"
        await cloud.post(path, params={"bookmark": then.bookmarks[database]}, idempotent=True)
    elif one.what == "schedules":
        await cloud.put(paths.script(cloud, name, "schedules"), json=[{"cron": cron} for cron in then.crons])
    elif one.what == "workers.dev":
        body = {"enabled": then.workers_dev, "previews_enabled": then.previews}
        await cloud.post(paths.script(cloud, name, "subdomain"), json=body, idempotent=True)
    else:
        empty: Any = [] if one.what == "tail_consumers" else {"enabled": False}
        value = then.settings.get(one.what, False if one.what == "logpush" else empty)
        await cloud.patch(
            paths.script(cloud, name, "script-settings"), json={one.what: value}, idempotent=True
        )


def _list(items: tuple[str, ...]) -> str:
    return ", ".join(items) or "none"


def _switch(around: Surroundings) -> str:
    return f"{'on' if around.workers_dev else 'off'}, previews {'on' if around.previews else 'off'}"


def _short(value: Any) -> str:
    return "unset" if value is None else json.dumps(value, sort_keys=True)
