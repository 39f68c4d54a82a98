"""What lower environments have proved: a digest that had all of an environment's traffic.

The proof is on the account: the stamp on the version that is alone in the lower environment's deployment. A
protected environment takes no other digest unless forced, and then it says so for ever."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trailboss.errors import CloudError, RefusedError
from trailboss.release import paths
from trailboss.release.deciding import is_this
from trailboss.release.model import made_by_us
from trailboss.release.passing import Go, Pass, Stop
from trailboss.release.reading import read_deployments, read_versions
from trailboss.release.together import together

if TYPE_CHECKING:
    from trailboss.build import Artifact
    from trailboss.cloud import Cloud, Target
    from trailboss.config import Project
    from trailboss.release.model import Deployment, Version
    from trailboss.release.outcomes import DeployOptions


@dataclass(frozen=True, slots=True)
class Proof:
    """What one environment has, by the Workers' keys: the digest (and commit) that has all traffic `live`
    now, and every digest that `ever` had it."""

    environment: str
    live: Mapping[str, str]
    commits: Mapping[str, str]
    ever: Mapping[str, frozenset[str]]


async def read_proof(
    project: Project,
    environment: str,
    cloud: Cloud,
    target_of: Callable[[Project], Target] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Proof:
    """What `environment` of the project has proved. Two calls for each Worker. Raises ConfigError TB1102 for
    an environment there is not."""
    from trailboss.cloud import Cloud
    from trailboss.config import Project

    environ = os.environ if environ is None else environ
    other = Project.load(project.root, environment=environment, environ=environ)
    target = target_of(other) if target_of else cloud.target
    if target == cloud.target:
        return await _read(other, environment, cloud)
    async with Cloud(target) as elsewhere:
        return await _read(other, environment, elsewhere)


async def _read(project: Project, environment: str, cloud: Cloud) -> Proof:
    live, commits, ever = {}, {}, {}
    found = await together(*(_releases(cloud, worker.name) for worker in project.workers))
    for worker, (versions, deployments) in zip(project.workers, found, strict=True):
        digests = {version.id: made_by_us(version, versions) for version in versions}
        wholes = [whole for one in deployments if (whole := digests.get(one.whole or ""))]
        ever[worker.key] = frozenset(version.digest for version in wholes if version.digest)
        now = digests.get(deployments[0].whole or "") if deployments else None
        if now is not None and now.digest:
            live[worker.key], commits[worker.key] = now.digest, now.git_sha or ""
    return Proof(environment, live, commits, ever)


async def _releases(cloud: Cloud, script: str) -> tuple[Sequence[Version], Sequence[Deployment]]:
    try:
        versions, deployments = await together(read_versions(cloud, script), read_deployments(cloud, script))
    except CloudError as error:
        if not paths.is_missing(error):
            raise
        return (), ()
    return versions, deployments


def lower_environments(project: Project, after: tuple[str, ...] | None) -> tuple[str, ...]:
    """Those that have to prove a digest first: as configured, else every other unprotected one."""
    if after is not None:
        return after
    if not project.protected:
        return ()
    settings = project.settings.environments
    mine = project.environment.name
    return tuple(
        name
        for name in project.environments
        if name != mine and not (name in settings and settings[name].protected)
    )


async def require(project: Project, checked: Sequence[Go | Stop], cloud: Cloud) -> list[Go | Stop]:
    """The same steps, where every new digest is proved; with a warning and a note in its message where it is
    not and force was used.

    Configured environments must all have it live; by default one is enough. Raises RefusedError TB4420."""
    options = checked[0].now.options
    after = options.rollout.after if options.rollout else None
    names = lower_environments(project, after)
    fresh = [step for step in checked if _is_new(step)]
    if not names or not any(step.now.artifact for step in fresh):
        return list(checked)
    proofs = await together(*(_proof(project, name, cloud, options) for name in names))
    needed = all if after is not None else any
    result: list[Go | Stop] = []
    for step in checked:
        now = step.now
        if step not in fresh or now.artifact is None or needed(_proves(proof, now) for proof in proofs):
            result.append(step)
        else:
            result.append(replace(step, now=_unproved(project, now, names)))
    return result


async def _proof(project: Project, name: str, cloud: Cloud, options: DeployOptions) -> Proof:
    """What is promoted was read a moment ago."""
    known = options.promoted
    if known is not None and known.environment == name:
        return known
    return await read_proof(project, name, cloud, options.target_of)


def _is_new(step: Go | Stop) -> bool:
    """Whether a version would get traffic that has none now; a dry run has stopped already."""
    now = step.now
    if isinstance(step, Go):
        return now.upload or now.waiting is not None
    if not now.options.dry_run or now.seen is None or now.artifact is None:
        return False
    return now.seen.live is None or not is_this(now, now.seen.live)


def _proves(proof: Proof, now: Pass) -> bool:
    return now.artifact is not None and proof.live.get(now.worker.key) == now.artifact.digest


def _unproved(project: Project, now: Pass, names: tuple[str, ...]) -> Pass:
    assert now.artifact is not None
    where, digest = " or ".join(names), now.artifact.digest[:19]
    said = f"{now.name}: no lower environment ({where}) has {digest} live"
    if now.options.dry_run:
        return now.noting(warnings=(*now.report.warnings, f"{said}; the deploy would be refused"))
    if not now.options.force:
        raise RefusedError(
            "TB4420",
            f"{said}, so {project.environment.name or 'this environment'} does not take it.",
            hint=f"Deploy it to {names[-1]} first, or use --force: that is recorded.",
        )
    words = f"{now.options.message or ''} (forced: not proved by {where})".strip()
    forced = replace(now.options, message=words)
    return replace(now, options=forced).noting(warnings=(*now.report.warnings, f"{said}; forced"))


def wanted_digest(now: Pass) -> str:
    """The digest that is to be promoted. Raises RefusedError TB4422 when the lower environment has none."""
    wanted = now.options.promoted.live.get(now.worker.key) if now.options.promoted else None
    if wanted is None:
        raise RefusedError(
            "TB4422",
            f'There is no digest of "{now.worker.key}" to promote: nothing we built has all traffic there.',
            hint="Deploy it there first.",
        )
    return wanted


def refuse_another(now: Pass, artifact: Artifact) -> None:
    """Raises RefusedError TB4421 when what was built here is not what is to be promoted."""
    wanted = wanted_digest(now)
    if artifact.digest != wanted:
        raise RefusedError(
            "TB4421",
            f"{now.name}: what is here builds {artifact.digest[:19]}, and {wanted[:19]} is to be promoted.",
            hint="Check out the commit it was made from (`trailboss versions list` names it), then again.",
        )
