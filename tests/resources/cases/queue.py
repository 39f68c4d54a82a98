"""A queue for the suites over all kinds."""

from trailboss.resources.queue import Queue

BARE = Queue("shop-jobs")
FULL = Queue("shop-jobs", 5, 86_400, True)
BEFORE: tuple[tuple[str, object], ...] = ()
