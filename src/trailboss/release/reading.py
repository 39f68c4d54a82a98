"""What the account says about one Worker's versions and deployments: the reads every verb begins with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trailboss.errors import CloudError, ReleaseError
from trailboss.release import paths
from trailboss.release.model import Deployment, Version, read_deployment, read_version, with_shares
from trailboss.release.naming import Catalogue
from trailboss.release.together import together

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


async def read_deployments(cloud: Cloud, name: str) -> tuple[Deployment, ...]:
    """The Worker's deployments, newest first; the first is the current one. One call."""
    wire = await cloud.get(paths.script(cloud, name, "deployments"))
    return tuple(read_deployment(item) for item in _items(wire, "deployments"))


async def read_versions(cloud: Cloud, name: str) -> tuple[Version, ...]:
    """The versions that can be deployed (Cloudflare keeps the last 100 so), newest first. One call."""
    wire = await cloud.get(paths.script(cloud, name, "versions"), params={"deployable": "true"})
    found = [read_version(item) for item in _items(wire, "items")]
    return tuple(sorted(found, key=lambda version: (version.number, version.created), reverse=True))


async def read_catalogue(cloud: Cloud, name: str) -> Catalogue:
    """Versions (with their shares) and deployments: two calls at the same time.

    Raises ReleaseError TB4010 when there is no such Worker.
    """
    try:
        versions, deployments = await together(read_versions(cloud, name), read_deployments(cloud, name))
    except CloudError as error:
        if paths.is_missing(error):
            raise no_such_worker(name) from error
        raise
    current = deployments[0] if deployments else None
    return Catalogue(with_shares(versions, current), deployments)


async def read_details(cloud: Cloud, name: str, version_id: str) -> Mapping[str, Any]:
    """Cloudflare's full record of one version: bindings, handlers, compatibility, migration tag. One
    call."""
    wire: Mapping[str, Any] = await cloud.get(paths.script(cloud, name, "versions", version_id))
    return wire


def no_such_worker(name: str) -> ReleaseError:
    """The refusal of every verb that needs a Worker which exists (TB4010)."""
    return ReleaseError(
        "TB4010",
        f'There is no Worker called "{name}" in this account.',
        hint="Deploy it first, or check the environment and the target this command printed.",
    )


def _items(wire: Any, key: str) -> list[Mapping[str, Any]]:
    if isinstance(wire, Mapping):
        return list(wire.get(key) or ())
    return list(wire or ())
