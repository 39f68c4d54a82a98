"""In what two environments differ beyond their settings: the resources they want, and what is live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from trailboss.cli.plans import in_environment
from trailboss.config.compare import HIDDEN, Difference, differences

if TYPE_CHECKING:
    from trailboss.cli.run import Run
    from trailboss.cloud import Cloud
    from trailboss.config import Project

Table = dict[str, Any]


def of_files(a: Project, b: Project) -> tuple[Difference, ...]:
    """Settings, Workers, and the resources that each of them wants, whichever file says so."""
    kept = [one for one in differences(a, b) if one.worker or not one.key.startswith("resources.")]
    return (*kept, *_resources(a, b))


def of_accounts(run: Run, a: str, b: str) -> tuple[Difference, ...]:
    """Names of secrets and versions with traffic, Worker by Worker, each side in its own account."""
    left, right = _live(run, a), _live(run, b)
    found: list[Difference] = []
    for key in dict.fromkeys([*left, *right]):
        one, other = left.get(key, {}), right.get(key, {})
        for place in dict.fromkeys([*one, *other]):
            if one.get(place) != other.get(place):
                found.append(Difference(key, place, one.get(place), other.get(place), expected=False))
    return tuple(found)


def _resources(a: Project, b: Project) -> Iterator[Difference]:
    names = (a.environment.name or "", b.environment.name or "")
    left, right = _wanted(a), _wanted(b)
    for address in dict.fromkeys([*left, *right]):
        one, other = left.get(address), right.get(address)
        if one is None or other is None:
            yield Difference(None, f"resources.{address}", one, other, expected=False)
            continue
        for field in dict.fromkeys([*one, *other]):
            before, after = one.get(field), other.get(field)
            if before != after:
                expected = _neutral(before, names[0]) == _neutral(after, names[1])
                yield Difference(None, f"resources.{address}.{field}", before, after, expected=expected)


def _wanted(project: Project) -> dict[str, Table]:
    """Address (without the environment's name) -> what its spec says, references by their names."""
    from trailboss.plan.wanted import wanted

    name = project.environment.name or ""
    found = wanted(project).resources
    return {f"{one.kind}.{_neutral(one.key, name)}": _plain(one.spec) for one in found}


def _plain(spec: Any) -> Table:
    from trailboss.resources.marks import UNSET, Mark, is_secret, mark_of

    found: Table = {}
    for place in fields(spec):
        value = getattr(spec, place.name)
        if value is UNSET or mark_of(place) is Mark.MARKER:
            continue
        hidden = is_secret(place) and not str(value).startswith(("op://", "${"))
        found[place.name] = HIDDEN if hidden else _text(value)
    return found


def _text(value: Any) -> Any:
    from trailboss.resources.marks import Ref

    if isinstance(value, Ref):
        return value.form.format(value.name)
    if isinstance(value, Mapping):
        return {str(name): _text(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_text(inner) for inner in value]
    return value


def _neutral(value: Any, name: str) -> Any:
    """The same without the environment's name at the end of any text."""
    if isinstance(value, str):
        return value.removesuffix(f"-{name}") if name else value
    if isinstance(value, list):
        return [_neutral(inner, name) for inner in value]
    if isinstance(value, dict):
        return {key: _neutral(inner, name) for key, inner in value.items()}
    return value


def _live(run: Run, environment: str) -> dict[str, Table]:
    """Worker (by its key) -> names of secrets, and what takes traffic."""
    there = in_environment(run, environment)
    workers = {worker.key: worker.name for worker in there.workers() if worker.name}
    there.announce(", ".join(workers.values()))

    async def read(cloud: Cloud) -> dict[str, Table]:
        return {key: await _of_worker(cloud, name) for key, name in workers.items()}

    return there.call(read)


async def _of_worker(cloud: Cloud, name: str) -> Table:
    from trailboss.errors import CloudError, ReleaseError
    from trailboss.release import paths
    from trailboss.release.deployments import status
    from trailboss.release.secret import list_secrets

    try:
        secrets = await list_secrets(cloud, name)
        live = await status(cloud, name)
    except (CloudError, ReleaseError) as error:
        missing = paths.is_missing(error) if isinstance(error, CloudError) else error.code == "TB4010"
        if not missing:
            raise
        return {"live": None, "secrets": []}
    shares = [_version(item) for item in live.versions] if live else None
    return {"live": shares, "secrets": sorted(one.name for one in secrets.secrets)}


def _version(item: Any) -> str:
    """What it is made of where that is known, so that the same artifact is no difference; else its id."""
    version = item.version
    digest = version.digest if version is not None else None
    return f"{digest or item.id} at {item.percentage:g} %"
