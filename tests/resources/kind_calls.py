"""Which API calls each kind makes, and which route files of the sandbox answer: read off one life of it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.plan.inprocess import ACCOUNT, Account, DirectCloud
from tests.plan.test_contract import referring, resource
from trailboss.resources.marks import Ref, is_secret, resolved
from trailboss.resources.registry import NAMES, kind
from trailboss.values import Secret

STEPS = ("list", "create", "update", "delete")
ROOT = "/client/v4"
LOOKING = ("/zones",)
"""Calls that find a zone's id by its name, once for a whole plan."""


@dataclass(frozen=True)
class Life:
    """Step -> its calls as (method, path with names in braces), and the route files that answered."""

    calls: dict[str, tuple[tuple[str, str], ...]]
    routes: tuple[str, ...]


def case(name: str) -> Any:
    """The kind's case of the suites over all kinds."""
    return import_module(f"tests.resources.cases.{name}")


@cache
def lives() -> dict[str, Life]:
    """One life of every kind, in an account of its own."""
    with tempfile.TemporaryDirectory() as folder:
        account = Account(Path(folder))
        return {name: asyncio.run(_life(account, name)) for name in NAMES}


async def _life(account: Account, name: str) -> Life:
    account.load(account.empty)
    await account.worker("shop")
    await account.zone("example.com")
    found, given = kind(name), case(name)
    seen: dict[str, dict[tuple[str, str], str]] = {step: {} for step in STEPS}
    step = ""

    def note(_: int, stage: str, method: str, path: str) -> None:
        if stage == "before" and step and path not in LOOKING:
            seen[step].setdefault(*_route(account, method, path))

    cloud = DirectCloud(account, note)
    bare, full = await _ready(cloud, given, name)
    step = "list"
    async for _ in found.list(cloud, bare):
        pass
    step = "create"
    made = await found.create(cloud, bare)
    step = "update"
    made = await found.update(cloud, full, made)
    step = "delete"
    await found.delete(cloud, made)
    files = dict.fromkeys(file for calls in seen.values() for file in calls.values())
    return Life({step: tuple(calls) for step, calls in seen.items()}, tuple(files))


def _route(account: Account, method: str, path: str) -> tuple[tuple[str, str], str]:
    route, _, _ = account.app.table.find(method, ROOT + path.partition("?")[0])
    assert route is not None, f"{method} {path}"
    shown = route.path.removeprefix(ROOT).replace(ACCOUNT, "{account_id}")
    return (method, shown), route.handler.__module__.rpartition(".")[2]


async def _ready(cloud: DirectCloud, given: Any, name: str) -> tuple[Any, Any]:
    """Both specs with what they need in the account, references resolved and secrets open."""
    handles: dict[Ref, str] = {}
    before = []
    for number, (other, spec) in enumerate(given.BEFORE):
        one = resource(other, f"before-{number}", spec)
        made = await kind(other).create(cloud, resolved(spec, handles))
        handle = kind(other).handle(made)
        for form in ("{}", "{}.cfargotunnel.com"):
            handles[Ref(other, one.key, form)] = handles[Ref(other, handle, form)] = handle
        before.append(one)
    known = getattr(given, "SECRETS", {})
    open_: Callable[[Any], Any] = lambda spec: _opened(resolved(referring(spec, before), handles), known)  # noqa: E731
    return open_(given.BARE), open_(given.FULL)


def _opened(spec: Any, known: dict[str, str]) -> Any:
    places = [place.name for place in fields(spec) if is_secret(place) and getattr(spec, place.name)]
    return replace(spec, **{one: Secret(known.get(getattr(spec, one), "s" * 32)) for one in places})
