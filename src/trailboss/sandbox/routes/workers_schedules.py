"""Cron triggers: they fire, on the sandbox's clock, and the handler's invocation shows in tails.

Faithful: weekday 1 = Sunday, a PUT replaces all. Simplified: a change is in force at once (Cloudflare: 15
minutes). https://developers.cloudflare.com/api/resources/workers/subresources/scripts/subresources/schedules/
"""

from __future__ import annotations

import logging
from typing import Any

from trailboss.sandbox.box import Box
from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.runtime import Rejected
from trailboss.sandbox.workers import cron
from trailboss.sandbox.workers.model import save_script, script_named

MOST_PER_JUMP = 1000
"""How many missed firings one jump of the clock makes up for; the rest are skipped."""
log = logging.getLogger("trailboss.sandbox")


def invalid_cron(expression: str, reason: str) -> ApiError:
    """An expression that cannot be read."""
    return ApiError(400, 10100, f"invalid cron string: {expression} ({reason})")


async def get_schedules(call: Call) -> Any:
    """GET /workers/scripts/{n}/schedules."""
    return {"schedules": script_named(call.store, call["script_name"])["schedules"]}


async def put_schedules(call: Call) -> Any:
    """PUT /workers/scripts/{n}/schedules [{cron}]: these and no others."""
    script = script_named(call.store, call["script_name"])
    kept = {item["cron"]: item for item in script["schedules"]}
    now = call.clock.iso()
    wanted = []
    for item in await call.array():
        expression = str(item.get("cron", "")) if isinstance(item, dict) else ""
        try:
            cron.parse(expression)
        except ValueError as error:
            raise invalid_cron(expression, str(error)) from None
        wanted.append(kept.get(expression) or {"cron": expression, "created_on": now, "modified_on": now})
    script["schedules"] = wanted
    save_script(call.store, script)
    call.clock.touch()
    return {"schedules": wanted}


async def tick(box: Box) -> None:
    """Fire what is due, sleep until the next is, again; a jump of the clock wakes it."""
    last = box.clock.now()
    while True:
        now = box.clock.now()
        for when, script, expression in due(box, last, now)[-MOST_PER_JUMP:]:
            box.spawn(_fire(box, script, expression, when), f"cron of {script}")
        last = now  # also when time went backwards
        await box.clock.sleep_until(next_moment(box, now))


def due(box: Box, last: float, now: float) -> list[tuple[float, str, str]]:
    """(moment, script, expression) of everything in (last, now], in order."""
    found: list[tuple[float, str, str]] = []
    for script in box.store.all("script"):
        for item in script["schedules"]:
            when = cron.parse(item["cron"]).next_after(last)
            while when is not None and when <= now and len(found) < MOST_PER_JUMP * 10:
                found.append((when, str(script["name"]), str(item["cron"])))
                when = cron.parse(item["cron"]).next_after(when)
    return sorted(found)


def next_moment(box: Box, now: float) -> float | None:
    """When the next schedule of any Worker is due."""
    moments = [
        when
        for script in box.store.all("script")
        for item in script["schedules"]
        if (when := cron.parse(item["cron"]).next_after(now)) is not None
    ]
    return min(moments, default=None)


async def _fire(box: Box, script: str, expression: str, when: float) -> None:
    body = {"script": script, "cron": expression, "scheduled_time": int(when * 1000)}
    try:
        await box.runtime.trigger("scheduled", body)
    except (Rejected, ApiError) as error:
        log.warning("the schedule %s of %s did not run: %s", expression, script, error)


router = Router("workers_schedules")
_SCHEDULES = "A/workers/scripts/{script_name}/schedules"
router.add(
    "GET",
    _SCHEDULES,
    get_schedules,
    sdk="workers.scripts.schedules.get",
    reply="workers.scripts.ScheduleGetResponse",
)
router.add(
    "PUT",
    _SCHEDULES,
    put_schedules,
    sdk="workers.scripts.schedules.update",
    request="workers.scripts.ScheduleUpdateParams",
    reply="workers.scripts.ScheduleUpdateResponse",
)
router.on_start(tick)
