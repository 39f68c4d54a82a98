"""The one write that moves traffic, and its proof.

A deployment is posted once. When the answer is lost on the way, the account is asked whether it happened
instead of posting again; and nothing is reported before the account itself shows the new shares."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from trailboss.errors import CloudError, ConflictError, RefusedError, ReleaseError, Unavailable
from trailboss.release import paths
from trailboss.release.callbacks import Confirm
from trailboss.release.model import Deployment, Share
from trailboss.release.reading import read_deployments
from trailboss.release.stamp import MESSAGE_BYTES, shorten

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

SECRETS_CHANGED = 10220
_NOT_READY = 100146
_READ_BACK_DELAYS = (0.1, 0.3, 0.6, 1.0, 2.0)


async def shift(
    cloud: Cloud,
    name: str,
    shares: Sequence[Share],
    *,
    before: Deployment | None,
    message: str | None = None,
    deferred: bool = False,
    force: bool = False,
    confirm: Confirm | None = None,
) -> tuple[Deployment, ...]:
    """Give `shares` the traffic and return what the account then lists, newest first: the first has them.

    `before` is the deployment this was decided on. `deferred` lets running Durable Objects finish on
    their code for up to five minutes, which wrangler asks for in `deploy`. Where secrets changed since a
    version was made (Cloudflare's 10220), its old secret values would go live: `confirm` is asked,
    `force` says yes.

    Raises RefusedError TB4020 (secrets changed and nobody said yes), ConflictError TB4021 (somebody else
    deployed at the same moment), ReleaseError TB4022 (accepted, but the account does not show it)."""
    body: dict[str, Any] = {
        "strategy": "percentage",
        "versions": [{"version_id": share.version_id, "percentage": share.percentage} for share in shares],
    }
    if message:
        body["annotations"] = {"workers/message": shorten(message, MESSAGE_BYTES)}
    if deferred:
        body["code_update_strategy"] = {"mode": "deferred", "max_delay": 300}
    try:
        posted = await _post(cloud, name, body, force=False)
    except Unavailable as error:
        if not error.effect_unknown:
            raise
        return await _after_lost_answer(cloud, name, shares, before)
    except CloudError as error:
        if not error.has_code(SECRETS_CHANGED):
            raise
        _allow_old_secrets(error, force=force, confirm=confirm)
        posted = await _post(cloud, name, body, force=True)
    return await _read_back(cloud, name, posted, shares)


async def confirm_live(cloud: Cloud, name: str, version_id: str) -> None:
    """Wait until the account reports `version_id`, which is new, with all traffic, after an upload that
    deploys by itself.

    Raises ConflictError TB4021 when somebody else deployed right after it, ReleaseError TB4022 when it does
    not show within about four seconds.
    """
    await _read_back(cloud, name, "", [Share(version_id, 100)])


async def _post(cloud: Cloud, name: str, body: dict[str, Any], *, force: bool) -> str:
    """Post, and repeat only while Cloudflare says that the version it just took is not ready yet."""
    params = {"force": "true"} if force else None
    for delay in (*_READ_BACK_DELAYS, None):
        try:
            reply = await cloud.post(paths.script(cloud, name, "deployments"), params=params, json=body)
            return str((reply or {}).get("id") or "")
        except CloudError as error:
            if delay is None or not error.has_code(_NOT_READY):
                raise
            await asyncio.sleep(delay)
    raise AssertionError("unreachable")


def _allow_old_secrets(error: CloudError, *, force: bool, confirm: Confirm | None) -> None:
    said = error.errors[0].get("message") if error.errors else error.message
    question = f"{said} Deploying this version makes its own, older secret values live. Continue?"
    if force or (confirm is not None and confirm(question)):
        return
    raise RefusedError(
        "TB4020",
        f"Secrets changed since this version was made. {said}",
        hint="With --force its own, older secret values go live. Or deploy again to keep the newest.",
    )


async def _after_lost_answer(
    cloud: Cloud, name: str, shares: Sequence[Share], before: Deployment | None
) -> tuple[Deployment, ...]:
    deployments = await read_deployments(cloud, name)
    if (
        deployments
        and set(deployments[0].shares) == set(shares)
        and (not before or deployments[0].id != before.id)
    ):
        return deployments
    raise ReleaseError(
        "TB4023",
        "The answer to the deployment was lost, and the account does not show it: traffic has not moved.",
        hint="Run the same command again; it is safe.",
    )


async def _read_back(cloud: Cloud, name: str, posted: str, shares: Sequence[Share]) -> tuple[Deployment, ...]:
    """The deployments once `posted` is the newest. A stale reply is asked for again, for about four
    seconds."""
    for delay in (*_READ_BACK_DELAYS, None):
        deployments = await read_deployments(cloud, name)
        current = deployments[0] if deployments else None
        if current and (not posted or current.id == posted) and set(current.shares) == set(shares):
            return deployments
        ours = [deployment for deployment in deployments[1:] if _is_ours(deployment, posted, shares)]
        if ours:
            raise ConflictError(
                "TB4021",
                f'Somebody else deployed "{name}" right after this: {_show(current)} is live now.',
                hint="Look at `trailboss deployments list`, then decide again.",
            )
        if delay is not None:
            await asyncio.sleep(delay)
    raise ReleaseError(
        "TB4022",
        f'Cloudflare accepted the deployment of "{name}", but still reports {_show(current)}.',
        hint="Look at `trailboss deployments status` in a moment.",
    )


def _is_ours(deployment: Deployment, posted: str, shares: Sequence[Share]) -> bool:
    """Whether this is the deployment waited for. Of an upload that deploys by itself only its version is
    known, which no earlier deployment can have."""
    return deployment.id == posted if posted else set(deployment.shares) == set(shares)


def _show(deployment: Deployment | None) -> str:
    if deployment is None:
        return "no deployment"
    return " and ".join(f"{share.version_id[:8]} at {share.percentage} %" for share in deployment.shares)
