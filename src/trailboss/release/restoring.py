"""What surrounds a Worker, compared with what surrounded an earlier version of it, and put back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailboss.cloud import segment
from trailboss.errors import ReleaseError
from trailboss.release import attached, paths
from trailboss.release.surroundings import SETTINGS, Surroundings, read_surroundings, recall

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.release.callbacks import Confirm
    from trailboss.release.model import Version

_DOMAIN, _ROUTE, _CONSUMER = "custom domain ", "route ", "consumer of "


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was: `what` it is, `now` and `then` as text. `data` is stored data, put
    back only when asked for by name; `restorable` is False for what is only said."""

    what: str
    now: str
    then: str
    data: bool = False
    restorable: bool = True


def compare(now: Surroundings, then: Surroundings) -> tuple[Difference, ...]:
    """What is not as it was. Pure."""
    found = []
    if now.crons != then.crons:
        found.append(Difference("schedules", _list(now.crons), _list(then.crons)))
    if (now.workers_dev, now.previews) != (then.workers_dev, then.previews):
        found.append(Difference("workers.dev", _switch(now), _switch(then)))
    domains = dict.fromkeys(now.domains, ""), dict.fromkeys(then.domains, "")
    found += _each(_DOMAIN.strip(), *domains, now.taken)
    found += _each(_ROUTE.strip(), now.routes, then.routes, now.taken)
    found += _each(_CONSUMER.strip(), now.consumers, then.consumers, now.taken)
    for key in SETTINGS:
        if now.settings.get(key) != then.settings.get(key):
            found.append(Difference(key, _short(now.settings.get(key)), _short(then.settings.get(key))))
    for database, mark in then.bookmarks.items():
        if now.bookmarks.get(database) not in (None, mark):
            found.append(Difference(f"D1 {database}", "written since", f"bookmark {mark}", data=True))
    return tuple(found)


def _each(
    kind: str, now: Mapping[str, Any] | None, then: Mapping[str, Any] | None, taken: Mapping[str, str]
) -> list[Difference]:
    """A difference for every name that came, went or changed; none where one of the sides is not known."""
    if now is None or then is None:
        return []
    found = []
    for name in sorted({*now, *then}):
        has, had = _said(now.get(name)), _said(then.get(name))
        if has != had:
            what = f"{kind} {name}"
            why = taken.get(what)
            found.append(Difference(what, why or has, had, restorable=why is None))
    return found


def _said(value: Any) -> str:
    """A route or domain is there or not; a consumer has settings."""
    if isinstance(value, Mapping):
        return json.dumps(value, sort_keys=True)
    return "none" if value is None else "there"


async def restore(
    cloud: Cloud,
    name: str,
    now: Surroundings,
    then: Surroundings,
    *,
    data: bool = False,
    confirm: Confirm | None = None,
) -> tuple[Difference, ...]:
    """Put back what can be put back, and with `data` the D1 databases to where they stood; what was done.
    `now` is read with `then`, so that it knows what others have.

    Every write may be repeated. Raises CloudError at the first that fails, RefusedError TB4070 for a DNS
    record in the way of a custom domain, unless `confirm` says yes."""
    wanted = [one for one in compare(now, then) if one.restorable and (data or not one.data)]
    hosts = [one for one in wanted if one.what.startswith(_DOMAIN)]
    if hosts:
        missing = {one.what.removeprefix(_DOMAIN) for one in hosts if one.then == "there"}
        kept = tuple(host for host in then.domains if host in now.domains or host in missing)
        await attached.put_domains(cloud, name, kept, confirm)
    for one in wanted:
        if one not in hosts:
            await _put_back(cloud, name, one, now, then)
    return tuple(wanted)


async def _put_back(cloud: Cloud, name: str, one: Difference, now: Surroundings, then: Surroundings) -> None:
    if one.data:
        database = one.what.removeprefix("D1 ")
        path = f"{cloud.account}/d1/database/{segment(database)}/time_travel/restore"
        await cloud.post(path, params={"bookmark": then.bookmarks[database]}, idempotent=True)
    elif one.what.startswith(_ROUTE):
        pattern = one.what.removeprefix(_ROUTE)
        had, has = then.routes or {}, now.routes or {}
        zone = had.get(pattern) or has.get(pattern) or ""
        await attached.put_route(cloud, name, pattern, zone, there=pattern in had)
    elif one.what.startswith(_CONSUMER):
        queue = one.what.removeprefix(_CONSUMER)
        await attached.put_consumer(cloud, name, queue, (then.consumers or {}).get(queue))
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


async def put_back(
    cloud: Cloud, name: str, version: Version, *, data: bool = False, confirm: Confirm | None = None
) -> tuple[Difference, ...]:
    """Put back what surrounded `version`, which has the traffic again.

    Raises ReleaseError TB4416 when nothing was kept with it, and as `restore`."""
    then = await recall(cloud, name, version.id)
    if then is None:
        raise ReleaseError(
            "TB4416",
            f"{version.label} has all traffic, but nobody kept what surrounded it.",
            hint="`trailboss deploy` of that commit puts triggers and settings back.",
        )
    now = await read_surroundings(cloud, name, version.id, then)
    return await restore(cloud, name, now, then, data=data, confirm=confirm)
