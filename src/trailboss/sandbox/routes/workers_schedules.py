"""Cron triggers: they fire, on the sandbox's clock, and the handler's invocation shows in tails.

Faithful: weekday 1 = Sunday, a PUT replaces all. Simplified: a change is in force at once (Cloudflare: 15
minutes). https://developers.cloudflare.com/api/resources/workers/subresources/scripts/subresources/schedules/
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from trailboss.sandbox.box import Box
from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.runtime import Rejected
from trailboss.sandbox.workers import cron
from trailboss.sandbox.workers.model import save_script, script_named

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
        for when, script, expression in cron.due(_entries(box), last, now)[-cron.MOST_PER_JUMP :]:
            box.spawn(_fire(box, script, expression, when), f"cron of {script}")
        last = now  # also when time went backwards
        await box.clock.sleep_until(cron.next_moment(_entries(box), now))


def _entries(box: Box) -> Iterator[tuple[str, str]]:
    for script in box.store.all("script"):
        for item in script["schedules"]:
            yield str(script["name"]), str(item["cron"])


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
