"""The example with all its environments in one account: each stopped at every call of its apply, while the
other five stand beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.plan.crashing import Fixture, Runner, resource, revealed
from tests.plan.inprocess import Account, DirectCloud
from tests.plan.virtual import clock, run
from trailboss.config import Project
from trailboss.plan.apply import Options, apply
from trailboss.plan.wanted import Wanted, wanted
from trailboss.resources.dns_record import DNSRecord
from trailboss.resources.hyperdrive_config import HyperdriveConfig

AGENCY = Path(__file__).parents[2] / "examples" / "agency"
ENVIRONMENTS = ("development", "staging", "production", "testing", "performance-testing", "disaster-recovery")


def environment(name: str) -> Wanted:
    """What the example's files want there, and one thing each that is marked and that is claimed."""
    found = wanted(Project.load(AGENCY, environment=name, environ={}))
    more = (
        resource("dns_record", "www", DNSRecord("example.com", f"{name}.example.com", "A", "192.0.2.1")),
        resource("hyperdrive_config", "sql", HyperdriveConfig(f"agency-{name}", "${SQL}")),
    )
    return replace(found, resources=(*found.resources, *more))


def zones(found: Wanted) -> set[str]:
    return {one.spec.zone for one in found.resources if getattr(one.spec, "zone", "")}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Account:
    return Account(Path(tmp_path_factory.mktemp("account")))


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_call(account: Account, name: str) -> None:
    account.load(account.empty, -2)

    async def others() -> None:
        for zone in sorted({zone for other in ENVIRONMENTS for zone in zones(environment(other))}):
            await account.zone(zone)
        for other in ENVIRONMENTS:
            for script in environment(other).scripts:
                await account.worker(script)
            if other != name:
                await apply(DirectCloud(account), environment(other), Options(clock=clock(), reveal=revealed))

    run(others)
    assert Runner(account, Fixture(name, account.dump(), environment(name))).singles() >= 100
