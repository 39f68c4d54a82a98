"""`versions list|view|deploy`: the uploads of a Worker, and the split of its traffic between two of
them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailboss.errors import ReleaseError
from trailboss.release.callbacks import Confirm, Progress, quiet
from trailboss.release.deployments import DeploymentView, view
from trailboss.release.model import Deployment, Share, Version, read_version
from trailboss.release.naming import Catalogue, resolve
from trailboss.release.reading import read_catalogue, read_details
from trailboss.release.rollback import migration_tag, refuse_across_migrations
from trailboss.release.splits import read_splits
from trailboss.release.traffic import shift

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

_TEXT = 60


@dataclass(frozen=True, slots=True)
class VersionList:
    """Versions of `worker` that can be deployed, newest first (Cloudflare keeps the last 100 so)."""

    worker: str
    versions: tuple[Version, ...]


@dataclass(frozen=True, slots=True)
class BindingView:
    """A binding as the account has it: `detail` is what it points to; secrets have none, ever."""

    name: str
    type: str
    detail: str


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version with everything it carries."""

    worker: str
    version: Version
    compatibility_date: str | None
    compatibility_flags: tuple[str, ...]
    handlers: tuple[str, ...]
    bindings: tuple[BindingView, ...]
    secrets: tuple[str, ...]
    migration_tag: str | None
    startup_time_ms: int | None


@dataclass(frozen=True, slots=True)
class SplitResult:
    """The deployment as read back. `changed` is False when the traffic was already split like this."""

    worker: str
    before: DeploymentView | None
    deployment: DeploymentView
    changed: bool


async def list_versions(cloud: Cloud, name: str) -> VersionList:
    """All deployable versions with their traffic shares. Two calls. Raises ReleaseError TB4010 (no such
    Worker)."""
    catalogue = await read_catalogue(cloud, name)
    return VersionList(name, catalogue.versions)


async def view_version(cloud: Cloud, name: str, version: str) -> VersionView:
    """The version with any of its names, in full. Three calls. Raises ReleaseError TB4001, TB4002,
    TB4003, TB4010."""
    catalogue = await read_catalogue(cloud, name)
    found = resolve(version, catalogue)
    return _view(name, found, await read_details(cloud, name, found.id))


async def deploy_versions(
    cloud: Cloud,
    name: str,
    specs: Sequence[str],
    *,
    message: str | None = None,
    force: bool = False,
    confirm: Confirm | None = None,
    progress: Progress = quiet,
) -> SplitResult:
    """Split the traffic as `specs` say: `["v12"]`, `["v12@90", "v13@10"]`, `["v12", "v13@0"]`.

    One write, and none when the traffic is split like this already and there is no message to record.
    Raises UsageError TB9401-TB9405 (percentages), ReleaseError TB4001-TB4003 (naming), TB4010, TB4031
    (migration), TB4040 (both names mean one version) and what `traffic.shift` raises."""
    splits = read_splits(specs)
    progress(f"Reading versions and deployments of {name}")
    catalogue = await read_catalogue(cloud, name)
    found = [resolve(split.name, catalogue) for split in splits]
    if len({version.id for version in found}) != len(found):
        raise ReleaseError(
            "TB4040",
            f'"{splits[0].name}" and "{splits[1].name}" are the same version, {found[0].label}.',
            hint="Name two versions, or one.",
        )
    shares = [Share(version.id, split.percentage) for version, split in zip(found, splits, strict=True)]
    current = catalogue.current
    if current and set(current.shares) == set(shares) and not message:
        return _unchanged(name, current, catalogue)
    for version in found:
        await refuse_across_migrations(cloud, name, version, catalogue)
    progress("Giving " + " and ".join(f"{split.percentage} % to {split.name}" for split in splits))
    after, *_ = await shift(
        cloud, name, shares, before=current, message=message, force=force, confirm=confirm
    )
    return SplitResult(
        name, view(current, catalogue) if current else None, view(after, catalogue.moved(after)), changed=True
    )


def _unchanged(name: str, current: Deployment, catalogue: Catalogue) -> SplitResult:
    shown = view(current, catalogue)
    return SplitResult(name, shown, shown, changed=False)


def _view(name: str, listed: Version, record: Mapping[str, Any]) -> VersionView:
    full = read_version({**record, "id": listed.id, "number": record.get("number") or listed.number})
    resources = record.get("resources") or {}
    script, runtime = resources.get("script") or {}, resources.get("script_runtime") or {}
    bindings = list(resources.get("bindings") or ())
    startup = record.get("startup_time_ms")
    return VersionView(
        worker=name,
        version=_merge(listed, full),
        compatibility_date=runtime.get("compatibility_date"),
        compatibility_flags=tuple(runtime.get("compatibility_flags") or ()),
        handlers=tuple(script.get("handlers") or ()),
        bindings=tuple(_binding(item) for item in bindings if not _is_secret(item)),
        secrets=tuple(sorted(str(item.get("name")) for item in bindings if _is_secret(item))),
        migration_tag=migration_tag(record),
        startup_time_ms=int(startup) if startup else None,
    )


def _merge(listed: Version, full: Version) -> Version:
    """The single record is the authority where it says more than the list; the list knows the share."""
    from dataclasses import replace

    return replace(
        listed,
        message=full.message or listed.message,
        tag=full.tag or listed.tag,
        alias=full.alias or listed.alias,
        digest=full.digest or listed.digest,
        git_sha=full.git_sha or listed.git_sha,
    )


def _is_secret(binding: Mapping[str, Any]) -> bool:
    return binding.get("type") in ("secret_text", "secret_key")


def _binding(binding: Mapping[str, Any]) -> BindingView:
    """Name, type, and the other fields as `field=value`; long variables are cut, line breaks shown as
    \\n."""
    rest = {
        key: value
        for key, value in binding.items()
        if key not in ("name", "type") and value not in (None, "")
    }
    if len(rest) == 1:
        detail = str(next(iter(rest.values())))
    else:
        detail = ", ".join(f"{key}={value}" for key, value in rest.items())
    detail = re.sub(r"\s*\n\s*", r"\\n", detail)
    return BindingView(
        name=str(binding.get("name") or ""),
        type=str(binding.get("type") or "unknown"),
        detail=detail if len(detail) <= _TEXT else detail[: _TEXT - 1] + "…",
    )
