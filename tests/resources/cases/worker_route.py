"""A route for the suites over all kinds; the Worker `WORKER` must be there."""

from trailboss.resources.worker_route import WorkerRoute

WORKER = "shop"
BARE = WorkerRoute("example.com", "shop.example.com/*")
FULL = WorkerRoute("example.com", "shop.example.com/*", WORKER)
BEFORE: tuple[tuple[str, object], ...] = ()
