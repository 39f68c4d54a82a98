"""Every route is called: through the official SDK with its answers checked, or for a reason without it."""

from __future__ import annotations

import traceback

from tests.conftest import Sandbox
from tests.sandbox.walk import account, services, storage, workers, zero_trust, zone
from tests.sandbox.walk.coverage import PAGE, page
from tests.sandbox.walk.plain import BARE, ENVELOPED, PLAIN
from tests.sandbox.walk.walker import Walk, key_of, routes, walking

STORIES = (
    *storage.STORIES,
    *services.STORIES,
    *workers.STORIES,
    *account.STORIES,
    *zone.STORIES,
    *zero_trust.STORIES,
)
EVERY = {key_of(route) for route in routes()}


def _told(walk: Walk) -> list[str]:
    """Tell every story; what went wrong in which."""
    wrong = []
    for story in STORIES:
        try:
            story(walk)
        except Exception as error:
            place = [item for item in traceback.extract_tb(error.__traceback__) if "walk" in item.filename][
                -1
            ]
            wrong.append(f"{story.__name__}, line {place.lineno}: {type(error).__name__}: {error}")
    return wrong


def test_every_route_is_walked(sandbox: Sandbox) -> None:
    with walking(sandbox) as walk:
        assert not _told(walk)
    assert EVERY - walk.through_sdk - PLAIN.keys() == set(), "neither through the SDK nor listed in plain.py"
    assert ENVELOPED.keys() - walk.enveloped == set(), "listed, but not called over plain HTTP"
    assert BARE.keys() - walk.bare == set(), "listed, but not called over plain HTTP"


def test_the_list_of_exceptions_names_routes_that_are_there() -> None:
    assert PLAIN.keys() - EVERY == set()


def test_the_coverage_table_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.sandbox.walk.coverage"
