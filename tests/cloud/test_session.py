"""What is sent again, counted at the server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.cloud.conftest import ACCOUNT, Time
from tests.cloud.loopback import Answer, Loopback, Request, no, ok
from trailboss.cloud import Cloud, Target
from trailboss.cloud.budget import Budget
from trailboss.cloud.retry import Retry
from trailboss.cloud.session import Options
from trailboss.cloud.transport import Timeouts
from trailboss.errors import CloudError, NotFound, RateLimited, Unavailable
from trailboss.values import Secret

Connect = Callable[..., Cloud]


def play(
    connect: Connect, answers: Any, use: Callable[[Cloud], Any], **options: Any
) -> tuple[Any, Loopback, Cloud]:
    """The result or CloudError of `use`, the server and the Cloud."""

    async def main() -> tuple[Any, Loopback, Cloud]:
        async with Loopback(answers) as server, connect(server, **options) as cloud:
            try:
                result = await use(cloud)
            except CloudError as error:
                result = error
            return result, server, cloud

    return asyncio.run(main())


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("cut", ["before", "after", "middle"])
def test_idempotent_methods_are_repeated(connect: Connect, method: str, cut: str) -> None:
    broken = ok("x" * 99)
    broken.cut = cut
    result, server, cloud = play(connect, [broken, ok("fine")], lambda c: c.call(method, "/x"))
    assert result.result == "fine"
    assert len(server.requests) == 2
    assert cloud.stats.retries == 1


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize(
    ("answer", "effects"),
    [
        (Answer(cut="before"), 0),
        (Answer(cut="after"), 1),
        (Answer(body=b"x" * 99, cut="middle"), 1),
        (no(503, 1), 1),
        (Answer(200, b"<html>"), 1),
        (no(400, 10013, "internal"), 1),
    ],
)
def test_writes_are_never_repeated_blindly(
    connect: Connect, method: str, answer: Answer, effects: int
) -> None:
    error, server, _ = play(connect, [answer, ok()], lambda c: c.call(method, "/x", json={"a": 1}))
    assert len(server.requests) == 1
    assert len(server.executed) == effects
    assert isinstance(error, CloudError)
    if isinstance(error, Unavailable):
        assert error.effect_unknown
        assert "not known" in error.hint


def test_a_post_declared_idempotent_is_repeated(connect: Connect) -> None:
    result, server, _ = play(connect, [Answer(cut="after"), ok(1)], lambda c: c.post("/x", idempotent=True))
    assert result == 1
    assert len(server.executed) == 2


def test_a_put_declared_unrepeatable_is_not(connect: Connect) -> None:
    error, server, _ = play(connect, [Answer(cut="after")], lambda c: c.put("/x", idempotent=False))
    assert error.effect_unknown
    assert len(server.requests) == 1


def test_a_refused_post_is_repeated_after_retry_after(connect: Connect, time: Time) -> None:
    refused = no(429, 10100, headers={"retry-after": "37"})
    result, server, cloud = play(connect, [refused, ok(1)], lambda c: c.post("/x", json={}))
    assert result == 1
    assert [r.body for r in server.requests] == [b"{}", b"{}"]
    assert sum(time.slept) >= 37
    assert cloud.stats.waited >= 37


def test_a_retry_after_of_any_size_is_honoured(connect: Connect, time: Time) -> None:
    refused = no(429, 10100, headers={"retry-after": "4000"})
    error, server, _ = play(connect, [refused, ok(1)], lambda c: c.get("/x"))
    assert isinstance(error, RateLimited)
    assert error.code == "TB2402"
    assert error.retry_after == pytest.approx(4000, abs=10)
    assert len(server.requests) == 1


def test_a_retry_after_of_a_503_holds_for_this_call_only(connect: Connect, time: Time) -> None:
    busy = no(503, 1, headers={"retry-after": "20"})
    budget = Budget(None, clock=time.clock)
    result, _, _ = play(connect, [busy, ok(1)], lambda c: c.get("/x"), budget=budget)
    assert result == 1
    assert sum(time.slept) == 20
    assert budget.take() == 0
    forever = no(503, 1, headers={"retry-after": "20000"})
    error, server, _ = play(connect, [forever], lambda c: c.get("/x"))
    assert error.code == "TB2503"
    assert len(server.requests) == 1


def test_a_refusal_outside_the_budget_blocks_nobody(connect: Connect, time: Time) -> None:
    budget = Budget(None, clock=time.clock)
    path = f"/accounts/{ACCOUNT}/queues/q/messages/pull"
    refused = no(429, 1, headers={"retry-after": "30"})
    result, _, _ = play(connect, [refused, ok(1)], lambda c: c.post(path), budget=budget)
    assert result == 1
    assert sum(time.slept) == 30
    assert budget.take() == 0


def test_nothing_listening_is_not_sent(connect: Connect) -> None:
    error, _, _ = play(connect, [], lambda c: connect("http://127.0.0.1:9/client/v4").post("/x"))
    assert isinstance(error, Unavailable)
    assert error.code == "TB2501"
    assert not error.effect_unknown
    assert "cannot connect" in str(error)


def test_an_unknown_effect_is_remembered_over_attempts(connect: Connect) -> None:
    async def main() -> tuple[CloudError, int]:
        async with Loopback([Answer(cut="after")]) as server:
            cloud = connect(server)

            async def stop(_: float) -> None:
                server._server.close()

            object.__setattr__(cloud._options, "sleep", stop)
            try:
                await cloud.put("/x", json={})
            except CloudError as error:
                return error, len(server.executed)
            finally:
                await cloud.aclose()
        raise AssertionError

    error, executed = asyncio.run(main())
    assert executed == 1
    assert isinstance(error, Unavailable)
    assert error.code == "TB2501"
    assert error.effect_unknown


def test_it_gives_up_after_the_attempts(connect: Connect, time: Time) -> None:
    error, server, _ = play(connect, lambda _: no(500, 1), lambda c: c.get("/x"), retry=Retry(attempts=3))
    assert isinstance(error, Unavailable)
    assert len(server.requests) == 3
    assert all(0 <= wait <= 8 for wait in time.slept)


def test_slow_answers_time_out(connect: Connect) -> None:
    slow = ok(delay=5)
    options = {"timeouts": Timeouts(total=0.05), "retry": Retry(attempts=1)}
    error, _, _ = play(connect, lambda _: slow, lambda c: c.post("/x"), **options)
    assert isinstance(error, Unavailable)
    assert error.effect_unknown
    assert "no answer within 0.05 s" in str(error)


def test_refusals_are_final(connect: Connect) -> None:
    error, server, _ = play(
        connect, [no(404, 10007, "gone")], lambda c: c.get(f"{c.account}/workers/scripts/a")
    )
    assert isinstance(error, NotFound)
    assert len(server.requests) == 1


def test_a_code_that_means_two_things(connect: Connect) -> None:
    path = "/accounts/a/storage/kv/namespaces/n/keys"
    error, server, _ = play(connect, lambda _: no(404, 10013, "namespace not found"), lambda c: c.get(path))
    assert isinstance(error, NotFound)
    assert len(server.requests) == 1
    _, server, _ = play(connect, [no(400, 10013, "unknown error"), ok()], lambda c: c.get("/accounts/a/x"))
    assert len(server.requests) == 2


def test_a_low_allowance_stops_the_next_call(connect: Connect, time: Time) -> None:
    headers = {"ratelimit": '"default";r=240;t=30', "ratelimit-policy": '"default";q=1200;w=300'}
    _, server, _ = play(connect, [ok(headers=headers), ok()], lambda c: _twice(c))
    assert len(server.requests) == 2
    assert sum(time.slept) >= 30


async def _twice(cloud: Cloud) -> None:
    await cloud.get("/x")
    await cloud.get("/x")


def test_the_budget_stops_at_eighty_percent(connect: Connect, time: Time) -> None:
    async def many(cloud: Cloud) -> None:
        for _ in range(1000):
            await cloud.get("/x")

    starts: list[float] = []

    def respond(_: Request) -> Answer:
        starts.append(time.now)
        return ok()

    _, _, cloud = play(connect, respond, many)
    assert len(starts) == 1000
    for index, start in enumerate(starts):
        assert sum(1 for other in starts[index:] if other < start + 300) <= 960
    assert starts[199] == starts[0]
    assert starts[200] > starts[0]
    assert cloud.stats.budget_limit == 960


def test_queue_pulls_and_other_hosts_are_not_counted(connect: Connect, time: Time) -> None:
    budget = Budget(None, clock=time.clock)

    async def use(cloud: Cloud) -> None:
        await cloud.post(f"/accounts/{ACCOUNT}/queues/q/messages/pull")
        await cloud.post(f"/accounts/{ACCOUNT}/queues/q/messages/ack")
        await cloud.post(f"/accounts/{ACCOUNT}/queues/q/messages")

    play(connect, lambda _: ok(), use, budget=budget)
    assert budget.used == 1


def test_a_long_wait_is_told(time: Time) -> None:
    said: list[str] = []
    answers = [no(429, 971, headers={"retry-after": "20"}), ok()]

    async def main() -> None:
        options = Options(clock=time.clock, sleep=time.sleep, budget=Budget(None, clock=time.clock))
        async with Loopback(answers) as server:
            target = Target("cloudflare", server.url, Secret("t"), ACCOUNT)
            async with Cloud(target, notify=said.append, options=options) as cloud:
                await cloud.get("/x")

    asyncio.run(main())
    assert said
    assert "rate limit" in said[0]


def test_statistics(connect: Connect) -> None:
    async def use(cloud: Cloud) -> None:
        await cloud.get(f"{cloud.account}/workers/scripts/one/settings")
        await cloud.get(f"{cloud.account}/workers/scripts/two/settings")
        await cloud.post("/x", content=b"12345")

    _, _, cloud = play(connect, lambda _: ok(), use)
    assert cloud.stats.requests["GET", "/accounts/{}/workers/scripts/{}/settings"] == 2
    assert cloud.stats.total == 3
    assert cloud.stats.sent == 5
    assert cloud.stats.as_json()["budget"] == {"used": 3, "limit": 960}
    assert str(cloud.stats).startswith("3 API requests (0 repeated)")
