"""One suite over all kinds: made by a plan, changed by one, unchanged after each, gone after the last."""

from __future__ import annotations

import asyncio
import pkgutil
from collections.abc import Mapping
from dataclasses import fields, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import tests.resources.cases as cases
from tests.plan.inprocess import Account, DirectCloud
from trailboss.plan.apply import Options, apply
from trailboss.plan.owner import Owner, digest
from trailboss.plan.plan import Plan, make
from trailboss.plan.wanted import Resource, Wanted
from trailboss.resources.marks import Ref, identity_of, target_of
from trailboss.resources.protocol import OfWorker, Shared
from trailboss.resources.registry import NAMES, kind
from trailboss.values import Secret

OWNER = Owner("shop", "staging")
KINDS = [module.name for module in pkgutil.iter_modules(cases.__path__)]


def case(name: str) -> Any:
    return import_module(f"tests.resources.cases.{name}")


def resource(name: str, key: str, spec: Any) -> Resource:
    return Resource(name, key, spec, None, digest(spec))


def referring(spec: Any, before: list[Resource]) -> Any:
    """`spec` as a file would have it: what it names of `before` by reference."""
    keys = {(one.kind, str(identity_of(one.spec)[0])): one.key for one in before}
    changes: dict[str, Any] = {}
    for place in fields(spec):
        target, value = target_of(place), getattr(spec, place.name)
        value = value.name if isinstance(value, Ref) else value
        if target is not None and isinstance(value, str) and (target[0], value) in keys:
            changes[place.name] = Ref(target[0], keys[target[0], value], target[1])
        elif target is not None and isinstance(value, tuple):
            known = [keys.get((target[0], one)) for one in value]
            changes[place.name] = tuple(Ref(target[0], key, target[1]) for key in known if key)
    return replace(spec, **changes)


def wanting(*resources: Resource) -> Wanted:
    return Wanted(OWNER, resources, scripts=frozenset({"shop"}))


async def revealed(wanted: Mapping[str, str]) -> Mapping[str, Secret]:
    known: dict[str, str] = {}
    for name in KINDS:
        known.update(getattr(case(name), "SECRETS", {}))
    return {name: Secret(known.get(text, text)) for name, text in wanted.items()}


OPTIONS = Options(confirmed=True, reveal=revealed)


def done(plan: Plan) -> list[tuple[str, str]]:
    return [(one.action, one.kind) for one in plan.changes if one.action != "none"]


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path)


def test_every_kind_has_a_case() -> None:
    assert set(KINDS) == set(NAMES)


@pytest.mark.parametrize("name", KINDS)
def test_a_second_plan_is_empty(account: Account, name: str) -> None:
    found, given = kind(name), case(name)
    before = [resource(other, f"before-{number}", spec) for number, (other, spec) in enumerate(given.BEFORE)]
    bare, full = (resource(name, "it", referring(spec, before)) for spec in (given.BARE, given.FULL))

    async def life() -> None:
        await account.worker("shop")
        await account.zone("example.com")
        cloud = DirectCloud(account)
        await apply(cloud, wanting(*before, bare), OPTIONS)
        assert done(await make(cloud, wanting(*before, bare))) == []
        await apply(cloud, wanting(*before, full), OPTIONS)
        assert done(await make(cloud, wanting(*before, full))) == []
        asked = cloud.stats.total
        await apply(cloud, wanting(*before, full), OPTIONS)
        writes = sum(count for (method, _), count in cloud.stats.requests.items() if method != "GET")
        assert cloud.stats.total > asked and writes
        if isinstance(found.ownership, OfWorker):
            return
        last = await apply(cloud, wanting(*before), OPTIONS)
        expected = "release" if found.is_setting else "delete"
        gone = [] if isinstance(found.ownership, Shared) else [(expected, name)]
        assert [(one.action, one.kind) for one in last.done] == gone
        assert done(await make(cloud, wanting(*before))) == []

    asyncio.run(life())


@pytest.mark.parametrize("name", [name for name in KINDS if not isinstance(kind(name).ownership, OfWorker)])
def test_what_is_foreign_stays(account: Account, name: str) -> None:
    """Somebody else's thing of the same identity is adopted only as it is, and then never deleted."""
    found, given = kind(name), case(name)
    before = [resource(other, f"before-{number}", spec) for number, (other, spec) in enumerate(given.BEFORE)]
    there = [resource(one.kind, str(identity_of(one.spec)[0]), one.spec) for one in before]
    theirs, mine = (resource(name, "it", referring(given.BARE, known)) for known in (before, there))

    async def life() -> None:
        await account.worker("shop")
        await account.zone("example.com")
        cloud = DirectCloud(account)
        other = replace(wanting(*before, theirs), owner=Owner("other", ""))
        await apply(cloud, other, OPTIONS)
        assert done(await make(cloud, wanting())) == []
        plan = await make(cloud, wanting(mine))
        if isinstance(found.ownership, Shared):
            assert done(plan) == []
        elif not found.repeats:
            assert done(plan) == [("conflict", name)]
        assert done(await make(cloud, other)) == []

    asyncio.run(life())
