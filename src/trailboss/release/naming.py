"""From what a user types to the one version it means.

`v12` (Cloudflare's number), a full id, the beginning of an id, a git commit (seven digits or more), a
tag, a preview alias, `latest` (the newest upload) and `previous` (what had all the traffic before now). A
word that could mean two different versions is refused with the list: guessing here moves production
traffic."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from trailboss.errors import ReleaseError
from trailboss.release.draft import MESSAGE as DRAFT
from trailboss.release.model import Deployment, Version, made_by_us, with_shares

_NUMBER = re.compile(r"v(\d+)", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]+(-[0-9a-f]*)*")
_SHORTEST_ID, _SHORTEST_SHA = 4, 7


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What names are resolved against: `versions` and `deployments`, both newest first."""

    versions: tuple[Version, ...]
    deployments: tuple[Deployment, ...] = ()

    @property
    def current(self) -> Deployment | None:
        return self.deployments[0] if self.deployments else None

    def moved(self, to: Deployment) -> Catalogue:
        """The same after traffic moved: `to` is the newest deployment, and versions have its shares."""
        return Catalogue(with_shares(self.versions, to), (to, *self.deployments))

    def by_id(self, version_id: str) -> Version | None:
        return next((version for version in self.versions if version.id == version_id), None)


def resolve(name: str, catalogue: Catalogue) -> Version:
    """The version `name` means; of several uploads of one commit and the same bytes the newest.

    Raises ReleaseError TB4001 (nothing is called that; the hint has the nearest names), TB4002 (several
    are) and TB4003 (`previous`, and there is none)."""
    word = name.strip()
    exact = catalogue.by_id(word.lower())
    if exact is not None:
        return exact
    found = {version.id: version for version in _matches(word, catalogue)}
    if len(found) == 1 or _are_same(list(found.values())):
        return next(iter(found.values()))
    if found:
        raise _ambiguous(word, list(found.values()))
    if word.lower() == "previous":
        raise ReleaseError(
            "TB4003",
            "There is no previous version: no earlier deployment gave all traffic to another version.",
            hint="Name a version instead: `trailboss versions list` shows them.",
        )
    raise _unknown(word, catalogue)


def _are_same(found: Sequence[Version]) -> bool:
    """Whether they are one commit with one digest, uploaded again: a pipeline that was run twice."""
    same = {(version.git_sha, version.digest) for version in found}
    return len(found) > 1 and len(same) == 1 and all(next(iter(same)))


def previous(catalogue: Catalogue) -> Version | None:
    """Where a rollback goes by default: what a rollout that was promoted has replaced; else the version at
    exactly 100 % in the latest earlier deployment that had one which is not carrying all of the traffic
    already (wrangler's rule, which may pick the live version itself), and is no draft."""
    live = catalogue.current.whole if catalogue.current else None
    mark = catalogue.current.mark if catalogue.current else None
    replaced = catalogue.by_id(mark.stable) if mark and mark.phase == "promoted" else None
    if replaced is not None:
        return replaced
    for deployment in catalogue.deployments[1:]:
        if deployment.whole and deployment.whole != live:
            found = catalogue.by_id(deployment.whole)
            if found is not None and made_by_us(found, catalogue.versions).message != DRAFT:
                return found
    return None


def _matches(word: str, catalogue: Catalogue) -> list[Version]:
    versions, lower = catalogue.versions, word.lower()
    matches = [version for version in versions if word and word in (version.tag, version.alias)]
    number = _NUMBER.fullmatch(word)
    if number:
        matches += [version for version in versions if version.number == int(number[1])]
    if lower == "latest":
        matches += versions[:1]
    if lower == "previous":
        earlier = previous(catalogue)
        matches += [earlier] if earlier else []
    if _HEX.fullmatch(lower):
        matches += _by_hex(lower, versions)
    return matches


def _by_hex(word: str, versions: Sequence[Version]) -> list[Version]:
    found = []
    if len(word) >= _SHORTEST_ID:
        found += [version for version in versions if version.id.startswith(word)]
    if len(word) >= _SHORTEST_SHA:
        found += [version for version in versions if version.git_sha and version.git_sha.startswith(word)]
    return found


def _ambiguous(word: str, found: Sequence[Version]) -> ReleaseError:
    listed = "; ".join(_describe(version) for version in found)
    return ReleaseError(
        "TB4002",
        f'"{word}" could mean {len(found)} versions: {listed}.',
        hint=f"Use the number (v{found[0].number}) or the full id.",
    )


def _describe(version: Version) -> str:
    parts = [version.label, version.id[:8], version.created[:16].replace("T", " ")]
    parts += [f"tag {version.tag}"] if version.tag else []
    parts += [f"git {version.git_sha[:7]}"] if version.git_sha else []
    return " ".join(part for part in parts if part)


def _unknown(word: str, catalogue: Catalogue) -> ReleaseError:
    if not catalogue.versions:
        hint = "This Worker has no versions yet; deploy it first."
    else:
        near = nearest(word, catalogue)
        hint = f"Did you mean {' or '.join(near)}? " if near else ""
        hint += "`trailboss versions list` shows all of them."
    return ReleaseError("TB4001", f'No version is called "{word}".', hint=hint)


def nearest(word: str, catalogue: Catalogue, count: int = 3) -> list[str]:
    """The names closest to `word`, best first: numbers by distance, everything else by spelling."""
    number = _NUMBER.fullmatch(word)
    if number:
        wanted = int(number[1])
        by_distance = sorted(catalogue.versions, key=lambda version: abs(version.number - wanted))
        return [version.label for version in by_distance[:count]]
    names = ["latest", "previous"]
    for version in catalogue.versions:
        names += [version.label, version.id, version.id[:8], version.tag or "", version.alias or ""]
        names += [version.git_sha[: max(len(word), 7)]] if version.git_sha else []
    return difflib.get_close_matches(word, list(dict.fromkeys(filter(None, names))), n=count, cutoff=0.5)
