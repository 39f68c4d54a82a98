"""`deployments list` and `deployments status`: who gets the traffic, and who got it before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailboss.release.model import Deployment, Version
from trailboss.release.naming import Catalogue
from trailboss.release.reading import read_catalogue

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


@dataclass(frozen=True, slots=True)
class DeployedVersion:
    """A version within a deployment. `version` is None when it is too old to be listed (beyond the last
    100)."""

    id: str
    percentage: float
    version: Version | None


@dataclass(frozen=True, slots=True)
class DeploymentView:
    """One deployment with its versions spelled out; `current` marks the live one."""

    id: str
    created: str
    author: str | None
    source: str
    message: str | None
    current: bool
    versions: tuple[DeployedVersion, ...]


@dataclass(frozen=True, slots=True)
class DeploymentList:
    """The deployments of `worker`, newest first."""

    worker: str
    deployments: tuple[DeploymentView, ...]


async def list_deployments(cloud: Cloud, name: str) -> DeploymentList:
    """All deployments Cloudflare remembers, newest first. Two calls. Raises ReleaseError TB4010 (no such
    Worker)."""
    catalogue = await read_catalogue(cloud, name)
    return DeploymentList(name, tuple(view(item, catalogue) for item in catalogue.deployments))


async def status(cloud: Cloud, name: str) -> DeploymentView | None:
    """The current deployment, None when nothing was ever deployed. Two calls. Raises ReleaseError
    TB4010."""
    catalogue = await read_catalogue(cloud, name)
    return view(catalogue.current, catalogue) if catalogue.current else None


def view(deployment: Deployment, catalogue: Catalogue) -> DeploymentView:
    """`deployment` with the versions of `catalogue` filled in."""
    current = catalogue.current
    return DeploymentView(
        id=deployment.id,
        created=deployment.created,
        author=deployment.author,
        source=deployment.source,
        message=deployment.message,
        current=current is not None and current.id == deployment.id,
        versions=tuple(
            DeployedVersion(share.version_id, share.percentage, catalogue.by_id(share.version_id))
            for share in deployment.shares
        ),
    )
