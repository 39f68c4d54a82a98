"""`rollback`: one write that gives all traffic back to an earlier version, with that version's secrets
and bindings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailboss.errors import ReleaseError
from trailboss.release.callbacks import Confirm, Progress, quiet
from trailboss.release.deployments import DeploymentView, view
from trailboss.release.model import Share, Version
from trailboss.release.naming import Catalogue, resolve
from trailboss.release.reading import read_catalogue, read_details
from trailboss.release.together import together
from trailboss.release.traffic import shift

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


@dataclass(frozen=True, slots=True)
class RollbackResult:
    """`target` has 100 % now, as read back in `deployment`; `before` is what had the traffic until then.

    `changed` is False when the target was alone in the traffic already; nothing was written then.
    `untouched` names what no version carries and a rollback therefore leaves as it is."""

    worker: str
    target: Version
    before: DeploymentView
    deployment: DeploymentView
    changed: bool
    untouched: tuple[str, ...] = (
        "routes, custom domains and schedules",
        "queue consumers",
        "logs, tail and tag settings",
        "stored data",
    )


async def rollback(
    cloud: Cloud,
    name: str,
    target: str | None = None,
    *,
    message: str | None = None,
    force: bool = False,
    confirm: Confirm | None = None,
    progress: Progress = quiet,
) -> RollbackResult:
    """Give 100 % of the traffic to `target` (any version name; default `previous`).

    Reads: versions, deployments, and the two versions' records; one write; one read-back. `confirm` is
    asked only when secrets changed since the target was made. Raises ReleaseError TB4001-TB4003 (naming),
    TB4010 (no such Worker), TB4030 (nothing is deployed), TB4031 (a Durable Object migration lies
    between), and what `traffic.shift` raises."""
    progress(f"Reading versions and deployments of {name}")
    catalogue = await read_catalogue(cloud, name)
    if catalogue.current is None:
        raise ReleaseError("TB4030", f'"{name}" has no deployment yet.', hint="Deploy it first.")
    wanted = resolve(target or "previous", catalogue)
    before = view(catalogue.current, catalogue)
    if catalogue.current.whole == wanted.id:
        return RollbackResult(name, wanted, before, before, changed=False)
    await refuse_across_migrations(cloud, name, wanted, catalogue)
    progress(f"Giving all traffic to {wanted.label}")
    after, *_ = await shift(
        cloud,
        name,
        [Share(wanted.id, 100)],
        before=catalogue.current,
        message=message or "Rollback",
        force=force,
        confirm=confirm,
    )
    moved = catalogue.moved(after)
    target_now = moved.by_id(wanted.id) or wanted
    return RollbackResult(name, target_now, before, view(after, moved), changed=True)


async def refuse_across_migrations(cloud: Cloud, name: str, wanted: Version, catalogue: Catalogue) -> None:
    """Raise ReleaseError TB4031 when `wanted` was made under another Durable Object migration than what
    is live.

    Cloudflare refuses that as well, but after the fact and without saying which migration.
    """
    live = [share.version_id for share in catalogue.current.shares] if catalogue.current else []
    ids = [wanted.id, *(version_id for version_id in live if version_id != wanted.id)]
    records = await together(*(read_details(cloud, name, version_id) for version_id in ids))
    tags = [migration_tag(record) for record in records]
    different = [tag for tag in tags[1:] if tag != tags[0]]
    if not different:
        return
    raise ReleaseError(
        "TB4031",
        f"A Durable Object migration lies between: {wanted.label} is at {_quoted(tags[0])}, what is live "
        f"is at {_quoted(different[0])}. Cloudflare cannot move traffic across it.",
        hint="Deploy the old code again with the newest migrations instead of rolling back.",
    )


def migration_tag(record: Mapping[str, Any]) -> str | None:
    """The last Durable Object migration a version was made under, None when there never was one."""
    resources = record.get("resources") or {}
    runtime = resources.get("script_runtime") or {}
    return runtime.get("migration_tag") or (resources.get("script") or {}).get("migration_tag")


def _quoted(tag: str | None) -> str:
    return f'"{tag}"' if tag else "no migration"
