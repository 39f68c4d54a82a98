"""The calls that carry an upload, each safe against an answer that never came."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from trailboss.build.metadata.annotations import read_message
from trailboss.cloud.multipart import Multipart
from trailboss.errors import CloudError, Unavailable

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

T = TypeVar("T")

NOT_READY = 100146
VALIDATION = 10021
READY_PAUSES = (0.5, 0.5, 0.5, 0.5, 0.5)
"""Seconds between attempts at a version that is not ready yet (as wrangler waits)."""
NEW_PAUSES = (1.0, 2.0)
"""Seconds between attempts while the validator does not know a resource made a moment ago."""


class Submission:
    """One upload of one script. `nonce` marks it in its message, so that it can be found if its answer is
    lost; `base` is the script's path."""

    def __init__(self, cloud: Cloud, base: str, *, nonce: str | None, fresh_resources: bool) -> None:
        self.cloud = cloud
        self.base = base
        self.nonce = nonce
        self.fresh_resources = fresh_resources

    async def script(self, form: Multipart, headers: Mapping[str, str]) -> dict[str, Any]:
        """PUT the script: a version and its deployment at 100 % in one. Returns Cloudflare's answer."""

        async def put() -> dict[str, Any]:
            result: dict[str, Any] = await self.cloud.put(
                self.base,
                params={"excludeScript": "true", "bindings_inherit": "strict"},
                parts=form,
                headers=headers,
                idempotent=False,
            )
            return result

        async def found(version: Mapping[str, Any]) -> dict[str, Any]:
            return {"deployment_id": version["id"], "etag": _etag(version)}

        return await self._once(put, found)

    async def version(self, form: Multipart, headers: Mapping[str, str]) -> dict[str, Any]:
        """POST a version that takes no traffic yet. Returns Cloudflare's answer, with `id`."""

        async def post() -> dict[str, Any]:
            result: dict[str, Any] = await self.cloud.post(
                f"{self.base}/versions", params={"bindings_inherit": "strict"}, parts=form, headers=headers
            )
            return result

        async def found(version: Mapping[str, Any]) -> dict[str, Any]:
            return dict(version)

        return await self._once(post, found)

    async def deploy(
        self, version_id: str, message: str | None, strategy: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Give the version all traffic."""
        body = {
            "strategy": "percentage",
            "versions": [{"version_id": version_id, "percentage": 100}],
            "annotations": {"workers/message": message} if message else {},
            "code_update_strategy": strategy,
        }

        async def post() -> dict[str, Any]:
            try:
                result: dict[str, Any] = await self.cloud.post(f"{self.base}/deployments", json=body)
            except Unavailable as error:
                current = await self._current() if error.effect_unknown else None
                if current is None or not _gives_all(current, version_id):
                    raise
                return current
            return result

        return await _patiently(post, lambda error: error.has_code(NOT_READY), READY_PAUSES)

    async def settings(self, body: Mapping[str, Any]) -> bool:
        """PATCH what belongs to no version; False when that failed, which does not undo the upload."""
        try:
            await self.cloud.patch(f"{self.base}/script-settings", json=body, idempotent=True)
        except CloudError:
            return False
        return True

    async def _once(
        self,
        send: Callable[[], Awaitable[dict[str, Any]]],
        found: Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]],
    ) -> dict[str, Any]:
        """Send an upload; when its answer is lost, look for it first and repeat it only if it is not
        there."""

        async def attempt() -> dict[str, Any]:
            try:
                return await send()
            except Unavailable as error:
                if not error.effect_unknown or self.nonce is None:
                    raise
            version = await self._mine()
            return await found(version) if version is not None else await send()

        def is_transient(error: CloudError) -> bool:
            return self.fresh_resources and error.has_code(VALIDATION)

        return await _patiently(attempt, is_transient, NEW_PAUSES)

    async def _mine(self) -> Mapping[str, Any] | None:
        """The version this upload made, found by its mark; None when it made none."""
        try:
            result = await self.cloud.get(f"{self.base}/versions")
        except CloudError as error:
            if error.status == 404 or error.has_code(10007, 10090):
                return None
            raise
        for version in (result or {}).get("items") or ():
            message = (version.get("annotations") or {}).get("workers/message")
            if read_message(message).nonce == self.nonce:
                return dict(version)
        return None

    async def _current(self) -> dict[str, Any] | None:
        result = await self.cloud.get(f"{self.base}/deployments")
        deployments = (result or {}).get("deployments") or []
        return deployments[0] if deployments else None


async def _patiently(
    attempt: Callable[[], Awaitable[T]],
    is_transient: Callable[[CloudError], bool],
    pauses: tuple[float, ...],
) -> T:
    """Repeat `attempt` after each of `pauses` (seconds) while its error is one that passes by itself."""
    for pause in pauses:
        try:
            return await attempt()
        except CloudError as error:
            if not is_transient(error):
                raise
            await asyncio.sleep(pause)
    return await attempt()


def _gives_all(deployment: Mapping[str, Any], version_id: str) -> bool:
    rows = deployment.get("versions") or ()
    return [(row.get("version_id"), row.get("percentage")) for row in rows] == [(version_id, 100)]


def _etag(version: Mapping[str, Any]) -> str | None:
    script = (version.get("resources") or {}).get("script") or {}
    etag: str | None = script.get("etag")
    return etag
