"""The progress of an apply as a terminal shows it: what is under way, and what waits for it."""

from __future__ import annotations

import io
import time

import pytest

from trailboss.cli.output import Output
from trailboss.cli.plans import SIGNS
from trailboss.cli.stepping import TALLEST, Stepper
from trailboss.plan.changes import Change
from trailboss.plan.schedule import Step

DB = Change("create", "d1_database", "db", "shop-db")
MOVES = Change("create", "d1_migrations", "db", "shop-db", needs=("d1_database.db",))
JOBS = Change("update", "queue", "jobs", "shop-jobs")
SAME = Change("none", "queue", "same", "shop-same")


@pytest.fixture
def trees(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    found: list[list[str]] = []
    monkeypatch.setattr(Output, "progress", lambda self, text, tree=(): found.append(list(tree)))
    monkeypatch.setattr(Output, "advance", lambda self, tree: found.append(list(tree)))
    return found


def test_a_tree_of_what_is_under_way(trees: list[list[str]]) -> None:
    err = io.StringIO()
    step = Stepper(Output(err=err, color=False), SIGNS)
    step.expect([DB, MOVES, JOBS, SAME])
    for change in (DB, JOBS, SAME):
        step(Step(change, "begun"))
    under_way = ["├─ create d1_database shop-db", "│  └─ then create d1_migrations shop-db"]
    assert trees[-1] == ["0 of 3 done", *under_way, "└─ update queue shop-jobs"]
    step(Step(JOBS, "failed", "refused"))
    after = ["└─ create d1_database shop-db", "   └─ then create d1_migrations shop-db"]
    assert trees[-1] == ["1 of 3 done", *after]
    step(Step(DB, "done"))
    step(Step(MOVES, "begun"))
    assert trees[-1] == ["2 of 3 done", "└─ create d1_migrations shop-db"]
    assert err.getvalue().splitlines() == ["  ✗ queue shop-jobs: refused", "  + d1_database shop-db"]


def test_a_tree_stays_on_the_screen(trees: list[list[str]]) -> None:
    step = Stepper(Output(err=io.StringIO(), color=False), SIGNS)
    for number in range(30):
        step(Step(Change("create", "queue", f"q{number}", f"q{number}"), "begun"))
    assert len(trees[-1]) == TALLEST + 2
    assert trees[-1][-1] == "… and 18 more"


def test_a_tree_costs_the_same_however_much_waits(trees: list[list[str]]) -> None:
    """Five thousand changes, each under way once: no look at all of them for every one."""
    step = Stepper(Output(err=io.StringIO(), color=False), SIGNS)
    changes = [Change("create", "queue", f"q{number}", f"q{number}") for number in range(5_000)]
    step.expect(changes)
    began = time.process_time()
    for change in changes:
        step(Step(change, "begun"))
        step(Step(change, "done"))
    assert time.process_time() - began < 2.0
