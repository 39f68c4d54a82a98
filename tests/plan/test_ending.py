"""When an environment ends is written into the account whenever it is another, and the plan says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.plan.crashing import prepared, wanting
from tests.plan.fixtures import KV
from tests.plan.inprocess import Account, DirectCloud
from tests.plan.virtual import clock, run
from trailboss.config import Project
from trailboss.plan.apply import Options, apply
from trailboss.plan.ensure import note_end
from trailboss.plan.plan import Plan, make
from trailboss.plan.register import Expiry, Register
from trailboss.plan.shown import shown
from trailboss.plan.wanted import Wanted

SOON, LATER = "2026-12-01T00:00:00+00:00", "2026-12-24T00:00:00+00:00"


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path)


def ending(until: str, *scripts: str) -> Wanted:
    return replace(wanting(KV), expires=Expiry(until, scripts))


def planned(account: Account, wanted: Wanted) -> Plan:
    return run(lambda: make(DirectCloud(account), wanted))


def applied(account: Account, wanted: Wanted) -> None:
    run(lambda: apply(DirectCloud(account), wanted, Options(clock=clock())))


def noted(account: Account) -> list[Expiry]:
    return list(run(lambda: Register.read(DirectCloud(account))).expiries().values())


def test_another_end_is_a_change_by_itself(account: Account) -> None:
    prepared(account, "there", ending(SOON, "shop"), wanting())
    assert planned(account, ending(SOON, "shop")).is_empty
    for before, after in ((SOON, LATER), (LATER, ""), ("", SOON)):
        wanted = ending(after, *(("shop",) if after else ()))
        plan = planned(account, wanted)
        (line,) = shown(plan).changes
        assert (plan.is_empty, line.action, line.kind, line.name) == (
            False,
            "update",
            "environment",
            "staging",
        )
        assert (line.fields[0].before, line.fields[0].after) == (before or "never", after or "never")
        assert plan.fingerprint != planned(account, ending(before, "shop")).fingerprint
        applied(account, wanted)
        assert planned(account, wanted).is_empty
        assert noted(account) == ([wanted.expires] if after else [])


def test_other_workers_are_written_and_no_change(account: Account) -> None:
    prepared(account, "there", ending(SOON, "shop"), wanting())
    wanted = ending(SOON, "api", "shop")
    plan = planned(account, wanted)
    assert (plan.is_empty, plan.is_late, shown(plan).changes) == (True, True, ())
    applied(account, wanted)
    assert noted(account) == [wanted.expires]
    assert not planned(account, wanted).is_late


def test_who_plans_a_part_is_not_told(account: Account) -> None:
    prepared(account, "there", ending(SOON, "shop"), wanting())
    plan = run(lambda: make(DirectCloud(account), ending(LATER, "shop"), targets=("kv_namespace.cache",)))
    assert plan.is_empty


def test_a_span_that_begins_anew_is_no_change(account: Account) -> None:
    """Every apply puts the end off; a plan an hour later is as empty as before."""
    prepared(account, "there", ending(SOON, "shop"), wanting())
    rolling = replace(wanting(KV), expires=Expiry(LATER, ("shop",), rolls=True))
    plan = planned(account, rolling)
    assert (plan.is_empty, plan.is_late, shown(plan).changes) == (True, True, ())
    applied(account, rolling)
    assert [one.until for one in noted(account)] == [LATER]
    shorter = replace(rolling, expires=Expiry(SOON, ("shop",), rolls=True))
    assert planned(account, shorter).ending == (LATER, SOON)


def test_a_deploy_without_resources_notes_the_end(tmp_path: Path, account: Account) -> None:
    text = (
        'name = "shop"\n[environments.qa]\n[environments.pr]\n[environments.pr.ephemeral]\nexpires = "2h"\n'
    )
    (tmp_path / "trailboss.toml").write_text(text)
    cloud = DirectCloud(account)
    for name, calls in (("qa", 0), ("pr", 2), ("pr", 3)):
        project = Project.load(tmp_path, environment=name, environ={})
        run(lambda project=project: note_end(cloud, project))  # type: ignore[misc]
        assert cloud.stats.total == calls
    assert len(noted(account)) == 1
