"""`secret status`: does what runs have the values of the vault?

No value is stored, sent or shown: fingerprints of the values at hand are compared with those that were kept
when the versions' secrets were written (`secret_marks`). Without a fingerprint the answer is "unknown"."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from trailboss.errors import CloudError, ReleaseError
from trailboss.release.callbacks import Progress, quiet
from trailboss.release.model import Share
from trailboss.release.reading import read_catalogue, read_details
from trailboss.release.secret_marks import read_marks, worker_id
from trailboss.release.together import together
from trailboss.secrets.fingerprint import Fingerprints, key_id
from trailboss.values import Secret

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.release.naming import Catalogue

SECRET = ("secret_text", "secret_key")


class State(StrEnum):
    """What can be said of one secret of one version."""

    MATCHES = "matches"
    DIFFERS = "differs"
    MISSING = "missing"
    """It is wanted, and the version does not have it."""
    UNKNOWN = "unknown"
    """The version has it, and no fingerprint tells which value."""
    UNLISTED = "unlisted"
    """The version has it, and nobody here wants it."""


@dataclass(frozen=True, slots=True)
class SecretState:
    """One secret of a version; `why` explains "unknown"."""

    name: str
    state: State
    why: str = ""


@dataclass(frozen=True, slots=True)
class VersionSecrets:
    """The secrets of one version that is deployed, with its percent of the traffic."""

    version_id: str
    number: int
    share: float
    secrets: tuple[SecretState, ...]


@dataclass(frozen=True, slots=True)
class SecretStatus:
    """`in_sync` is True when everything wanted matches in every deployed version, False when something
    differs or is missing, None when that is not known."""

    worker: str
    in_sync: bool | None
    versions: tuple[VersionSecrets, ...]


async def status(
    cloud: Cloud,
    name: str,
    wanted: Mapping[str, Secret],
    *,
    required: Iterable[str] = (),
    key: Secret | None = None,
    progress: Progress = quiet,
) -> SecretStatus:
    """Compare `wanted` with each version that is deployed; of `required` only that they are there.

    Three calls, and two for each version. Raises ReleaseError TB4010 (no such Worker), TB4030 (nothing is
    deployed)."""
    progress(f"Reading what runs of {name}")
    catalogue = await read_catalogue(cloud, name)
    if catalogue.current is None:
        raise ReleaseError("TB4030", f'"{name}" has no deployment yet.', hint="Deploy it first.")
    worker = await worker_id(cloud, name)
    asked = _Asked(cloud, name, worker, catalogue, dict(wanted), tuple(required), key)
    versions = await together(*(asked.version(share) for share in catalogue.current.shares))
    return SecretStatus(name, in_sync(versions), tuple(versions))


def in_sync(versions: Iterable[VersionSecrets]) -> bool | None:
    """Whether everything matches; None when nothing is known to be wrong, and not everything is known."""
    states = {secret.state for version in versions for secret in version.secrets}
    if states & {State.DIFFERS, State.MISSING}:
        return False
    return None if State.UNKNOWN in states else True


@dataclass(frozen=True, slots=True)
class _Asked:
    cloud: Cloud
    name: str
    worker: str
    catalogue: Catalogue
    wanted: Mapping[str, Secret]
    required: tuple[str, ...]
    key: Secret | None

    async def version(self, share: Share) -> VersionSecrets:
        """One deployed version."""
        details, (marks, why) = await together(
            read_details(self.cloud, self.name, share.version_id), self._marks(share.version_id)
        )
        names = secret_names(details)
        here = {name: value for name, value in self.wanted.items() if marks and name in marks.prints}
        prints = await asyncio.to_thread(marks.of, here, self.key) if marks and here else {}
        known = self.catalogue.by_id(share.version_id)
        everything = sorted({*self.wanted, *self.required, *names})
        states = tuple(self._state(one, names, marks, prints, why) for one in everything)
        return VersionSecrets(share.version_id, known.number if known else 0, share.percentage, states)

    async def _marks(self, version_id: str) -> tuple[Fingerprints | None, str]:
        """The version's fingerprints, or why there are none."""
        try:
            marks = await read_marks(self.cloud, self.worker, version_id)
        except CloudError as error:
            return None, f"tags cannot be read: {error.message}"
        if marks is None:
            return None, self._nobody(version_id)
        if marks.key_id != key_id(self.key):
            return None, "its fingerprints were made with another [secrets] fingerprint_key"
        return marks, ""

    def _nobody(self, version_id: str) -> str:
        version = self.catalogue.by_id(version_id)
        made = f" ({version.source}{f' by {version.author}' if version.author else ''})" if version else ""
        return f"this version has no fingerprints{made}"

    def _state(
        self,
        name: str,
        names: frozenset[str],
        marks: Fingerprints | None,
        prints: Mapping[str, str],
        why: str,
    ) -> SecretState:
        if name not in names:
            return SecretState(name, State.MISSING)
        if name not in self.wanted:
            listed = name in self.required
            return SecretState(
                name,
                State.UNKNOWN if listed else State.UNLISTED,
                "no value to compare with" if listed else "",
            )
        if marks is None or name not in marks.prints:
            return SecretState(name, State.UNKNOWN, why or "it was written by something else")
        same = marks.prints[name] == prints[name]
        return SecretState(name, State.MATCHES if same else State.DIFFERS)


def secret_names(details: Mapping[str, Any]) -> frozenset[str]:
    """The names of the secrets in Cloudflare's record of a version."""
    bindings = (details.get("resources") or {}).get("bindings") or ()
    return frozenset(str(item.get("name")) for item in bindings if item.get("type") in SECRET)
