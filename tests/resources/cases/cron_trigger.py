"""Schedules for the suites over all kinds; the Worker `WORKER` must be there."""

from trailboss.resources.cron_trigger import CronTrigger

WORKER = "shop"
BARE = CronTrigger(WORKER, ("0 3 * * *",))
FULL = CronTrigger(WORKER, ("*/5 8-17 * * MON-FRI", "0 3 * * *"))
BEFORE: tuple[tuple[str, object], ...] = ()
