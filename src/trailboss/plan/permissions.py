"""Which API-token permissions a project needs, from the kinds it uses; and which of them a token has.

Names are Cloudflare's permission groups, in the API's spelling (API reference 9.5). A group ends in " Read"
or " Write"; the Write group of an area also reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from trailboss.cloud.zones import learn_zones
from trailboss.errors import CloudError, NotFound, PermissionDenied
from trailboss.plan.holdings import Holdings
from trailboss.plan.wanted import Wanted
from trailboss.resources.marks import refs_in
from trailboss.resources.registry import kind

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

Scope = Literal["account", "zone"]
ACCOUNT, ZONE = "com.cloudflare.api.account", "com.cloudflare.api.account.zone"
WORKERS, TAGS, ZONES = "Workers Scripts", "Tag", "Zone"


@dataclass(frozen=True, slots=True)
class Needed:
    """One group, on the account or on zones; `why` are the kinds (and words) that need it."""

    name: str
    scope: Scope
    zones: tuple[str, ...]
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a token lacks. `told` is False when it may not read itself: then only reading was tried."""

    missing: tuple[Needed, ...]
    told: bool


def needed(wants: Iterable[Wanted], *, read: bool) -> tuple[Needed, ...]:
    """The least that plan and apply need, or with `read` that plan alone needs; account first, by name."""
    rows = list(_rows(tuple(wants), read=read))
    writes = {name for name, *_ in rows if name.endswith(" Write")}
    found: dict[tuple[str, Scope], tuple[dict[str, None], dict[str, None]]] = {}
    for name, scope, zone, why in rows:
        if name.removesuffix(" Read") + " Write" in writes and name not in writes:
            continue
        zones, reasons = found.setdefault((name, scope), ({}, {}))
        reasons[why] = None
        if zone:
            zones[zone] = None
    return tuple(
        Needed(name, scope, tuple(zones), tuple(reasons))
        for (name, scope), (zones, reasons) in sorted(found.items(), key=lambda row: (row[0][1], row[0][0]))
    )


def _rows(wants: tuple[Wanted, ...], *, read: bool) -> Iterator[tuple[str, Scope, str, str]]:
    how = "Read" if read else "Write"
    for want in wants:
        if want.scripts:
            yield f"{WORKERS} {how}", "account", "", "Workers"
        yield f"{TAGS} {how}", "account", "", "ownership"
        for given in want.given:
            yield kind(given.kind).permissions.read, kind(given.kind).scope, "", given.kind
        for one in want.resources:
            found = kind(one.kind)
            zone = str(getattr(one.spec, "zone", "") or "")
            groups = found.permissions_for(one.spec)
            yield (groups.read if read else groups.write), found.scope, zone, one.kind
            if zone:
                yield f"{ZONES} Read", "zone", zone, "zones by name"
            for ref in refs_in(one.spec):
                yield kind(ref.kind).permissions.read, kind(ref.kind).scope, "", ref.kind


async def standing(
    cloud: Cloud, wants: tuple[Wanted, ...], *, token: str | None, owned_by_account: bool
) -> Standing:
    """What the token `token` lacks for these; it is asked for its own policies, which it may not see.

    Raises:
        CloudError: the account could not be asked.
    """
    asked = needed(wants, read=False)
    path = f"{cloud.account}/tokens/{token}" if owned_by_account else f"/user/tokens/{token}"
    try:
        policies = (await cloud.get(path)).get("policies") or [] if token else None
    except (NotFound, PermissionDenied):
        policies = None
    if policies is None:
        return Standing(tuple([one async for one in _refused(cloud, wants)]), told=False)
    zones = await _zones(cloud, asked)
    account = await cloud.account_id()
    return Standing(tuple(one for one in asked if not _has(one, policies, account, zones)), told=True)


async def _zones(cloud: Cloud, asked: Iterable[Needed]) -> Mapping[str, str]:
    """The ids of the zones by name; "" for one that cannot be seen."""
    found: dict[str, str] = {}
    names = dict.fromkeys(zone for one in asked for zone in one.zones)
    await learn_zones(cloud, names)
    for name in names:
        try:
            found[name] = (await cloud.zone(name)).rpartition("/")[2]
        except CloudError:
            found[name] = ""
    return found


def _has(one: Needed, policies: Iterable[Any], account: str, zones: Mapping[str, str]) -> bool:
    """Whether some policy allows it everywhere it is needed, and none denies it there."""
    names = (
        {one.name, one.name.removesuffix(" Read") + " Write"} if one.name.endswith(" Read") else {one.name}
    )
    whole = {f"{ACCOUNT}.{account}", f"{ACCOUNT}.*"}
    if one.scope == "account":
        places = [whole]
    else:
        ids = [zones.get(zone, "") for zone in one.zones] or ["*"]
        places = [{*whole, f"{ZONE}.*", f"{ZONE}.{identifier}"} for identifier in ids]
    return all(_effects(policies, names, place) == {"allow"} for place in places)


def _effects(policies: Iterable[Any], names: set[str], place: set[str]) -> set[str]:
    return {
        str(policy.get("effect"))
        for policy in policies
        if names & {group.get("name") for group in policy.get("permission_groups") or ()}
        and place & set(_resources(policy.get("resources") or {}))
    }


def _resources(resources: Mapping[str, Any]) -> Iterator[str]:
    """What a policy is about; an account with a table of zones stands for those zones."""
    for name, what in resources.items():
        yield from what if isinstance(what, Mapping) else (name,)


async def _refused(cloud: Cloud, wants: tuple[Wanted, ...]) -> Any:
    """The groups whose reading is refused, found out by one list for each kind and scope."""
    account, tried = Holdings(cloud), set[tuple[Any, ...]]()
    for want in wants:
        for one in want.resources:
            found = kind(one.kind)
            group = found.permissions_for(one.spec).read
            if refs_in(one.spec) or (one.kind, group) in tried:
                continue
            tried.add((one.kind, group))
            try:
                await account.all(found, one.spec)
            except PermissionDenied:
                yield Needed(group, found.scope, (), (one.kind,))
            except CloudError:
                continue  # something else is wrong with it, and a plan says what
