"""`secret put|bulk|list|delete`: secret values on a Worker that is live.

Every write here makes a new version and gives it the traffic at once; that is Cloudflare's meaning of
these calls. When the newest version is not the deployed one, Cloudflare refuses (10214, 10215), because
it would put that version live by accident: we then offer to make an undeployed version that has the
secret instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailboss.cloud import segment
from trailboss.errors import CloudError, RefusedError, SecretError
from trailboss.release import paths
from trailboss.release.callbacks import Confirm, Progress, quiet
from trailboss.release.draft import create_draft
from trailboss.release.reading import no_such_worker
from trailboss.values import Secret

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

MOST_KEYS = 100
MOST_BYTES = 5 * 1024
NOT_DEPLOYED = (10214, 10215)
_MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


@dataclass(frozen=True, slots=True)
class SecretChange:
    """What was written, by name only.

    `added` were not there before, `set` were there and have been written again (Cloudflare never gives a
    value back; `changed` and `unchanged` are those of them of which fingerprints tell whether the value
    differs), `removed` are gone, `absent` should have been removed and were not there. `created_worker` says
    that a draft Worker was made to hold them; `undeployed` that they sit on a new version which has no
    traffic yet. It is always one write: all names or none."""

    worker: str
    added: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    created_worker: bool = False
    undeployed: bool = False
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SecretName:
    """A secret without its value; `type` is "secret_text" or "secret_key"."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class SecretList:
    """The names of a Worker's secrets, sorted; values cannot be read back."""

    worker: str
    secrets: tuple[SecretName, ...]


async def put(
    cloud: Cloud,
    name: str,
    key: str,
    value: Secret,
    *,
    confirm: Confirm | None = None,
    progress: Progress = quiet,
) -> SecretChange:
    """Set one secret. A Worker that does not exist is created as a draft first, as wrangler does.

    Raises SecretError TB7010, TB7011 (name, size) and RefusedError TB4050 (the newest version is not
    deployed and nobody agreed to an undeployed one)."""
    _check(key, value)
    there = await _names(cloud, name)
    progress(f"Setting {key}")
    path, body = paths.script(cloud, name, "secrets"), _text(key, value)
    created = False
    if there is None:
        progress(f'There is no Worker "{name}" yet: creating a draft')
        await create_draft(cloud, name)
        created = True
    try:
        await cloud.put(path, json=body)
        undeployed = False
    except CloudError as error:
        await _stage(cloud, name, {key: value}, error, confirm)
        undeployed = True
    existing = key in (there or ())
    return SecretChange(
        name,
        added=() if existing else (key,),
        set=(key,) if existing else (),
        created_worker=created,
        undeployed=undeployed,
    )


async def bulk(
    cloud: Cloud,
    name: str,
    values: Mapping[str, Secret | None],
    *,
    confirm: Confirm | None = None,
    progress: Progress = quiet,
) -> SecretChange:
    """Set and (where the value is None) remove many secrets in one write: all of them, or none.

    Raises SecretError TB7010 and TB7011 (name, size), TB7012 (more than 100), TB7013 (none at all),
    RefusedError TB4050."""
    check_all(values)
    there = await _names(cloud, name)
    created = there is None
    if there is None:
        progress(f'There is no Worker "{name}" yet: creating a draft')
        await create_draft(cloud, name)
        there = frozenset()
    wanted = {key: value for key, value in values.items() if value is not None or key in there}
    undeployed = False
    if wanted:
        progress(f"Writing {len(wanted)} secret{'' if len(wanted) == 1 else 's'} in one call")
        undeployed = await _write(cloud, name, wanted, confirm)
    return SecretChange(
        name,
        added=tuple(key for key, value in values.items() if value is not None and key not in there),
        set=tuple(key for key, value in values.items() if value is not None and key in there),
        removed=tuple(key for key, value in values.items() if value is None and key in there),
        absent=tuple(key for key, value in values.items() if value is None and key not in there),
        created_worker=created,
        undeployed=undeployed,
    )


async def list_secrets(cloud: Cloud, name: str) -> SecretList:
    """The names of the Worker's secrets. One call. Raises ReleaseError TB4010 (no such Worker)."""
    try:
        wire = await cloud.get(paths.script(cloud, name, "secrets"))
    except CloudError as error:
        if paths.is_missing(error):
            raise no_such_worker(name) from error
        raise
    found = [SecretName(str(item.get("name")), str(item.get("type") or "secret_text")) for item in wire or ()]
    return SecretList(name, tuple(sorted(found, key=lambda secret: secret.name)))


