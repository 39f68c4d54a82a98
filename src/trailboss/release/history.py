"""`history`: the releases of a Worker, newest first: what went live, how, by whom, why, and on what proof.

One line per release: the many deployments of a rollout are one, told by the marks they carry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailboss.errors import TrailbossError
from trailboss.release.model import Deployment, Version, made_by_us
from trailboss.release.naming import Catalogue
from trailboss.release.proof import Proof, read_proof
from trailboss.release.reading import read_catalogue
from trailboss.release.together import together

if TYPE_CHECKING:
    from trailboss.cloud import Cloud, Target
    from trailboss.config import Project


@dataclass(frozen=True, slots=True)
class Release:
    """One release. `version` is what it put live (or tried to), `replaced` what had the traffic before;
    `kind` is "rollout", "deploy", "rollback" or "split"; `result` how a rollout ended or where it stands,
    else "live" for the current one and "replaced" for the others; `share` is the version's now (None: none);
    `shares` are those it had in turn; `proved` names environments in which the digest had all traffic."""

    created: str
    kind: str
    result: str
    version: str
    version_id: str
    replaced: str | None
    share: float | None
    shares: tuple[float, ...]
    who: str | None
    message: str | None
    tag: str | None
    git_sha: str | None
    digest: str | None
    proved: tuple[str, ...]
    current: bool
    rollout: str | None = None


@dataclass(frozen=True, slots=True)
class History:
    """The releases of `worker`, newest first; `unknown` names environments whose proof could not be read."""

    worker: str
    releases: tuple[Release, ...]
    unknown: tuple[str, ...] = ()


async def read_history(cloud: Cloud, name: str, proofs: Sequence[Proof] = (), key: str = "") -> History:
    """Two calls. `proofs` are of the other environments, `key` is the Worker's in the project. Raises
    ReleaseError TB4010 (no such Worker)."""
    catalogue = await read_catalogue(cloud, name)
    return History(name, tuple(tell(catalogue, proofs, key)))


async def read_proofs(
    project: Project, cloud: Cloud, target_of: Callable[[Project], Target], environ: Mapping[str, str]
) -> tuple[list[Proof], tuple[str, ...]]:
    """What the other environments of the project have proved, and those that could not be asked."""
    names = [name for name in project.environments if name != project.environment.name]

    async def ask(name: str) -> Proof | None:
        try:
            return await read_proof(project, name, cloud, target_of, environ)
        except TrailbossError:
            return None

    found = await together(*(ask(name) for name in names))
    known = [proof for proof in found if proof is not None]
    return known, tuple(name for name, proof in zip(names, found, strict=True) if proof is None)


def proved_by(
    version: Version, versions: tuple[Version, ...], proofs: Sequence[Proof], key: str
) -> tuple[str, ...]:
    """The environments in which the version's artifact had all traffic at some time."""
    digest = made_by_us(version, versions).digest
    return tuple(
        proof.environment for proof in proofs if digest and digest in proof.ever.get(key, frozenset())
    )


def tell(catalogue: Catalogue, proofs: Sequence[Proof], key: str) -> list[Release]:
    """The releases in a catalogue, newest first. Pure."""
    groups: list[list[Deployment]] = []
    for deployment in catalogue.deployments:
        same = groups and deployment.mark and groups[-1][-1].mark
        if same and groups[-1][-1].mark.id == deployment.mark.id:  # type: ignore[union-attr]
            groups[-1].append(deployment)
        else:
            groups.append([deployment])
    return [
        _release(group, groups[at + 1][0] if at + 1 < len(groups) else None, catalogue, proofs, key)
        for at, group in enumerate(groups)
    ]


def _release(
    group: list[Deployment],
    before: Deployment | None,
    catalogue: Catalogue,
    proofs: Sequence[Proof],
    key: str,
) -> Release:
    newest, first = group[0], group[-1]
    mark = newest.mark
    identifier = mark.canary if mark else _main(newest)
    version = catalogue.by_id(identifier)
    current = catalogue.current is not None and catalogue.current.id == newest.id
    replaced = mark.stable if mark else before.whole if before else None
    return Release(
        created=first.created,
        kind="rollout" if mark else _kind(newest, before),
        result=mark.phase.value if mark else "live" if current else "replaced",
        version=version.label if version else identifier[:8],
        version_id=identifier,
        replaced=_label(catalogue, replaced),
        share=version.share if version else None,
        shares=_shares(group, identifier),
        who=newest.author or (mark.who if mark else None),
        message=newest.message or (version.message if version else None),
        tag=version.tag if version else None,
        git_sha=version.git_sha if version else None,
        digest=made_by_us(version, catalogue.versions).digest if version else None,
        proved=proved_by(version, catalogue.versions, proofs, key) if version else (),
        current=current,
        rollout=mark.id if mark else None,
    )


def _main(deployment: Deployment) -> str:
    """The version with the larger share."""
    return max(deployment.shares, key=lambda share: share.percentage).version_id if deployment.shares else ""


def _label(catalogue: Catalogue, version_id: str | None) -> str | None:
    if version_id is None:
        return None
    found = catalogue.by_id(version_id)
    return found.label if found else version_id[:8]


def _kind(deployment: Deployment, before: Deployment | None) -> str:
    if len([share for share in deployment.shares if share.percentage]) > 1:
        return "split"
    message = (deployment.message or "").lower()
    if deployment.source == "rollback" or message.startswith("rollback"):
        return "rollback"
    return "secret change" if deployment.source == "secret" else "deploy"


def _shares(group: list[Deployment], version_id: str) -> tuple[float, ...]:
    found: list[float] = []
    for deployment in reversed(group):
        share = deployment.share_of(version_id) or 0.0
        if not found or found[-1] != share:
            found.append(share)
    return tuple(found)
