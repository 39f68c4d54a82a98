"""The end of an environment in an account that refuses tags: what is called like it goes.

Nothing says whose a thing is there. But what the files want in an environment is named after it, and nothing
else is asked for: a namespace `shop-cache-pr-7` is taken for `pr-7`, one that is called otherwise is left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from trailboss.errors import NotFound
from trailboss.plan.holdings import Holdings
from trailboss.plan.removal import delete_worker, existing
from trailboss.resources.emptying import empty
from trailboss.resources.marks import identity_of
from trailboss.resources.protocol import OfWorker
from trailboss.resources.registry import NAMES, kind

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.plan.wanted import Resource, Wanted

Named = tuple[str, str, str]
"""kind, key, name"""


async def remove_by_name(
    cloud: Cloud, want: Wanted, progress: Callable[[str], None] = lambda _: None
) -> tuple[tuple[Named, ...], tuple[str, ...]]:
    """Delete the Workers of `want` and every resource it wants whose name ends in the environment's; what
    went. Safe to stop and to repeat.

    Raises:
        CloudError: what the account refused.
    """
    workers = [name for name in await existing(cloud, want.scripts) if _is_named(name, want)]
    for name in workers:
        progress(f"delete Worker {name}")
        await delete_worker(cloud, name)
    account, gone = Holdings(cloud), []
    order = {name: place for place, name in enumerate(NAMES)}
    for one in sorted(want.resources, key=lambda one: -order[one.kind]):
        if await _remove(cloud, account, one, want, progress):
            gone.append((one.kind, one.key, str(identity_of(one.spec)[0])))
    return tuple(gone), tuple(workers)


async def _remove(
    cloud: Cloud, account: Holdings, one: Resource, want: Wanted, progress: Callable[[str], None]
) -> bool:
    found = kind(one.kind)
    name = str(identity_of(one.spec)[0])
    if found.is_setting or isinstance(found.ownership, OfWorker) or not _is_named(name, want):
        return False
    try:
        there = await account.find(found, one.spec)
        if there is None:
            return False
        progress(f"delete {one.kind} {name}")
        await empty(cloud, there, progress)
        await found.delete(cloud, there)
    except NotFound:
        return False
    return True


def _is_named(name: str, want: Wanted) -> bool:
    return name.endswith(f"-{want.owner.environment}")
