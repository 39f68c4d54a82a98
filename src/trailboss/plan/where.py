"""Where a plan has to look: what the account says of itself, which lists that asks for, and their zones."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from trailboss.cloud.tags import TaggedResource, find_tagged
from trailboss.cloud.zones import learn_zones
from trailboss.errors import NotFound, PermissionDenied
from trailboss.plan.owner import ENVIRONMENT, PROJECT
from trailboss.plan.register import Register
from trailboss.plan.view import View
from trailboss.plan.wanted import Wanted
from trailboss.resources.marks import UNSET, Mark, marked, refs_in
from trailboss.resources.protocol import Basis, Kind, OfWorker, Tagged
from trailboss.resources.registry import NAMES, kind

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

Like = tuple[Kind[Any, Any], Any, Any]
"""A kind, something in the scope to list, and where in the files that is wanted."""


def like_identity(found: Kind[Any, Any], identity: tuple[Any, ...]) -> Any:
    """Something with the identity of a spec and nothing else, for a list that asks where to look."""
    names = [place.name for place in marked(found.spec, Mark.IDENTITY)]
    values = {place.name: UNSET for place in fields(found.spec)} | dict(zip(names, identity, strict=False))
    return found.spec(**values)


async def begin(cloud: Cloud, wanted: Wanted, register: Register | None) -> tuple[View, list[TaggedResource]]:
    """An empty view, with what the account's tags say, and every resource that carries ours.

    Raises:
        CloudError: something could not be read.
    """

    async def tagged() -> list[TaggedResource]:
        owner = wanted.owner
        conditions = (f"{PROJECT}={owner.project}", f"{ENVIRONMENT}={owner.environment}")
        return [row async for row in find_tagged(cloud, conditions)]

    untagged = ""
    rows: list[TaggedResource] = []
    scripts = asyncio.ensure_future(_scripts(cloud, wanted))
    try:
        if register is None:
            register, rows = await asyncio.gather(Register.read(cloud), tagged())
        else:
            rows = await tagged()
    except PermissionDenied as error:
        register, untagged = None, error.message
    finally:
        existing = await scripts
    return View(wanted, register, untagged, existing), rows


async def _scripts(cloud: Cloud, wanted: Wanted) -> dict[str, frozenset[str] | None]:
    """The Workers that exist and the handlers they have, when it matters."""
    if not any(isinstance(kind(one.kind).ownership, OfWorker) for one in wanted.resources):
        return {}
    rows = cloud.pages(f"{cloud.account}/workers/scripts", style="single")
    return {str(row.get("id")): _handlers(row) async for row in rows}


def _handlers(row: Mapping[str, Any]) -> frozenset[str] | None:
    """None where Cloudflare did not look into the code."""
    told = row.get("handlers")
    return frozenset(map(str, told)) if told else None


def likes_of(view: View, tagged: list[TaggedResource]) -> Iterator[Like]:
    """One thing to look for per list beside what is wanted: what that refers to, given, claimed, tagged."""
    known = {(one.kind, one.key) for one in view.wanted.resources}
    for one in view.wanted.resources:
        for ref in refs_in(one.spec):
            if (ref.kind, ref.name) not in known:
                yield kind(ref.kind), None, one.where
    for given in view.wanted.given:
        yield kind(given.kind), None, given.where
    if view.register is None:
        return
    for claim in view.register.claims_of(view.owner).values():
        found = kind(claim.kind)
        yield found, like_identity(found, claim.identity), None
    types = {row.type for row in tagged}
    for name in NAMES:
        found = kind(name)
        owning = found.ownership
        tagged_so = isinstance(owning, Tagged) and owning.type in types and found.scope == "account"
        if tagged_so or (view.wanted.ends and isinstance(owning, OfWorker) and _is_whole(found)):
            yield found, None, None


def _is_whole(found: Kind[Any, Any]) -> bool:
    """Whether one list shows all of the account, whatever is looked for."""
    return found.scope == "account" and getattr(type(found), "scope_of", None) is Basis.scope_of


async def resolve_zones(cloud: Cloud, likes: list[Like]) -> None:
    """Resolve each zone once and before anything else, so that a wrong one is told with its place."""
    places: dict[str, Any] = {}
    for _, like, where in likes:
        if getattr(like, "zone", None):
            places.setdefault(like.zone, where)

    await learn_zones(cloud, places)

    async def one(zone: str) -> None:
        try:
            await cloud.zone(zone)
        except NotFound as error:
            error.where = places[zone]
            raise

    await asyncio.gather(*map(one, places))
