"""An environment, taken out of the account: its Workers, then all that is its own, then every note of it.

What is its own is what the account says: tags, markers, claims, and whatever belongs to its Workers. What it
adopted is let go and stays. The note of its end, which also names its Workers, goes last; so whatever call it
is stopped at, the same call made again finds the rest, and one that finds nothing changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trailboss.errors import CloudError, PermissionDenied, RefusedError
from trailboss.plan.apply import Options, apply
from trailboss.plan.changes import Change
from trailboss.plan.plan import Plan, make, refuse
from trailboss.plan.register import Expiry, Register
from trailboss.plan.wanted import Wanted
from trailboss.resources.consuming import consuming, detach
from trailboss.resources.emptying import empty

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

NO_SUCH_WORKER = (10007, 10090)
Approve = Callable[[Plan, tuple[str, ...]], bool]
"""Is shown the plan and the Workers that are there; whether what cannot be undone may be done."""


@dataclass(frozen=True, slots=True, repr=False)
class Removal:
    """What went this time: `resources` deleted or let go, in order, `workers` deleted, API `calls`."""

    resources: tuple[Change, ...]
    workers: tuple[str, ...]
    calls: int


async def remove_environment(
    cloud: Cloud, want: Wanted, options: Options | None = None, *, approve: Approve | None = None
) -> Removal:
    """Take the environment that `want` is of out of the account. Safe to stop at any call and to repeat.

    Of `want` only the owner and the names of the Workers count (`plan.wanted.nothing(project)`); Workers
    that the account has noted for it are added. `options` as for an apply: `confirmed` allows the loss of
    data, `wait`, `tell`, `step`, `doing`. With `approve` its answer counts instead.

    Raises:
        RefusedError: TB6202 the account refuses tags, so that nobody can say what is whose; TB6201 data
            would be lost and that was not confirmed.
        ConflictError, PlanError, CloudError: as `apply`.
    """
    before, options = cloud.stats.total, options or Options(doing="remove environment")
    want = await _ending(cloud, want)
    plan = await make(cloud, want)
    workers = await existing(cloud, want.scripts)
    if approve is not None:
        options = replace(options, confirmed=approve(plan, workers), approved=plan.fingerprint)
    refuse(plan, approved=None, confirmed=options.confirmed)
    gone: list[str] = []

    async def first(guarded: Cloud) -> None:
        if workers:
            await detach(guarded, await consuming(guarded, workers))
        for name in workers:
            options.progress(f"delete Worker {name}")
            if await delete_worker(guarded, name):
                gone.append(name)
        for one in plan.pending:
            if one.action == "delete" and one.seen is not None:
                await empty(guarded, one.seen.observed, options.progress)

    done = await apply(cloud, want, replace(options, first=first))
    return Removal(done.done, tuple(gone), cloud.stats.total - before)


async def existing(cloud: Cloud, names: Iterable[str]) -> tuple[str, ...]:
    """Those of these Workers that the account has. One call."""
    wanted = sorted(set(names))
    if not wanted:
        return ()
    path = f"{cloud.account}/workers/scripts"
    there = {str(row.get("id")) async for row in cloud.pages(path, style="single")}
    return tuple(name for name in wanted if name in there)


async def _ending(cloud: Cloud, want: Wanted) -> Wanted:
    """What is wanted at the end: nothing, of Workers that the files or the account name."""
    try:
        register = await Register.read(cloud)
    except PermissionDenied as error:
        raise RefusedError(
            "TB6202",
            f"this account refuses resource tags ({error.message}): what belongs to {want.owner} cannot be "
            "told, and nothing was deleted",
            hint="Delete it by hand, and the environment with --keep-resources.",
        ) from error
    noted = register.expiries().get(want.owner)
    scripts = want.scripts | frozenset(noted.scripts if noted else ())
    return Wanted(want.owner, scripts=scripts, expires=Expiry(""), ends=True)


async def delete_worker(cloud: Cloud, name: str) -> bool:
    """Delete one Worker, whoever uses it; False when it was gone already."""
    from trailboss.cloud import segment

    try:
        path = f"{cloud.account}/workers/services/{segment(name)}"
        await cloud.delete(path, params={"force": "true"})
    except CloudError as error:
        if not error.has_code(*NO_SUCH_WORKER):
            raise
        return False
    return True
