"""Event notifications for the suites over all kinds."""

from trailboss.resources.queue import Queue
from trailboss.resources.r2_bucket import R2Bucket
from trailboss.resources.r2_event_notification import R2EventNotification

_MADE = {"actions": ["object-create"], "prefix": "in/"}
_GONE = {"actions": ["DeleteObject"], "suffix": ".jpg", "description": "thumbnails follow"}
BARE = R2EventNotification("shop-files", "shop-jobs", rules=(_MADE,))
FULL = R2EventNotification("shop-files", "shop-jobs", rules=(_GONE, {**_MADE, "prefix": "new/"}))
BEFORE: tuple[tuple[str, object], ...] = (
    ("r2_bucket", R2Bucket("shop-files")),
    ("queue", Queue("shop-jobs")),
)
