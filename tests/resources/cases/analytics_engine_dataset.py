"""A dataset for the suites over all kinds: nothing of one can be chosen but its name."""

from trailboss.resources.analytics_engine_dataset import AnalyticsEngineDataset

BARE = FULL = AnalyticsEngineDataset("shop_usage")
BEFORE: tuple[tuple[str, object], ...] = ()
