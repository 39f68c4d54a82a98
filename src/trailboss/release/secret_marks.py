"""Where fingerprints of secrets are kept: in tags of the very version that has the secrets.

They are written after the version is there, by whatever of ours wrote its secrets; a version of ours that
takes its secrets over from another takes its fingerprints over as well. A version without them is unknown:
somebody else made it, or the process died in between. No release fails because a tag cannot be written.
Source: the Resource Tagging API, resource type `worker_version`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailboss.cloud.tags import write_tags
from trailboss.errors import CloudError
from trailboss.release import paths
from trailboss.release.reading import read_versions
from trailboss.release.together import together
from trailboss.secrets.fingerprint import Fingerprints
from trailboss.values import Secret

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.release.account import Seen
    from trailboss.release.model import Version

TAG = "trailboss.secrets"
_ROOM = 1000
"""Characters in one tag; Cloudflare takes 1,024."""
SECRET_CHANGE = "secret change"  # noqa: S105 - how a version that a secret made is called


@dataclass(frozen=True, slots=True)
class Keeping:
    """Whether fingerprints are kept (`[secrets] fingerprints`), and the key they are made with."""

    on: bool = True
    key: Secret | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """How keeping fingerprints went: `warning` says why they could not be kept. `same` are the names whose
    value was the one that was there before, `other` those that had another; a name in neither is
    not known."""

    warning: str | None = None
    same: tuple[str, ...] = ()
    other: tuple[str, ...] = ()


async def worker_id(cloud: Cloud, name: str) -> str:
    """The Worker's own id, which tags of its versions need beside the version's. One call."""
    record: Mapping[str, Any] = await cloud.get(paths.worker(cloud, name))
    return str(record.get("id") or "")


async def read_marks(cloud: Cloud, worker: str, version_id: str) -> Fingerprints | None:
    """The fingerprints of one version; None when it has none. One call. Raises CloudError."""
    return _joined(await _tags(cloud, worker, version_id))


async def write_marks(cloud: Cloud, worker: str, version_id: str, marks: Fingerprints) -> None:
    """Keep `marks` with a version, beside tags of others. Two calls. Raises CloudError."""
    there = await _tags(cloud, worker, version_id)
    kept = {key: text for key, text in there.items() if key != TAG and not key.startswith(f"{TAG}.")}
    extra = {"worker_id": worker}
    await write_tags(cloud, "worker_version", version_id, kept | _split(marks), extra=extra)


async def newest(cloud: Cloud, name: str) -> Version | None:
    """The newest version, to be asked before secrets are written; None where there is no Worker yet."""
    found = await _versions(cloud, name)
    return found[0] if found else None


async def remember(
    cloud: Cloud,
    name: str,
    values: Mapping[str, Secret | None],
    *,
    before: Version | None,
    keeping: Keeping,
) -> Kept:
    """Keep the fingerprints of what was just written to the newest version; `before` was the newest until
    then. Five calls at most."""
    if not keeping.on:
        return Kept()
    try:
        found, worker = await together(_versions(cloud, name), worker_id(cloud, name))
        made = found[0] if found else None
        if made is None or made.source != SECRET_CHANGE or (before and made.number != before.number + 1):
            return Kept("somebody else changed the Worker at the same moment, so no fingerprints were kept")
        old = await read_marks(cloud, worker, before.id) if before else None
        new = await _keep(cloud, (worker, made.id), old, values, keeping)
    except CloudError as error:
        return Kept(_cannot(error))
    known = {key: new.prints[key] == old.prints[key] for key in new.prints if old and key in old.prints}
    written = {key: same for key, same in known.items() if key in values and old and old.salt == new.salt}
    return Kept(
        same=tuple(key for key, same in written.items() if same),
        other=tuple(key for key, same in written.items() if not same),
    )


async def carry(
    cloud: Cloud, name: str, version_id: str | None, values: Mapping[str, Secret], seen: Seen
) -> tuple[str, ...]:
    """After an upload: its version has the fingerprints of the newest one before, whose secrets it took over,
    and those of `values`, which came with it. No call for a Worker that shows no sign of secrets.

    Answers with warnings."""
    keeping: Keeping = getattr(values, "keeping", Keeping())
    before = seen.versions[0] if seen.versions else None
    signs = getattr(values, "concerned", False) or any(v.source == SECRET_CHANGE for v in seen.versions)
    if not keeping.on or version_id is None or not (values or (before and signs)):
        return ()
    try:
        worker = str((seen.record or {}).get("id") or "") or await worker_id(cloud, name)
        old = await read_marks(cloud, worker, before.id) if before else None
        if old is not None or values:
            await _keep(cloud, (worker, version_id), old, values, keeping)
    except CloudError as error:
        return (_cannot(error),) if values else ()
    return ()


async def carry_to(
    cloud: Cloud,
    worker: str,
    versions: tuple[str, str],
    values: Mapping[str, Secret | None],
    keeping: Keeping,
) -> str | None:
    """The fingerprints of the first of `versions` also on the second, with those of `values`; a warning where
    that is not possible."""
    if not keeping.on:
        return None
    try:
        old = await read_marks(cloud, worker, versions[0])
        await _keep(cloud, (worker, versions[1]), old, values, keeping)
    except CloudError as error:
        return _cannot(error)
    return None


async def _keep(
    cloud: Cloud,
    place: tuple[str, str],
    old: Fingerprints | None,
    values: Mapping[str, Secret | None],
    keeping: Keeping,
) -> Fingerprints:
    """Write what is known at `place`, which is a Worker's id and a version's."""
    import asyncio

    base = old or Fingerprints.fresh(keeping.key)
    made = await asyncio.to_thread(base.with_values, values, keeping.key) if values else base
    await write_marks(cloud, *place, made)
    return made


async def _versions(cloud: Cloud, name: str) -> tuple[Version, ...]:
    try:
        return await read_versions(cloud, name)
    except CloudError as error:
        if paths.is_missing(error):
            return ()
        raise


async def _tags(cloud: Cloud, worker: str, version_id: str) -> Mapping[str, str]:
    where = {"resource_type": "worker_version", "resource_id": version_id, "worker_id": worker}
    found: Mapping[str, Any] = await cloud.get(f"{cloud.account}/tags", params=where) or {}
    return found.get("tags") or {}


def _cannot(error: CloudError) -> str:
    return (
        f"the secrets are written, but their fingerprints could not be kept ({error.message}); "
        "`secret status` will not know them"
    )


def _split(marks: Fingerprints) -> dict[str, str]:
    """The text over as many tags as it needs, cut between words."""
    lines = [""]
    for word in marks.as_text().split(" "):
        if lines[-1] and len(lines[-1]) + len(word) + 1 > _ROOM:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return {TAG if number == 0 else f"{TAG}.{number + 1}": line for number, line in enumerate(lines)}


def _joined(tags: Mapping[str, str]) -> Fingerprints | None:
    lines, number = [tags.get(TAG, "")], 2
    while f"{TAG}.{number}" in tags:
        lines.append(tags[f"{TAG}.{number}"])
        number += 1
    return Fingerprints.read(" ".join(lines)) if lines[0] else None