async def delete(
    cloud: Cloud, name: str, key: str, *, confirm: Confirm | None = None, progress: Progress = quiet
) -> SecretChange:
    """Remove one secret; one that is not there is reported as `absent`, not as a failure.

    Raises ReleaseError TB4010 (no such Worker), RefusedError TB4050 (the newest version is not deployed).
    """
    listed = await list_secrets(cloud, name)
    if key not in {secret.name for secret in listed.secrets}:
        return SecretChange(name, absent=(key,))
    progress(f"Removing {key}")
    try:
        await cloud.delete(paths.script(cloud, name, "secrets", segment(key)), params={"url_encoded": "true"})
    except CloudError as error:
        await _stage(cloud, name, {key: None}, error, confirm)
        return SecretChange(name, removed=(key,), undeployed=True)
    return SecretChange(name, removed=(key,))


async def _names(cloud: Cloud, name: str) -> frozenset[str] | None:
    """The names that are there, None when the Worker itself is not."""
    try:
        wire = await cloud.get(paths.script(cloud, name, "secrets"))
    except CloudError as error:
        if paths.is_missing(error):
            return None
        raise
    return frozenset(str(item.get("name")) for item in wire or ())


async def _write(
    cloud: Cloud, name: str, values: Mapping[str, Secret | None], confirm: Confirm | None
) -> bool:
    """One PATCH for all of them; True when they went to an undeployed version instead."""
    secrets = {key: None if value is None else _text(key, value) for key, value in values.items()}
    try:
        await cloud.patch(
            paths.script(cloud, name, "secrets-bulk"), json={"secrets": secrets}, headers=_MERGE_PATCH
        )
    except CloudError as error:
        await _stage(cloud, name, values, error, confirm)
        return True
    return False


async def _stage(
    cloud: Cloud,
    name: str,
    values: Mapping[str, Secret | None],
    error: CloudError,
    confirm: Confirm | None,
) -> None:
    """After 10214 or 10215: a new version with these secrets that takes no traffic, if somebody agrees."""
    if not error.has_code(*NOT_DEPLOYED):
        raise error
    if confirm is None or not confirm(
        f'The newest version of "{name}" is not deployed, so secrets cannot go live directly. '
        "Put them on a new version that takes no traffic yet?"
    ):
        raise RefusedError(
            "TB4050",
            f'The newest version of "{name}" is not the deployed one; a secret would put it live.',
            hint="Deploy the newest version first, or stage it with `trailboss versions secret`.",
        ) from error
    env = {key: None if value is None else _typed(value) for key, value in values.items()}
    body = {"env": env, "annotations": {"workers/message": f"Secrets: {', '.join(values)}"[:1000]}}
    await cloud.patch(paths.worker(cloud, name, "versions/latest"), json=body, headers=_MERGE_PATCH)


def _text(key: str, value: Secret) -> dict[str, Any]:
    return {"name": key, **_typed(value)}


def _typed(value: Secret) -> dict[str, Any]:
    return {"type": "secret_text", "text": value}


def check_all(values: Mapping[str, Secret | None]) -> None:
    """Refuse names, sizes and numbers that Cloudflare refuses. Raises SecretError TB7010-TB7013."""
    if not values:
        raise SecretError(
            "TB7013", "There is not one secret to write.", hint="The file holds no KEY=value line."
        )
    if len(values) > MOST_KEYS:
        raise SecretError(
            "TB7012",
            f"{len(values)} secrets at once; Cloudflare takes at most {MOST_KEYS} in one call.",
            hint="Split the file: one call is what makes it all or nothing.",
        )
    for key, value in values.items():
        _check(key, value)


def _check(key: str, value: Secret | None) -> None:
    if not key or not key.isprintable() or key != key.strip():
        raise SecretError(
            "TB7010", f"{key!r} cannot be the name of a secret.", hint="Use letters, digits and _."
        )
    if value is not None and len(value.reveal().encode()) > MOST_BYTES:
        raise SecretError(
            "TB7011",
            f"The value of {key} is larger than {MOST_BYTES} bytes, Cloudflare's limit.",
            hint="Keep large material in KV, R2 or a Secrets Store instead.",
        )
