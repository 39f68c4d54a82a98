"""What a resource has to lose before Cloudflare lets go of it: an R2 bucket is only deleted when it is empty.

Only where an environment ends, and its loss was agreed to; a bucket that merely left the file stays as it is.
https://developers.cloudflare.com/api/resources/r2/subresources/buckets/subresources/objects/
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from trailboss.errors import NotFound
from trailboss.resources.r2_bucket import DEFAULT, ObservedR2Bucket

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

PAGE = 1000
AT_ONCE = 8


async def empty(cloud: Cloud, observed: Any, progress: Callable[[str], None] = lambda _: None) -> int:
    """Delete what `observed` holds, where that has to go first; how many things went. Safe to repeat.

    A page at a time, so that memory stays flat; `progress` is told after each. Uploads that were never
    finished go with the bucket, or by themselves after seven days: the API shows them to S3 clients alone.

    Raises:
        CloudError: an object is kept by a lock of the bucket, or the token may not delete.
    """
    return await _bucket(cloud, observed, progress) if isinstance(observed, ObservedR2Bucket) else 0


async def _bucket(cloud: Cloud, bucket: ObservedR2Bucket, progress: Callable[[str], None]) -> int:
    from trailboss.cloud import segment

    path = f"{cloud.account}/r2/buckets/{segment(bucket.name)}/objects"
    headers = {} if bucket.jurisdiction == DEFAULT else {"cf-r2-jurisdiction": bucket.jurisdiction}
    turn, count = asyncio.Semaphore(AT_ONCE), 0

    async def delete(key: str) -> None:
        async with turn:
            with contextlib.suppress(NotFound):
                await cloud.delete(f"{path}/{quote(key, safe='/')}", headers=headers)

    with contextlib.suppress(NotFound):
        while True:  # always the first page: what was on it is gone
            page = await cloud.get(path, params={"per_page": PAGE}, headers=headers)
            keys = [str(one["key"]) for one in _rows(page)]
            if not keys:
                break
            await asyncio.gather(*map(delete, keys))
            count += len(keys)
            progress(f"empty r2_bucket {bucket.name}: {count:,} objects gone")
    return count


def _rows(page: Any) -> list[Any]:
    """The objects of one page; a result that wraps them is understood as well."""
    found = page.get("objects") if isinstance(page, dict) else page
    return list(found or ())
