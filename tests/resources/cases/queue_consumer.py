"""A consumer for the suites over all kinds; the Worker `WORKER` with a queue handler must be there."""

from trailboss.resources.queue import Queue
from trailboss.resources.queue_consumer import QueueConsumer

WORKER = "shop"
BARE = QueueConsumer("shop-jobs", script=WORKER)
FULL = QueueConsumer("shop-jobs", "worker", WORKER, "shop-dead", 25, 3, 5000, 10, 60)
BEFORE: tuple[tuple[str, object], ...] = (
    ("queue", Queue("shop-jobs")),
    ("queue", Queue("shop-dead")),
)
