"""Lists to their end, one page in memory at a time.

How each style ends (Cloudflare has four, and some servers ignore `page`):

- 'page': result_info says so (page x per_page reaches total_count, or total_pages); without those numbers a
  page shorter than `per_page`, or an empty one; without `per_page` either, after one page. A page equal to
  the one before means the server ignores `page` and has given all it gives: the list ends there.
- 'items', 'deployments': the same, with the list under that name inside the result.
- 'cursor': no cursor in result_info (`cursor`, `cursors.after`) or in the result (`cursor`, `nextCursor`). A
  page may be empty in between. The same cursor twice is an error, as the rest of the list cannot be had.
- 'single': one request.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from trailboss.errors import Unavailable

if TYPE_CHECKING:
    from trailboss.cloud.cloud import Cloud, Params, Reply


def walk(
    cloud: Cloud,
    path: str,
    style: str,
    params: Params,
    key: str | None,
    *,
    per_page: int | None = None,
    **options: Any,
) -> AsyncIterator[Any]:
    """Every item of the list at `path`; see the module for the styles.

    Raises:
        CloudError: see `trailboss.cloud.failures`; Unavailable TB2505 when a cursor does not move,
            TB2504 when there is no list where one should be.
    """
    given = dict(params or {})
    if per_page is not None:
        given["per_page"] = per_page
    if style in ("items", "deployments"):
        style, key = "page", key or style
    if style == "page":
        return _numbered(cloud, path, given, key, options)
    if style == "cursor":
        return _by_cursor(cloud, path, given, key, options)
    if style == "single":
        return _single(cloud, path, given, key, options)
    raise ValueError(f"no pagination style '{style}'")


async def _numbered(
    cloud: Cloud, path: str, params: dict[str, Any], key: str | None, options: dict[str, Any]
) -> AsyncIterator[Any]:
    page, seen, before = 1, 0, b""
    while True:
        reply = await cloud.call("GET", path, params={**params, "page": page}, **options)
        items = _items(reply, key, path)
        mark = _mark(items)
        if mark == before:
            return
        for item in items:
            yield item
        seen += len(items)
        if not items or _is_last(reply.info, page, len(items), seen, params.get("per_page")):
            return
        page, before = page + 1, mark


async def _by_cursor(
    cloud: Cloud, path: str, params: dict[str, Any], key: str | None, options: dict[str, Any]
) -> AsyncIterator[Any]:
    cursor: str | None = None
    while True:
        reply = await cloud.call("GET", path, params={**params, "cursor": cursor}, **options)
        for item in _items(reply, key, path):
            yield item
        following = _cursor(reply)
        if not following:
            return
        if following == cursor:
            raise Unavailable(
                "TB2505",
                f"GET {path}: the list does not go on after its first part (the cursor does not move)",
                hint="Try again in a moment.",
            )
        cursor = following


async def _single(
    cloud: Cloud, path: str, params: dict[str, Any], key: str | None, options: dict[str, Any]
) -> AsyncIterator[Any]:
    for item in _items(await cloud.call("GET", path, params=params, **options), key, path):
        yield item


def _items(reply: Reply, key: str | None, path: str) -> list[Any]:
    result = reply.result
    found = result.get(key) if key and isinstance(result, dict) else result
    if found is None:
        return []
    if not isinstance(found, list):
        raise Unavailable("TB2504", f"GET {path}: the answer holds no list", hint="Try again in a moment.")
    return found


def _is_last(info: dict[str, Any], page: int, count: int, seen: int, asked: Any) -> bool:
    size = _number(info.get("per_page")) or _number(asked)
    pages, total = _number(info.get("total_pages")), _number(info.get("total_count"))
    if pages is not None:
        return page >= pages
    if total is not None:
        return seen >= total or (size is not None and page * size >= total)
    return size is None or count < size


def _cursor(reply: Reply) -> str | None:
    cursors = reply.info.get("cursors")
    below = reply.result if isinstance(reply.result, dict) else {}
    found = (
        reply.info.get("cursor")
        or (cursors.get("after") if isinstance(cursors, dict) else None)
        or below.get("cursor")
        or below.get("nextCursor")
    )
    return found if isinstance(found, str) else None


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _mark(items: list[Any]) -> bytes:
    """A short stand-in for a page, to see whether the next one is the same."""
    from hashlib import blake2b

    from trailboss.cloud.envelope import encode

    return blake2b(encode(items), digest_size=16).digest()
