"""`delete`: a Worker and everything that is only its own, after looking at who still uses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailboss.cloud import segment
from trailboss.errors import CloudError, PermissionDenied, RefusedError
from trailboss.release import paths
from trailboss.release.callbacks import Confirm, Progress, quiet
from trailboss.release.together import together
from trailboss.resources.consuming import consuming, detach

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


@dataclass(frozen=True, slots=True)
class Usage:
    """Who would notice: `users` are sentences ("Worker api calls it through a service binding"),
    `storage` names Durable Object classes whose data goes with the Worker, `queues` those whose messages it
    takes and which wait from then on."""

    users: tuple[str, ...]
    storage: tuple[str, ...]
    queues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeleteResult:
    """`deleted` is False when there was no such Worker: gone is what was asked for."""

    worker: str
    deleted: bool
    usage: Usage


async def delete_worker(
    cloud: Cloud,
    name: str,
    *,
    force: bool = False,
    confirm: Confirm | None = None,
    progress: Progress = quiet,
) -> DeleteResult:
    """Delete the Worker `name`.

    Reads its references, the Workers it tails and its Durable Objects at the same time, asks `confirm`
    with what it found, and deletes. `force` neither asks nor stops for Workers that refer to it. Raises
    RefusedError TB4060 (somebody still uses it and nobody said yes) or TB4061 (nobody is there to ask).
    """
    progress(f"Looking for what uses {name}")
    usage = await read_usage(cloud, name)
    if usage is None:
        return DeleteResult(name, deleted=False, usage=Usage((), ()))
    if not force:
        _ask(name, usage, confirm)
    progress(f"Deleting {name}")
    if usage.queues:
        await detach(cloud, await consuming(cloud, (name,)))
    try:
        flag = "true" if force or usage.users else "false"
        await cloud.delete(paths.service(cloud, name), params={"force": flag})
    except CloudError as error:
        if not paths.is_missing(error):
            raise
        return DeleteResult(name, deleted=False, usage=usage)
    return DeleteResult(name, deleted=True, usage=usage)


async def read_usage(cloud: Cloud, name: str) -> Usage | None:
    """What refers to the Worker and what it stores; None when there is no such Worker. Four calls at once."""
    encoded = segment(name)
    try:
        references, tails, objects, queues = await together(
            cloud.get(paths.script(cloud, name, "references")),
            cloud.get(f"{cloud.account}/workers/tails/by-consumer/{encoded}"),
            _durable_objects(cloud, name),
            consuming(cloud, (name,)),
        )
    except PermissionDenied:
        return Usage(users=(), storage=())
    except CloudError as error:
        if paths.is_missing(error):
            return None
        raise
    users = tuple(_users(name, references or {}, tails or ()))
    return Usage(users, objects, tuple(sorted(one.queue for one in queues)))


async def _durable_objects(cloud: Cloud, name: str) -> tuple[str, ...]:
    """The Worker's Durable Object classes; a token that may not list them only means that we cannot
    warn."""
    path = f"{cloud.account}/workers/durable_objects/namespaces"
    try:
        wire = await cloud.get(path, params={"per_page": "1000", "page": "1"})
    except CloudError:
        return ()
    return tuple(sorted(str(item.get("class")) for item in wire or () if item.get("script") == name))


def _users(name: str, references: Mapping[str, Any], tails: Any) -> list[str]:
    services = references.get("services") or {}
    found = [
        f"Worker {_worker(item)} calls it through a service binding"
        for item in services.get("incoming") or ()
    ]
    if services.get("pages_function"):
        found.append("a Pages project calls it through a service binding")
    for item in references.get("durable_objects") or ():
        if item.get("service") != name:
            found.append(f"Worker {_worker(item)} uses its Durable Objects")
    for item in references.get("dispatch_outbounds") or ():
        found.append(f"Worker {_worker(item)} sends dispatch namespace {item.get('namespace')} through it")
    for item in tails:
        found.append(f"Worker {_worker(item.get('producer') or {})} sends its tail to it")
    return found


def _worker(item: Mapping[str, Any]) -> str:
    environment = item.get("environment")
    name = str(item.get("service") or item.get("script") or item.get("name") or "unknown")
    return f"{name} ({environment})" if environment and environment != "production" else name


def _ask(name: str, usage: Usage, confirm: Confirm | None) -> None:
    lines = [*usage.users]
    lines += (
        [f"the data of its Durable Objects {', '.join(usage.storage)} goes with it"] if usage.storage else []
    )
    lines += [f"messages in {', '.join(usage.queues)} are taken by nobody then"] if usage.queues else []
    reasons = "; ".join(lines)
    if confirm is None:
        code, why = (
            ("TB4060", f"It is still in use: {reasons}.") if lines else ("TB4061", "Nobody is there to ask.")
        )
        raise RefusedError(
            code, f'"{name}" was not deleted. {why}', hint="--force deletes it without asking."
        )
    question = f'Delete "{name}"? {reasons[:1].upper()}{reasons[1:]}. ' if lines else f'Delete "{name}"? '
    if not confirm(question + "This cannot be undone."):
        raise RefusedError("TB4062", f'"{name}" was not deleted.', hint="You answered no.")
