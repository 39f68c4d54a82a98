"""Every list is read to its end, and no list for ever."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cloud.loopback import Answer, Loopback, Request, ok
from trailboss.cloud import Cloud
from trailboss.errors import Unavailable

Connect = Callable[..., Cloud]


def collect(connect: Connect, respond: Any, **options: Any) -> tuple[list[Any], int]:
    """All items, and the number of requests they took."""

    async def main() -> tuple[list[Any], int]:
        async with Loopback(respond) as server, connect(server) as cloud:
            items = [item async for item in cloud.pages("/list", **options)]
            return items, len(server.requests)

    return asyncio.run(main())


def numbered(total: int, size: int, *, info: str = "full", key: str = "") -> Callable[[Request], Answer]:
    """A server with `total` items in pages of `size`; `info` says which numbers it gives."""

    def respond(request: Request) -> Answer:
        page = int(request.one("page") or 1)
        items: Any = list(range(total))[(page - 1) * size : page * size]
        told = {"page": page, "per_page": size, "count": len(items), "total_count": total}
        if info == "pages":
            told = {"page": page, "total_pages": -(-total // size)}
        if info == "size":
            told = {"per_page": size}
        return ok({key: items} if key else items, None if info == "none" else told)

    return respond


@pytest.mark.parametrize("info", ["full", "pages", "size"])
@pytest.mark.parametrize("total", [0, 1, 4, 5, 6, 10, 11])
def test_page_numbers(connect: Connect, info: str, total: int) -> None:
    items, _ = collect(connect, numbered(total, 5, info=info))
    assert items == list(range(total))


def test_no_request_too_many(connect: Connect) -> None:
    assert collect(connect, numbered(10, 5)) == (list(range(10)), 2)
    assert collect(connect, numbered(10, 5, info="pages"))[1] == 2
    assert collect(connect, numbered(11, 5, info="none"), per_page=5)[1] == 3
    assert collect(connect, numbered(11, 5, info="none"), per_page=5)[0] == list(range(11))
    assert collect(connect, numbered(5, 5, info="none"))[1] == 1


def test_nested_lists(connect: Connect) -> None:
    assert collect(connect, numbered(7, 3, key="items"), style="items")[0] == list(range(7))
    assert collect(connect, numbered(7, 3, key="deployments"), style="deployments")[0] == list(range(7))
    assert collect(connect, numbered(3, 3, info="none", key="buckets"), key="buckets")[0] == [0, 1, 2]


@pytest.mark.parametrize("info", [{"per_page": 3}, {"per_page": 3, "total_count": 900}, None])
def test_a_server_that_ignores_page_does_not_loop(connect: Connect, info: dict[str, int] | None) -> None:
    items, requests = collect(connect, lambda _: ok([1, 2, 3], info), per_page=3)
    assert items == [1, 2, 3]
    assert requests <= 2


def cursors(pages: list[list[int]], how: str) -> Callable[[Request], Answer]:
    def respond(request: Request) -> Answer:
        place = int(request.one("cursor") or 0)
        after = str(place + 1) if place + 1 < len(pages) else ""
        if how == "after":
            return ok(pages[place], {"cursors": {"after": after} if after else {}})
        if how == "result":
            return ok({"vectors": pages[place], "nextCursor": after or None})
        return ok(pages[place], {"cursor": after})

    return respond


@pytest.mark.parametrize("how", ["cursor", "after", "result"])
def test_cursors(connect: Connect, how: str) -> None:
    pages = [[1, 2], [], [3]]
    key = "vectors" if how == "result" else None
    assert collect(connect, cursors(pages, how), style="cursor", key=key) == ([1, 2, 3], 3)


def test_a_cursor_that_stands_still_is_an_error(connect: Connect) -> None:
    with pytest.raises(Unavailable) as caught:
        collect(connect, lambda _: ok([1], {"cursor": "same"}), style="cursor")
    assert caught.value.code == "TB2505"


def test_single_and_wrong(connect: Connect) -> None:
    assert collect(connect, lambda _: ok([1, 2], {"total_count": 9}), style="single") == ([1, 2], 1)
    assert collect(connect, lambda _: ok(None)) == ([], 1)
    with pytest.raises(Unavailable):
        collect(connect, lambda _: ok({"not": "a list"}))
    with pytest.raises(ValueError, match="style"):
        collect(connect, lambda _: ok([]), style="circle")


def test_stopping_early_asks_no_more(connect: Connect) -> None:
    async def main() -> int:
        async with Loopback(numbered(100, 5)) as server, connect(server) as cloud:
            async for item in cloud.pages("/list"):
                if item == 3:
                    break
            return len(server.requests)

    assert asyncio.run(main()) == 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(total=st.integers(0, 60), size=st.integers(1, 12), info=st.sampled_from(["full", "pages", "size"]))
def test_any_size(connect: Connect, total: int, size: int, info: str) -> None:
    items, requests = collect(connect, numbered(total, size, info=info))
    assert items == list(range(total))
    assert requests <= total // size + 2


def test_memory_stays_flat(connect: Connect) -> None:
    async def main(total: int) -> int:
        async with Loopback(numbered(total, 200)) as server, connect(server) as cloud:
            server.requests = server.executed = _Nothing()
            tracemalloc.start()
            async for _ in cloud.pages("/list"):
                pass
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return peak

    asyncio.run(main(400))  # imports and pools
    short, long = asyncio.run(main(1_000)), asyncio.run(main(8_000))
    assert long < short + 500_000


class _Nothing(list[Any]):
    def append(self, _: Any) -> None:
        """Keep nothing."""
