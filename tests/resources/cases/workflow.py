"""A workflow for the suites over all kinds; the Worker `WORKER` with both classes must be there."""

from trailboss.resources.workflow import Workflow

WORKER = "shop"
BARE = Workflow("shop-orders", WORKER, "Orders")
FULL = Workflow(
    "shop-orders",
    WORKER,
    "Returns",
    ("0 3 * * *", "*/30 * * * *"),
    {"steps": 2000},
    {"limit": 5},
    {"success_retention": "3 days", "error_retention": "7 days"},
)
BEFORE: tuple[tuple[str, object], ...] = ()
