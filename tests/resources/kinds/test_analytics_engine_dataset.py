"""Analytics Engine datasets: nothing to make, nothing to delete, and how they stand is told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.plan.inprocess import Account, DirectCloud
from trailboss.config import Project
from trailboss.errors import PermissionDenied, PlanError
from trailboss.plan.adopting import adoptable, find
from trailboss.plan.apply import Options, apply
from trailboss.plan.ensure import ensure
from trailboss.plan.permissions import needed
from trailboss.plan.plan import make
from trailboss.plan.shown import NoteShown, shown
from trailboss.plan.wanted import Wanted, wanted
from trailboss.resources.analytics_engine_dataset import KIND, AnalyticsEngineDataset
from trailboss.sandbox.products import data_points

COMES = "comes to be with the first point that is written to it"
FILE = 'name = "shop"\n[environments.staging]\n[resources.analytics_engine_dataset.usage]\n'
WRANGLER = """{"name": "shop", "main": "index.js", "compatibility_date": "2026-01-01",
  "analytics_engine_datasets": [{"binding": "USAGE", "dataset": "usage"}, {"binding": "CLICKS"}]}"""


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path / "account")


def project(folder: Path, environment: str, **files: str) -> Wanted:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return wanted(Project.load(folder, environment=environment, environ={}))


def told(cloud: DirectCloud, want: Wanted) -> tuple[NoteShown, ...]:
    """The notes of a plan that has nothing else to say."""
    view = shown(asyncio.run(make(cloud, want)))
    assert view.empty
    assert view.changes == ()
    return view.notes


def test_it_comes_to_be_by_being_written_to(tmp_path: Path, account: Account) -> None:
    want, cloud = project(tmp_path, "", trailboss_toml=FILE), DirectCloud(account)
    expected = NoteShown("analytics_engine_dataset", "usage", "usage", COMES)
    assert told(cloud, want) == (expected,)
    assert asyncio.run(apply(cloud, want, Options())).done == ()
    assert told(cloud, want) == (expected,)
    data_points.write(account.box.store, "usage", {"doubles": [1]}, 0.0)
    assert [one.note for one in told(cloud, want)] == ["has data"]
    assert told(cloud, Wanted(want.owner)) == ()


def test_a_table_and_a_binding_mean_the_same_dataset(tmp_path: Path) -> None:
    for environment, names in (("", ["usage", "CLICKS"]), ("staging", ["usage_staging", "CLICKS_staging"])):
        want = project(tmp_path, environment, trailboss_toml=FILE, wrangler_jsonc=WRANGLER)
        assert [one.spec.name for one in want.resources] == names
        assert want.resources[0].is_written
    assert KIND.named("page-views", "pr-12") == "page-views-pr-12"
    assert KIND.named("views", "pr-12") == "views_pr_12"


def test_one_call_for_all_of_them(tmp_path: Path, account: Account) -> None:
    cloud = DirectCloud(account)
    more = "".join(f"[resources.analytics_engine_dataset.d{number}]\n" for number in range(30))
    assert len(told(cloud, project(tmp_path, "", trailboss_toml=FILE + more))) == 31
    asked = [path for _, path in cloud.stats.requests.elements() if path.endswith("/analytics_engine/sql")]
    assert len(asked) == 1


def test_a_token_that_may_not_read_them_stops_nothing(tmp_path: Path, account: Account) -> None:
    def refuse(_: int, stage: str, method: str, path: str) -> None:
        if stage == "before" and path.endswith("/sql"):
            raise PermissionDenied("TB2003", "no")

    want = project(tmp_path, "", trailboss_toml=FILE)
    [note] = told(DirectCloud(account, refuse), want)
    assert note.note.startswith(
        "not known how it stands: The token needs the permission group 'Account Analytics"
    )
    assert "Account Analytics Read" in [one.name for one in needed((want,), read=False)]


def test_a_deploy_does_not_ask(tmp_path: Path, account: Account) -> None:
    cloud = DirectCloud(account)
    project(tmp_path, "", trailboss_toml=FILE)
    assert asyncio.run(ensure(cloud, Project.load(tmp_path, environ={}))) is None
    assert cloud.stats.total == 0


@pytest.mark.parametrize("name", ["", "a b", "x" * 97, "naïve"])
def test_names(name: str) -> None:
    assert "1 to 96" in next(iter(KIND.problems(AnalyticsEngineDataset(name))))
    assert list(KIND.problems(AnalyticsEngineDataset("ai-usage_metrics9"))) == []


def test_nothing_is_sent_for_one(account: Account) -> None:
    async def life() -> Any:
        cloud = DirectCloud(account)
        made = await KIND.create(cloud, spec := AnalyticsEngineDataset("usage"))
        assert await KIND.update(cloud, spec, made) == made
        await KIND.delete(cloud, made)
        return cloud.stats.total

    assert asyncio.run(life()) == 0


def test_one_with_data_can_be_adopted(account: Account) -> None:
    data_points.write(account.box.store, "page_views_staging", {}, 0.0)

    async def there() -> Any:
        [one] = await find(DirectCloud(account), KIND, name=None, zone=None)
        return adoptable(KIND, one, environment="staging", known={})

    made = asyncio.run(there())
    assert (made.key, made.table, made.problem) == ("page_views", {}, "")


def test_an_unknown_target_is_still_told(tmp_path: Path, account: Account) -> None:
    with pytest.raises(PlanError, match="usagee"):
        want = project(tmp_path, "", trailboss_toml=FILE)
        asyncio.run(make(DirectCloud(account), want, targets=("analytics_engine_dataset.usagee",)))
