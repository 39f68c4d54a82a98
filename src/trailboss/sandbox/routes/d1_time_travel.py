"""D1 Time Travel: bookmarks by time, and restoring in place.

Faithful: bookmarks sort, restoring answers the way back, states end with their database. Simplified: states
are recorded at each write through the API and about once a second for a Worker's writes, not every commit.
https://developers.cloudflare.com/d1/reference/time-travel/
"""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.products.d1_history import NoHistory
from trailboss.sandbox.products.files import database_file
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.d1 import KIND, database_of, history_of, invalid_property

if TYPE_CHECKING:
    from pathlib import Path

    from trailboss.sandbox.box import Box

PAUSE = 1.0
DUTY = 20
"""The watcher rests this many times as long as its last recording took."""


def no_history() -> ApiError:
    """Nothing is known of the database at that time."""
    return ApiError(400, 7500, "No history available for the database at the given time or bookmark.")


def _moment(text: str) -> float:
    if text.isdigit():
        return float(text)
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        raise invalid_property("timestamp must be RFC 3339 or seconds since 1970") from None


def _file(call: Call, identifier: str) -> Path:
    return database_file(call.box.folder.data, identifier)


async def get_bookmark(call: Call) -> dict[str, Any]:
    """The state now, or at `timestamp`."""
    identifier, history = database_of(call)["uuid"], history_of(call.store)
    present = history.record(identifier, _file(call, identifier), call.clock.now())
    text = call.query("timestamp")
    if not text:
        return {"bookmark": present}
    try:
        return {"bookmark": history.at(identifier, _moment(text))}
    except NoHistory:
        raise no_history() from None


async def restore(call: Call) -> dict[str, Any]:
    """Back to a bookmark or time; `previous_bookmark` undoes it."""
    identifier, history = database_of(call)["uuid"], history_of(call.store)
    path = _file(call, identifier)
    async with call.box.lock(f"d1:{identifier}"):
        previous = history.record(identifier, path, call.clock.now())
        bookmark = call.query("bookmark")
        try:
            if not bookmark:
                bookmark = history.at(identifier, _moment(call.query("timestamp")))
            pages = history.check(identifier, bookmark)
        except NoHistory:
            raise no_history() from None
        async with call.runtime.exclusive():
            history.write(pages, path)
        history.record(identifier, path, call.clock.now())
    return {
        "bookmark": bookmark,
        "previous_bookmark": previous,
        "message": f"Restored your database to bookmark {bookmark}. "
        f"To undo this, restore to the previous bookmark: {previous}",
    }


async def watch(box: Box) -> None:
    """Record what Workers write through their bindings."""
    history = history_of(box.store)
    while True:
        began = time.perf_counter()
        for record in box.store.all(KIND):
            path = database_file(box.folder.data, record["uuid"])
            if history.changed(record["uuid"], path):
                history.record(record["uuid"], path, box.clock.now())
        history.cost = 0.0 if (spent := time.perf_counter() - began) < PAUSE / DUTY else spent
        await asyncio.sleep(max(PAUSE, spent * DUTY))


router = Router("d1_time_travel")
_ONE = "A/d1/database/{database_id}/time_travel"
router.add(
    "GET",
    f"{_ONE}/bookmark",
    get_bookmark,
    sdk="d1.database.time_travel.get_bookmark",
    reply="d1.database.TimeTravelGetBookmarkResponse",
)
router.add(
    "POST",
    f"{_ONE}/restore",
    restore,
    sdk="d1.database.time_travel.restore",
    request="d1.database.TimeTravelRestoreParams",
    reply="d1.database.TimeTravelRestoreResponse",
)
router.on_start(watch)
