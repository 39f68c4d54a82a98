"""Can it be rolled back? Answered before anybody has to, from the platform's own rules.

| rule | what Cloudflare does |
|---|---|
| the last 100 uploads can be deployed | refuses older ones |
| a Durable Object migration lies between | refuses (TB4031) |
| a resource the version is bound to is gone | refuses |
| secrets changed since | asks: the version's own, older values would go live (10220) |
| routes, domains, schedules, queue consumers, settings, data | belong to no version: they stay (`around`) |

https://developers.cloudflare.com/workers/configuration/versions-and-deployments/rollbacks/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trailboss.cloud import segment
from trailboss.errors import CloudError, NotFound, PermissionDenied, ReleaseError
from trailboss.release.model import Version
from trailboss.release.naming import Catalogue, resolve
from trailboss.release.reading import read_catalogue, read_details
from trailboss.release.restoring import Difference, compare
from trailboss.release.rollback import migration_tag
from trailboss.release.surroundings import read_surroundings, recall
from trailboss.release.together import together

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

WINDOW = 100
STAYS = (
    "routes, custom domains and schedules",
    "queue consumers",
    "logs, tail and tag settings",
    "stored data",
)
_SECRETS = ("secret_text", "secret_key")
_TARGETS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "kv_namespace": ("storage/kv/namespaces", ("namespace_id",)),
    "d1": ("d1/database", ("id", "database_id")),
    "r2_bucket": ("r2/buckets", ("bucket_name",)),
    "vectorize": ("vectorize/v2/indexes", ("index_name",)),
    "hyperdrive": ("hyperdrive/configs", ("id",)),
    "service": ("workers/services", ("service",)),
}
"""Per type of binding: where its resource is asked for, and the field that names it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a rollback. `kind`: "window", "migration", "binding" and "split" block it, "secrets"
    asks for a yes, "binding-changes" and "stays" are only said."""

    kind: str
    text: str

    @property
    def blocks(self) -> bool:
        return self.kind in ("window", "migration", "binding")


@dataclass(frozen=True, slots=True)
class RollbackPlan:
    """What rolling back to `target` would do. `possible` unless a finding blocks it; `asks` when somebody
    has to say yes to older secrets; `left` more uploads can be made before the target cannot be
    deployed any more; `around` is what surrounds the Worker and is not as it was when the target was
    replaced (None: nobody kept it); `untouched` is what no version carries."""

    worker: str
    target: Version
    live: tuple[str, ...]
    findings: tuple[Finding, ...]
    left: int
    around: tuple[Difference, ...] | None = None
    untouched: tuple[str, ...] = STAYS

    @property
    def possible(self) -> bool:
        return not any(finding.blocks for finding in self.findings)

    @property
    def asks(self) -> bool:
        return any(finding.kind == "secrets" for finding in self.findings)


async def plan_rollback(cloud: Cloud, name: str, target: str | None = None) -> RollbackPlan:
    """What `rollback` would do and whether it can; writes nothing.

    Versions, deployments, the two or three versions' records, and one call for each resource that only the
    target is bound to. Raises ReleaseError TB4001-TB4003 (naming), TB4010, TB4030."""
    catalogue = await read_catalogue(cloud, name)
    if catalogue.current is None:
        raise ReleaseError("TB4030", f'"{name}" has no deployment yet.', hint="Deploy it first.")
    wanted = resolve(target or "previous", catalogue)
    live = [share.version_id for share in catalogue.current.shares if share.version_id != wanted.id]
    records = await together(*(read_details(cloud, name, version) for version in (wanted.id, *live)))
    plan = await plan_with(cloud, name, catalogue, wanted, records)
    then = await recall(cloud, name, wanted.id)
    if then is None:
        return plan
    return replace(plan, around=compare(await read_surroundings(cloud, name, wanted.id, then), then))


async def plan_with(
    cloud: Cloud, name: str, catalogue: Catalogue, wanted: Version, records: Sequence[Mapping[str, Any]]
) -> RollbackPlan:
    """The plan from what was read already: `records` are of the target, then of what is live."""
    mine, others = records[0], records[1:]
    findings = [*_migrations(wanted, mine, others), *_secrets(wanted, catalogue, mine, others)]
    findings += await _bindings(cloud, mine, others)
    newest = max((version.number for version in catalogue.versions), default=wanted.number)
    left = WINDOW - (newest - wanted.number) - 1
    if left < 0:
        findings.append(Finding("window", f"{wanted.label} is not among the last {WINDOW} uploads any more"))
    shown = tuple(
        next((v.label for v in catalogue.versions if v.id == share.version_id), share.version_id[:8])
        for share in (catalogue.current.shares if catalogue.current else ())
    )
    return RollbackPlan(name, wanted, shown, tuple(findings), max(left, 0))


def _migrations(
    wanted: Version, mine: Mapping[str, Any], others: Sequence[Mapping[str, Any]]
) -> list[Finding]:
    tag = migration_tag(mine)
    now = next((found for other in others if (found := migration_tag(other)) != tag), tag)
    if now == tag:
        return []
    text = f"the Durable Object migration {now or 'none'} is live, {wanted.label} was made at {tag or 'none'}"
    return [Finding("migration", f"{text}: Cloudflare cannot move traffic across it")]


def _secrets(
    wanted: Version, catalogue: Catalogue, mine: Mapping[str, Any], others: Sequence[Mapping[str, Any]]
) -> list[Finding]:
    """Names that came or went, and writes of secrets since; values nobody can read."""
    then, now = _names(mine), set().union(*(_names(other) for other in others)) if others else _names(mine)
    writes = [
        version
        for version in catalogue.versions
        if version.number > wanted.number and version.source == "secret change"
    ]
    changed = sorted(then ^ now)
    if not changed and not writes:
        return []
    what = f"secrets that came or went: {', '.join(changed)}" if changed else ""
    since = f"{len(writes)} change{'s' if len(writes) > 1 else ''} of secrets since" if writes else ""
    said = "; ".join(part for part in (what, since) if part)
    return [Finding("secrets", f"{said}: its own, older values go live again")]


def _names(record: Mapping[str, Any]) -> set[str]:
    return {str(item.get("name")) for item in _bound(record) if item.get("type") in _SECRETS}


def _bound(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list((record.get("resources") or {}).get("bindings") or ())


async def _bindings(
    cloud: Cloud, mine: Mapping[str, Any], others: Sequence[Mapping[str, Any]]
) -> list[Finding]:
    """What only the target is bound to: does it still exist? And which bindings come and go."""
    here = {_key(item): item for item in _bound(mine) if item.get("type") not in _SECRETS}
    there = {_key(item) for other in others for item in _bound(other) if item.get("type") not in _SECRETS}
    fresh = [item for key, item in here.items() if key not in there]
    gone = await together(*(_is_gone(cloud, item) for item in fresh))
    findings = [
        Finding(
            "binding", f"{item.get('name')} is bound to a {item.get('type')} that is gone: {_target(item)}"
        )
        for item, missing in zip(fresh, gone, strict=True)
        if missing
    ]
    names = sorted({str(item.get("name")) for item in fresh} | {key[0] for key in there - here.keys()})
    if names and others:
        findings.append(Finding("binding-changes", f"bindings that change: {', '.join(names)}"))
    return findings


def _key(item: Mapping[str, Any]) -> tuple[str, str, str]:
    return str(item.get("name")), str(item.get("type")), _target(item) or str(sorted(item.items()))


def _target(item: Mapping[str, Any]) -> str:
    _, fields = _TARGETS.get(str(item.get("type")), ("", ()))
    return next((str(item[name]) for name in fields if item.get(name)), "")


async def _is_gone(cloud: Cloud, item: Mapping[str, Any]) -> bool:
    """Whether the resource certainly does not exist; what may not be looked up is not called gone."""
    place, _ = _TARGETS.get(str(item.get("type")), ("", ()))
    target = _target(item)
    if not place or not target:
        return False
    try:
        await cloud.get(f"{cloud.account}/{place}/{segment(target)}")
    except NotFound:
        return True
    except PermissionDenied:
        return False
    except CloudError as error:
        return error.status == 404
    return False
