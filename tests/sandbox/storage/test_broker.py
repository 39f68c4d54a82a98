"""The queue broker alone: leases, retries, dead letters, delays, retention, and a kill in the middle."""

import asyncio
import itertools

import pytest

from trailboss.sandbox.clock import Clock
from trailboss.sandbox.products.broker import Broker, Policy
from trailboss.sandbox.products.delivery import Consumer, Delivery
from trailboss.sandbox.store import Store

RETRY_TWICE = Policy(max_retries=2)


class Bench:
    def __init__(self, path):
        self.clock = Clock()
        self.clock.set(freeze=1_000_000.0)
        self.store = Store(path)
        self.broker = self.open()

    def open(self):
        numbers = itertools.count(self.store.count("never") + id(self.store) % 1000)
        return Broker(self.store, self.clock.milliseconds, lambda: f"{next(numbers):032x}")

    def lease(self, queue="q", limit=10, milliseconds=30_000, policy=RETRY_TWICE):
        return self.broker.lease(queue, limit, milliseconds, holder="pull", policy=policy)


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path / "state.sqlite")
    yield made
    made.store.close()


def test_a_leased_message_is_nobody_elses_until_the_lease_ends(bench):
    bench.broker.send("q", [(b"one", "text", 0)])
    (message,) = bench.lease()
    assert (message.body, message.attempts) == (b"one", 1)
    assert bench.lease() == []
    bench.clock.set(advance=30)
    (again,) = bench.lease()
    assert again.attempts == 2
    assert bench.broker.acknowledge([message.lease]) == 0
    assert bench.broker.acknowledge([again.lease]) == 1
    assert bench.broker.metrics("q")["backlog_count"] == 0


def test_used_up_retries_end_in_the_dead_letter_queue(bench):
    policy = Policy(max_retries=1, retry_delay=5, dead_letter="dead")
    bench.broker.send("q", [(b"bad", "json", 0)])
    (message,) = bench.lease(policy=policy)
    assert bench.broker.retry([(message.lease, None)], policy) == 1
    assert bench.lease(policy=policy) == []
    bench.clock.set(advance=5)
    (message,) = bench.lease(policy=policy)
    bench.broker.retry([(message.lease, 0)], policy)
    assert bench.broker.metrics("q")["backlog_count"] == 0
    (dead,) = bench.lease("dead")
    assert (dead.body, dead.attempts, dead.content_type) == (b"bad", 1, "json")


def test_a_lease_that_ran_out_counts_as_a_try(bench):
    policy = Policy(max_retries=0)
    bench.broker.send("q", [(b"lost", "text", 0)])
    bench.lease(policy=policy)
    bench.clock.set(advance=31)
    assert bench.lease(policy=policy) == []
    assert bench.broker.metrics("q")["backlog_count"] == 0


def test_delay_and_retention(bench):
    bench.broker.send("q", [(b"later", "text", 60), (b"now", "text", 0)])
    assert [message.body for message in bench.lease()] == [b"now"]
    bench.clock.set(advance=60)
    assert b"later" in [message.body for message in bench.lease()]
    assert bench.broker.expire("q", 61) == 0
    bench.clock.set(advance=1)
    assert bench.broker.expire("q", 61) == 2


def test_peek_and_purge(bench):
    first, second = bench.broker.send("q", [(b"a", "text", 0), (b"b", "text", 0)])
    assert [message.id for message in bench.broker.peek("q", 5)] == [first, second]
    assert bench.broker.purge("q", [first, "unknown"]) == ["unknown"]
    bench.broker.purge("q")
    assert bench.broker.metrics("q") == {
        "backlog_count": 0,
        "backlog_bytes": 0,
        "oldest_message_timestamp_ms": 0,
    }


def test_what_a_killed_daemon_was_delivering_comes_again(bench):
    bench.broker.send("q", [(b"x", "text", 0)])
    bench.broker.lease("q", 1, 900_000, holder="worker", policy=RETRY_TWICE)
    after = bench.open()
    after.recover()
    (message,) = after.lease("q", 1, 1000, holder="worker", policy=RETRY_TWICE)
    assert message.attempts == 2


def _deliver(bench, consumer, verdicts):
    """Run the delivery task until the queue is empty; returns the batches the Worker saw."""
    seen = []

    async def trigger(_consumer, batch):
        seen.append([(message.body, message.attempts) for message in batch])
        verdict = verdicts.pop(0) if verdicts else {"outcome": "ok"}
        if isinstance(verdict, Exception):
            raise verdict
        return verdict(batch) if callable(verdict) else verdict

    async def main():
        empty = asyncio.Event()
        delivery = Delivery(bench.broker, bench.clock, lambda: [consumer], trigger)
        settle = delivery.settle

        def settled(*arguments):
            settle(*arguments)
            if not bench.broker.metrics("q")["backlog_count"]:
                empty.set()

        delivery.settle = settled
        running = asyncio.ensure_future(delivery.run())
        while not empty.is_set():
            await asyncio.sleep(0)
            bench.clock.set(advance=0.5)
        running.cancel()

    asyncio.run(asyncio.wait_for(main(), 10))
    return seen


def test_batches_fill_up_or_wait(bench):
    consumer = Consumer("q", "queue", "worker", RETRY_TWICE, batch_size=2, max_wait_ms=3000)
    bench.broker.send("q", [(b"1", "text", 0), (b"2", "text", 0), (b"3", "text", 0)])
    assert _deliver(bench, consumer, []) == [[(b"1", 1), (b"2", 1)], [(b"3", 1)]]


def test_the_workers_word_per_message_is_kept(bench):
    consumer = Consumer("q", "queue", "worker", Policy(max_retries=3), batch_size=3, max_wait_ms=0)
    bench.broker.send("q", [(b"ack", "text", 0), (b"retry", "text", 0), (b"rest", "text", 0)])

    def first(batch):
        return {
            "outcome": "exception",
            "explicit_acks": [batch[0].id],
            "retries": [{"id": batch[1].id, "delay_seconds": 60}],
        }

    seen = _deliver(bench, consumer, [first])
    assert seen[0] == [(b"ack", 1), (b"retry", 1), (b"rest", 1)]
    assert seen[1:] == [[(b"rest", 2)], [(b"retry", 2)]]


@pytest.mark.parametrize(
    "cut",
    [RuntimeError("500"), TimeoutError(), ValueError("half an answer"), {"outcome": "ok", "retries": [{}]}],
    ids=["refused", "late", "cut", "no verdict"],
)
def test_a_batch_that_was_cut_comes_again_whole(bench, cut):
    consumer = Consumer("q", "queue", "worker", Policy(max_retries=0), batch_size=2, max_wait_ms=0)
    bench.broker.send("q", [(b"1", "text", 0), (b"2", "text", 0)])
    batch = [(b"1", 1), (b"2", 1)]
    assert _deliver(bench, consumer, [cut, cut]) == [batch, batch, batch]


def test_an_unreachable_worker_costs_no_attempt(bench):
    consumer = Consumer("q", "queue", "worker", Policy(max_retries=0), batch_size=1, max_wait_ms=0)
    bench.broker.send("q", [(b"x", "text", 0)])
    assert _deliver(bench, consumer, [ConnectionError("down")]) == [[(b"x", 1)], [(b"x", 1)]]
