"""What exists already becomes a table that wants exactly that, for every kind."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tests.plan.inprocess import Account, DirectCloud
from tests.plan.test_contract import KINDS, OPTIONS, case, referring, resource, wanting
from trailboss.plan.adopting import Adoptable, adoptable
from trailboss.plan.apply import apply
from trailboss.resources.marks import is_secret, refs_in, resolved
from trailboss.resources.reading import read_spec
from trailboss.resources.registry import kind
from trailboss.values import Location

UNREADABLE = {
    "analytics_engine_dataset": "an apply makes none: it comes to be by being written to",
    "d1_migrations": "files of the project, of which the account only knows the names",
}


@pytest.mark.parametrize("name", [name for name in KINDS if name not in UNREADABLE])
def test_the_table_of_what_is_there_wants_that(tmp_path: Path, name: str) -> None:
    found, full = kind(name), case(name).FULL
    before = [
        resource(other, f"before-{number}", spec) for number, (other, spec) in enumerate(case(name).BEFORE)
    ]

    async def main() -> tuple[Any, Adoptable]:
        account = Account(tmp_path)
        await account.worker("shop")
        await account.zone("example.com")
        wants = wanting(*before, resource(name, "it", referring(full, before)))
        done = await apply(DirectCloud(account), wants, OPTIONS)
        return done.observed[f"{name}.it"], adoptable(
            found, done.observed[f"{name}.it"], environment="", known={}
        )

    observed, made = asyncio.run(main())
    secrets = [place.name for place in fields(found.spec) if is_secret(place)]
    assert not made.problem or secrets, made
    if not made.problem:
        spec = read_spec(
            found,
            made.table,
            name=made.key,
            zone=lambda _: getattr(observed, "zone", ""),
            locate=lambda *_: Location(tmp_path),
        )
        whole = resolved(spec, {ref: ref.name for ref in refs_in(spec)})
        assert found.differs(whole, observed) == (), made.table
        assert not set(made.table) & {"id", "marker", *secrets}
