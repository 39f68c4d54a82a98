"""`secret rotate`: new values for every version that is deployed, without moving any traffic.

A version cannot be changed, so each gets a successor that differs in these secrets only, and then one write
puts the successors in the places of the old ones, at the same shares. While a canary is split that is two
versions; the message of the deployment, which holds the state of a rollout, goes over with the new ids in it.

The newest version's successor is made by Cloudflare (PATCH versions/latest). An older one's is made from its
own code, with every other binding inherited from it by its id. Killed before the last write, nothing has
changed but that there are versions without traffic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailboss.errors import ConflictError, ReleaseError, SecretError
from trailboss.release import paths, secret
from trailboss.release.callbacks import Progress, quiet
from trailboss.release.model import Deployment, Share
from trailboss.release.naming import Catalogue
from trailboss.release.reading import read_catalogue, read_details
from trailboss.release.secret_marks import Keeping, carry_to, remember, worker_id
from trailboss.release.secret_status import secret_names
from trailboss.release.together import together
from trailboss.release.traffic import shift
from trailboss.values import Secret

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

_MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}
_KEPT = (
    *("main_module", "compatibility_date", "compatibility_flags"),
    *("limits", "placement", "cache_options", "exports"),
)


@dataclass(frozen=True, slots=True)
class Replaced:
    """`before` is the version that had `share` percent of the traffic, `after` the one that has it now."""

    before: str
    after: str
    number: int
    share: float


@dataclass(frozen=True, slots=True)
class Rotation:
    """What was written, by name. `versions` are in the order of the deployment; `warnings` say which
    fingerprints are missing."""

    worker: str
    names: tuple[str, ...]
    versions: tuple[Replaced, ...]
    warnings: tuple[str, ...] = ()


async def rotate(
    cloud: Cloud,
    name: str,
    values: Mapping[str, Secret],
    *,
    keeping: Keeping | None = None,
    progress: Progress = quiet,
) -> Rotation:
    """Give `values` to all deployed versions of the Worker.

    With all traffic on the newest version it is the one write of `secret bulk`. Else: two reads, per version
    two or three calls, one write that moves nothing but the names of the versions, one read-back.

    Raises SecretError TB7010-TB7013 (as `secret.bulk`), TB7015 (a name the Worker lacks), ReleaseError TB4010
    (no such Worker), TB4030 (nothing is deployed), TB4051 (an older version with assets), TB4054 (a
    binding was lost on the way), ConflictError TB4052 (another version was made in between), TB4021."""
    secret.check_all(values)
    keeping = keeping or Keeping()
    catalogue = await read_catalogue(cloud, name)
    if catalogue.current is None:
        raise ReleaseError("TB4030", f'"{name}" has no deployment yet.', hint="Deploy it first.")
    await _refuse_new_names(cloud, name, catalogue.current, values)
    work = _Work(cloud, name, dict(values), keeping, catalogue, progress)
    newest = catalogue.versions[0].id if catalogue.versions else ""
    if [share.version_id for share in catalogue.current.shares] == [newest]:
        return await work.whole()
    return await work.split(newest)


async def _refuse_new_names(
    cloud: Cloud, name: str, current: Deployment, values: Mapping[str, Secret]
) -> None:
    details = await together(*(read_details(cloud, name, share.version_id) for share in current.shares))
    there = frozenset.union(*(secret_names(one) for one in details))
    new = sorted(set(values) - there)
    if new:
        raise SecretError(
            "TB7015",
            f'"{name}" has no secret {", ".join(new)}, so there is nothing to rotate.',
            hint="`trailboss secret put` and `secret bulk` add one.",
        )


@dataclass(slots=True)
class _Work:
    cloud: Cloud
    name: str
    values: dict[str, Secret]
    keeping: Keeping
    catalogue: Catalogue
    progress: Progress

    async def whole(self) -> Rotation:
        """One version has all the traffic and is the newest: `secret bulk`, which Cloudflare puts live."""
        before = self.catalogue.versions[0]
        self.progress(f"Writing {len(self.values)} secrets in one call")
        await secret.bulk(self.cloud, self.name, self.values, progress=quiet)
        kept = await remember(self.cloud, self.name, self.values, before=before, keeping=self.keeping)
        after = (await read_catalogue(self.cloud, self.name)).versions[0]
        return Rotation(
            self.name,
            tuple(self.values),
            (Replaced(before.id, after.id, after.number, 100),),
            (kept.warning,) if kept.warning else (),
        )

    async def split(self, newest: str) -> Rotation:
        """A successor for each version, then all of them take their places at once."""
        current = self.catalogue.current
        assert current is not None
        if any(share.version_id != newest for share in current.shares):
            await self._refuse_assets()
        worker = await worker_id(self.cloud, self.name)
        made: dict[str, tuple[str, int]] = {}
        # The newest first: while it is the newest, Cloudflare makes its successor itself.
        for share in sorted(current.shares, key=lambda one: one.version_id != newest):
            self.progress(f"Making the successor of {share.version_id[:8]} ({share.percentage:g} %)")
            make = self._from_latest if share.version_id == newest else self._from_code
            made[share.version_id] = await make(share.version_id, worker)
        warnings = await together(
            *(
                carry_to(self.cloud, worker, (old, new), self.values, self.keeping)
                for old, (new, _) in made.items()
            )
        )
        shares = [Share(made[one.version_id][0], one.percentage) for one in current.shares]
        message = await self._message({old: new for old, (new, _) in made.items()})
        await shift(self.cloud, self.name, shares, before=current, message=message, force=True)
        replaced = [Replaced(one.version_id, *made[one.version_id], one.percentage) for one in current.shares]
        said = tuple(dict.fromkeys(text for text in warnings if text))
        return Rotation(self.name, tuple(self.values), tuple(replaced), said)

    async def _refuse_assets(self) -> None:
        """Files of an older version cannot be read back, nor taken over by another version than the next."""
        service = await self.cloud.get(paths.service(self.cloud, self.name)) or {}
        script = (service.get("default_environment") or {}).get("script") or {}
        if script.get("has_assets"):
            raise ReleaseError(
                "TB4051",
                f'"{self.name}" has static assets, which only the newest version could hand on, and an older '
                "version has a share of the traffic.",
                hint="Finish or roll back the split first, or upload both versions again.",
            )

    async def _from_latest(self, version_id: str, _worker: str) -> tuple[str, int]:
        details = await read_details(self.cloud, self.name, version_id)
        body = {
            "env": {key: {"type": "secret_text", "text": value} for key, value in self.values.items()},
            "annotations": _annotations(details),
        }
        path = paths.worker(self.cloud, self.name, "versions/latest")
        made = await self.cloud.patch(path, json=body, headers=_MERGE_PATCH)
        number = int(made.get("number") or 0)
        if number and number != int(details.get("number") or 0) + 1:
            raise ConflictError(
                "TB4052",
                f'Another version of "{self.name}" was made at the same moment; nothing new is live.',
                hint="Run the same command again.",
            )
        return str(made["id"]), number

    async def _from_code(self, version_id: str, worker: str) -> tuple[str, int]:
        path = paths.worker(self.cloud, self.name, "versions")
        found: Mapping[str, Any] = await self.cloud.get(f"{path}/{version_id}", params={"include": "modules"})
        body = {
            **{key: found[key] for key in _KEPT if found.get(key) is not None},
            "modules": found.get("modules") or [],
            "bindings": self._bindings(version_id, found.get("bindings") or ()),
            "annotations": _annotations(found),
        }
        made = await self.cloud.post(path, json=body)
        there = {item.get("name") for item in made.get("bindings") or ()}
        lost = sorted({item["name"] for item in body["bindings"]} - there)
        if lost:
            raise ReleaseError(
                "TB4054",
                f"Cloudflare did not hand on {', '.join(lost)} to the successor of {version_id[:8]}. "
                "Nothing is live that was not.",
                hint="Upload that version again with its new secrets, or finish the split first.",
            )
        return str(made["id"]), int(made.get("number") or 0)

    def _bindings(self, version_id: str, bindings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Everything as the version has it, and the new values."""
        kept = [
            {"type": "inherit", "name": item["name"], "version_id": version_id}
            for item in bindings
            if item.get("name") not in self.values
        ]
        fresh = [{"type": "secret_text", "name": key, "text": value} for key, value in self.values.items()]
        return [*kept, *fresh]

    async def _message(self, names: Mapping[str, str]) -> str:
        """The current deployment's message with the new versions' ids in it: a rollout's state is there."""
        wire = await self.cloud.get(paths.script(self.cloud, self.name, "deployments"))
        newest = ((wire or {}).get("deployments") or [{}])[0]
        text = str((newest.get("annotations") or {}).get("workers/message") or "")
        for old, new in names.items():
            text = text.replace(old, new)
        return text or f"Rotate {', '.join(self.values)}"


def _annotations(record: Mapping[str, Any]) -> dict[str, str]:
    """What a version says of its origin, for its successor: the code is the same."""
    said = record.get("annotations") or (record.get("metadata") or {}).get("annotations") or {}
    return {
        key: said[key] for key in ("workers/message", "workers/tag", "workers/commit_sha") if said.get(key)
    }
