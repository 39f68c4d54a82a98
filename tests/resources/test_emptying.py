"""A bucket loses its objects, by the page and whatever they are called, before it is deleted."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import pytest

from tests.conftest import Sandbox
from trailboss.cloud import Cloud, Target
from trailboss.resources import emptying
from trailboss.resources.r2_bucket import KIND, ObservedR2Bucket
from trailboss.values import Secret

KEYS = ("a", "folder/b", "folder/ü 1.txt", "c?d#e", "100%")


def test_a_bucket_is_emptied_by_the_page(account: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emptying, "PAGE", 2)
    found, told = account.connection, list[str]()
    bucket = ObservedR2Bucket("shop-files")

    async def main() -> tuple[int, int]:
        target = Target("sandbox:test", found.api_url, Secret(found.token), found.account_id, is_sandbox=True)
        async with Cloud(target) as cloud:
            root = f"{cloud.account}/r2/buckets"
            await cloud.post(root, json={"name": bucket.name})
            for key in KEYS:
                await cloud.call("PUT", f"{root}/{bucket.name}/objects/{quote(key)}", content=b"x")
            first = await emptying.empty(cloud, bucket, told.append)
            again = await emptying.empty(cloud, bucket)
            await KIND.delete(cloud, bucket)
            return first, again

    assert asyncio.run(main()) == (len(KEYS), 0)
    assert told == [f"empty r2_bucket shop-files: {count} objects gone" for count in (2, 4, 5)]
