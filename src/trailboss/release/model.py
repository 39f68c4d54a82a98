"""Versions and deployments as the account reports them, under our names.

Cloudflare: a version is an upload with its bindings and secrets; a deployment says which one or two
versions share the traffic (cloudflare-api-core section 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trailboss.release.stamp import Stamp, read_stamp

if TYPE_CHECKING:
    from trailboss.release.rollout.mark import Mark

_TRIGGERS = {
    "upload": "upload",
    "version_upload": "upload",
    "create_version_api": "upload",
    "secret": "secret change",
    "rollback": "rollback",
    "promotion": "promotion",
    "deployment": "deployment",
}


@dataclass(frozen=True, slots=True)
class Share:
    """One version's part of the traffic, in percent (0 to 100)."""

    version_id: str
    percentage: float


@dataclass(frozen=True, slots=True)
class Version:
    """One uploaded version.

    `number` counts up per Worker (shown as `v12`); `created` is ISO 8601 in UTC; `source` says what made
    it ("upload", "secret change", "dash", ...); `digest` is the artifact's ("sha256:..."), None when
    something else uploaded it; `share` is its percent of traffic in the current deployment, None when it
    is not in it."""

    id: str
    number: int
    created: str
    author: str | None
    source: str
    message: str | None
    tag: str | None
    alias: str | None
    git_sha: str | None
    digest: str | None
    wiring: str | None = None
    share: float | None = None

    @property
    def label(self) -> str:
        return f"v{self.number}" if self.number else self.id[:8]


@dataclass(frozen=True, slots=True)
class Deployment:
    """Which versions got which share of the traffic, from when on (`created`, ISO 8601 UTC), and why.

    `mark` is the state of the rollout that wrote it, None for any other deployment."""

    id: str
    created: str
    author: str | None
    source: str
    message: str | None
    shares: tuple[Share, ...]
    mark: Mark | None = None

    def share_of(self, version_id: str) -> float | None:
        """The percentage of `version_id`, None when it is not part of this deployment."""
        return next((share.percentage for share in self.shares if share.version_id == version_id), None)

    @property
    def whole(self) -> str | None:
        """The version that has all the traffic, None while it is split."""
        return next((share.version_id for share in self.shares if share.percentage == 100), None)


def read_version(wire: Mapping[str, Any]) -> Version:
    """A Version from an item of `GET versions` or the reply of `GET versions/<id>`."""
    metadata = wire.get("metadata") or {}
    annotations = wire.get("annotations") or metadata.get("annotations") or {}
    stamp: Stamp = read_stamp(annotations)
    triggered_by = annotations.get("workers/triggered_by")
    return Version(
        id=str(wire.get("id") or ""),
        number=int(wire.get("number") or 0),
        created=str(metadata.get("created_on") or ""),
        author=metadata.get("author_email") or None,
        source=_TRIGGERS.get(triggered_by or "", triggered_by) or str(metadata.get("source") or "unknown"),
        message=stamp.message,
        tag=stamp.tag,
        alias=annotations.get("workers/alias"),
        git_sha=stamp.git_sha,
        digest=stamp.digest,
        wiring=stamp.wiring,
    )


def read_deployment(wire: Mapping[str, Any]) -> Deployment:
    """A Deployment from an item of `GET deployments`."""
    annotations = wire.get("annotations") or {}
    message, mark = _rollout(annotations.get("workers/message"))
    return Deployment(
        id=str(wire.get("id") or ""),
        created=str(wire.get("created_on") or ""),
        author=wire.get("author_email") or None,
        source=str(annotations.get("workers/triggered_by") or wire.get("source") or "unknown"),
        message=read_stamp({"workers/message": message}).message if message else None,
        shares=tuple(
            Share(str(item["version_id"]), tidy(float(item["percentage"])))
            for item in wire.get("versions") or ()
        ),
        mark=mark,
    )


def _rollout(message: str | None) -> tuple[str | None, Mark | None]:
    """A deployment's words, and the rollout they end in; nothing more is loaded where there is none."""
    if not message or "[rollout " not in message:
        return message, None
    from trailboss.release.rollout.mark import read_mark, words_of

    return words_of(message), read_mark(message)


def with_shares(versions: Sequence[Version], current: Deployment | None) -> tuple[Version, ...]:
    """The same versions, each with its share of `current`."""
    if current is None:
        return tuple(versions)
    return tuple(replace(version, share=current.share_of(version.id)) for version in versions)


def tidy(percentage: float) -> float:
    """90.0 as 90, so that JSON and people see the number that was typed."""
    return int(percentage) if percentage == int(percentage) else percentage


def made_by_us(version: Version, versions: tuple[Version, ...]) -> Version:
    """The version whose code and bindings `version` has: itself, or what a secret was written on top of.

    Writing a secret makes a version without our stamp; its code and bindings are those of the version
    before it."""
    by_number = {item.number: item for item in versions}
    while version.digest is None and version.source == "secret change" and version.number - 1 in by_number:
        version = by_number[version.number - 1]
    return version
