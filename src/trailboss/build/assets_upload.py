"""Send static assets: a session that says what is missing, then those files, then a token for the
metadata."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailboss.build.assets import Assets, hash_file
from trailboss.build.mime import content_type
from trailboss.cloud.multipart import Part
from trailboss.errors import BuildError, CloudError
from trailboss.values import Secret

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

BUCKETS_AT_ONCE = 3
FILES_AT_ONCE = 50
SESSIONS = 3
_CHUNK = 3 * 64 * 1024


@dataclass(frozen=True, slots=True)
class Sent:
    """`token` completes the upload in the metadata; `files` and `bytes` were sent, `known` were there
    already."""

    token: str
    files: int
    bytes: int
    known: int


class Base64File(Part):
    """A file part whose content is the base64 text of a file, made while it is sent."""

    __slots__ = ()

    def size(self) -> int:
        """Bytes of base64 text."""
        assert isinstance(self.content, Path)
        return (self.content.stat().st_size + 2) // 3 * 4

    def chunks(self) -> Iterator[bytes]:
        """The base64 text, piece by piece."""
        assert isinstance(self.content, Path)
        with self.content.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield base64.b64encode(chunk)


async def send(
    cloud: Cloud, base: str, assets: Assets, progress: Callable[[str], None] = lambda _: None
) -> Sent:
    """Upload what is missing of `assets` to the script whose path is `base`.

    A session lasts an hour; when it ends under way another is opened, and only what is still missing is sent.

    Raises:
        BuildError: TB3307 a file changed since the build, TB3308 Cloudflare gave no completion token.
        CloudError: what Cloudflare answered.
    """
    by_hash = {asset.hash: path for path, asset in assets.files.items()}
    sent_files = sent_bytes = 0
    for attempt in range(1, SESSIONS + 1):
        session = await cloud.post(
            f"{base}/assets-upload-session", json={"manifest": assets.manifest()}, idempotent=True
        )
        jwt = str((session or {}).get("jwt") or "")
        buckets: list[list[str]] = (session or {}).get("buckets") or []
        wanted = sum(len(bucket) for bucket in buckets)
        if wanted == 0:
            return Sent(_token(jwt), sent_files, sent_bytes, len(assets.files) - sent_files)
        progress(f"uploading {wanted} of {len(assets.files)} assets")
        job = _Upload(cloud, assets, by_hash, Secret(jwt), progress)
        try:
            token = await job.run(buckets)
        except CloudError:
            sent_files, sent_bytes = sent_files + job.files, sent_bytes + job.bytes
            if attempt == SESSIONS or not _has_ended(jwt):
                raise
            continue
        sent_files, sent_bytes = sent_files + job.files, sent_bytes + job.bytes
        return Sent(_token(token), sent_files, sent_bytes, len(assets.files) - sent_files)
    raise AssertionError("the loop returns or raises")


class _Upload:
    """One session's uploads."""

    def __init__(
        self,
        cloud: Cloud,
        assets: Assets,
        by_hash: dict[str, str],
        jwt: Secret,
        progress: Callable[[str], None],
    ) -> None:
        self.cloud = cloud.authorised_by(jwt)
        self.assets = assets
        self.by_hash = by_hash
        self.progress = progress
        self.single = claim(jwt.reveal(), "wrangler_single_asset_uploads") is True
        limit = int(claim(jwt.reveal(), "edge_kv_upload_concurrency") or FILES_AT_ONCE)
        self.gate = asyncio.Semaphore(max(1, limit) if self.single else BUCKETS_AT_ONCE)
        self.wanted = self.files = self.bytes = 0
        self.token = ""

    async def run(self, buckets: list[list[str]]) -> str:
        """Send all buckets; the token that came with the last one."""
        batches = [[name] for bucket in buckets for name in bucket] if self.single else buckets
        self.wanted = sum(len(batch) for batch in batches)
        tasks = [asyncio.ensure_future(self._batch(batch)) for batch in batches]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return self.token

    async def _batch(self, hashes: list[str]) -> None:
        async with self.gate:
            answer = await (self._one(hashes[0]) if self.single else self._bucket(hashes))
        self.token = str((answer or {}).get("jwt") or "") or self.token
        self.files += len(hashes)
        self.bytes += sum(self.assets.files[self.by_hash[name]].size for name in hashes)
        self.progress(f"uploaded {self.files} of {self.wanted} assets")

    async def _bucket(self, hashes: list[str]) -> Any:
        parts = [
            Base64File(name, self._path(name), name, content_type(self.by_hash[name]) or "application/null")
            for name in hashes
        ]
        await asyncio.to_thread(self._check, hashes)
        path = f"{self.cloud.account}/workers/assets/upload"
        return await self.cloud.post(path, params={"base64": "true"}, parts=parts, idempotent=True)

    async def _one(self, name: str) -> Any:
        await asyncio.to_thread(self._check, [name])
        return await self.cloud.post(
            f"{self.cloud.account}/workers/assets/upload/{name}",
            content=self._path(name),
            headers={"content-type": content_type(self.by_hash[name]) or "application/null"},
            idempotent=True,
        )

    def _path(self, name: str) -> Path:
        if name not in self.by_hash:
            raise BuildError(
                "TB3309",
                f"Cloudflare asked for an asset that is not in the manifest ({name})",
                hint="Run the command again.",
            )
        return self.assets.path_of(self.by_hash[name])

    def _check(self, hashes: list[str]) -> None:
        """Refuse a file that is no longer what was built: it would be served under another's name."""
        for name in hashes:
            path = self._path(name)
            try:
                same = hash_file(path) == name
            except OSError:
                same = False
            if not same:
                raise BuildError(
                    "TB3307", f"the asset {path} changed since it was built", hint="Run the command again."
                )


def claim(jwt: str, name: str) -> Any:
    """A claim of a JSON Web Token, not verified; None when it has none or is no token."""
    try:
        payload = jwt.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))).get(name)
    except (IndexError, ValueError, AttributeError):
        return None


def _has_ended(jwt: str) -> bool:
    expires = claim(jwt, "exp")
    return isinstance(expires, int | float) and expires <= time.time()


def _token(token: str) -> str:
    if not token:
        raise BuildError(
            "TB3308", "Cloudflare did not confirm the upload of the assets", hint="Run the command again."
        )
    return token
