"""`versions secret put|bulk|delete|list`: secrets on a new version that takes no traffic yet.

The version is the newest one with these secrets changed; `versions deploy` gives it traffic. Where nothing
of the Worker was ever uploaded there is no version to begin with (Cloudflare's 10222)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailboss.errors import ReleaseError
from trailboss.release import paths
from trailboss.release.callbacks import Progress, quiet
from trailboss.release.reading import read_catalogue, read_details
from trailboss.release.secret import check_all
from trailboss.release.secret_marks import Keeping, carry_to, worker_id
from trailboss.release.secret_status import secret_names
from trailboss.release.stamp import MESSAGE_BYTES, TAG_BYTES, shorten
from trailboss.release.together import together
from trailboss.values import Secret

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.release.model import Version

NO_VERSIONS = 10222
_MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


@dataclass(frozen=True, slots=True)
class StagedSecrets:
    """A version without traffic, and what it changes against `base`, the newest before, by name. `absent`
    should have been removed and were not there."""

    worker: str
    version_id: str
    number: int
    base: str
    added: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VersionNames:
    """The names of one version's secrets; `share` is its percent of the traffic, None without any."""

    version_id: str
    number: int
    share: float | None
    secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NamesByVersion:
    """The names of the secrets of some versions of `worker`."""

    worker: str
    versions: tuple[VersionNames, ...]


async def stage(
    cloud: Cloud,
    name: str,
    values: Mapping[str, Secret | None],
    *,
    message: str | None = None,
    tag: str | None = None,
    keeping: Keeping | None = None,
    progress: Progress = quiet,
) -> StagedSecrets:
    """Make a version with `values` set, and removed where None: one write, all of them or none.

    Raises SecretError TB7010-TB7013 (names, sizes), ReleaseError TB4010 (no such Worker), TB4053 (it has no
    version yet)."""
    check_all(values)
    base = await _newest(cloud, name)
    there = secret_names(await read_details(cloud, name, base.id))
    kept = {key: value for key, value in values.items() if value is not None or key in there}
    absent = tuple(key for key in values if key not in kept)
    if not kept:
        return StagedSecrets(name, base.id, base.number, base.id, absent=absent)
    progress("Making a version without traffic")
    body = {
        "env": {k: None if v is None else {"type": "secret_text", "text": v} for k, v in kept.items()},
        "annotations": {
            "workers/message": shorten(message or f"Secrets: {', '.join(kept)}", MESSAGE_BYTES),
            **({"workers/tag": shorten(tag, TAG_BYTES)} if tag else {}),
        },
    }
    path = paths.worker(cloud, name, "versions/latest")
    made: Mapping[str, Any] = await cloud.patch(path, json=body, headers=_MERGE_PATCH)
    version_id = str(made["id"])
    worker = await worker_id(cloud, name)
    warning = await carry_to(cloud, worker, (base.id, version_id), kept, keeping or Keeping())
    return StagedSecrets(
        name,
        version_id,
        int(made.get("number") or 0),
        base.id,
        added=tuple(key for key, value in kept.items() if value is not None and key not in there),
        set=tuple(key for key, value in kept.items() if value is not None and key in there),
        removed=tuple(key for key, value in kept.items() if value is None),
        absent=absent,
        warnings=(warning,) if warning else (),
    )


async def names_by_version(cloud: Cloud, name: str, *, latest: bool = False) -> NamesByVersion:
    """The names of the secrets of each deployed version; with `latest` of the newest one.

    Two calls and one for each version. Raises ReleaseError TB4010, TB4053."""
    catalogue = await read_catalogue(cloud, name)
    shares = {
        one.version_id: one.percentage for one in (catalogue.current.shares if catalogue.current else ())
    }
    wanted = [(await _newest(cloud, name)).id] if latest else list(shares)
    records = await together(*(read_details(cloud, name, version_id) for version_id in wanted))
    found = [
        VersionNames(
            version_id,
            int(record.get("number") or 0),
            shares.get(version_id),
            tuple(sorted(secret_names(record))),
        )
        for version_id, record in zip(wanted, records, strict=True)
    ]
    return NamesByVersion(name, tuple(found))


async def _newest(cloud: Cloud, name: str) -> Version:
    catalogue = await read_catalogue(cloud, name)
    if not catalogue.versions:
        raise ReleaseError("TB4053", f'"{name}" has no version yet.', hint="Run `trailboss deploy` once.")
    return catalogue.versions[0]
