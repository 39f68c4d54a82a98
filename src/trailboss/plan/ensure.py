"""What a deploy needs of the account before it uploads: resources there, ours, and as the file says.

Nothing is deleted and nothing that would lose data is replaced on the way to a deploy; that is for `apply`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from trailboss.errors import PermissionDenied
from trailboss.plan.apply import Applied, Options, apply
from trailboss.plan.carry import Reveal
from trailboss.plan.changes import Change
from trailboss.plan.plan import Plan, make, refuse
from trailboss.plan.register import Register, with_expiry
from trailboss.plan.wanted import Resource, Wanted, wanted
from trailboss.resources.marks import identity_of
from trailboss.resources.protocol import OfWorker, Shared
from trailboss.resources.registry import kind

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.config import Project
    from trailboss.plan.provision import Wish


async def ensure(
    cloud: Cloud,
    project: Project,
    *,
    only: Collection[tuple[str, tuple[object, ...]]] | None = None,
    tell: Callable[[str], None] = lambda _: None,
    reveal: Reveal | None = None,
) -> Applied | None:
    """Create, update and adopt what `project` wants; None when there was nothing to do.

    `only` are places (kind, identity): then nothing else is touched, but what those need.

    `reveal` turns references into secrets; None: what the process's environment has.

    Raises: as `apply`.
    """
    options = Options(tell=tell, doing="deploy")
    options = options if reveal is None else replace(options, reveal=reveal)
    want = wanted(project)
    places = _places(want)
    chosen = tuple(name for name, place in places.items() if only is None or place in only)
    if not chosen:
        await _note_end(cloud, want)
        return None
    plan = await make(cloud, want, targets=chosen)
    todo = tuple(one.address for one in _safe(plan))
    if not todo:
        refuse(plan, approved=None, confirmed=True)
        if plan.is_late:
            await _note_end(cloud, want, plan.view.register)
        return None
    return await apply(cloud, want, replace(options, targets=todo))


async def preview(cloud: Cloud, project: Project) -> tuple[Change, ...]:
    """What `ensure` would do. Writes nothing.

    Raises: as `apply` for what an apply refuses before its first change.
    """
    want = wanted(project)
    chosen = tuple(_places(want))
    if not chosen:
        return ()
    plan = await make(cloud, want, targets=chosen)
    refuse(plan, approved=None, confirmed=True)
    return _safe(plan)


def _places(want: Wanted) -> dict[str, tuple[str, tuple[object, ...]]]:
    """By address, what is made before an upload."""
    return {
        one.address: (one.kind, identity_of(one.spec))
        for one in want.resources
        if not isinstance(kind(one.kind).ownership, Shared) and not _goes_with_upload(one)
    }


async def note_end(cloud: Cloud, project: Project) -> None:
    """Write down when the environment of `project` ends, for whoever finds it later. One call or two, and
    none for an environment that never ends.

    Raises:
        CloudError: the account could not be asked. ConfigError: as `wanted`.
    """
    await _note_end(cloud, wanted(project))


async def _note_end(cloud: Cloud, want: Wanted, register: Register | None = None) -> None:
    """Write down when the environment ends and of which Workers it is, where there is nothing else to do.

    One that never ends is not asked about; an apply takes an old note away."""
    if want.expires is None or not want.expires.until:
        return
    with contextlib.suppress(PermissionDenied):  # without tags nobody is told
        register = register or await Register.read(cloud)
        await register.change(lambda values: with_expiry(values, want.owner, want.expires))


async def ensure_bound(
    cloud: Cloud,
    project: Project,
    missing: list[Wish],
    tell: Callable[[str], None],
    reveal: Reveal | None = None,
) -> None:
    """Make what bindings stand for and the account does not have."""
    places = {(wish.kind.name, identity_of(wish.spec)) for wish in missing}
    await ensure(cloud, project, only=places, tell=tell, reveal=reveal)


def _goes_with_upload(one: Resource) -> bool:
    """Whether the deploy writes it after the upload: only the new code may have its handler or class."""
    return isinstance(kind(one.kind).ownership, OfWorker) and not one.is_written


def _safe(plan: Plan) -> tuple[Change, ...]:
    """Everything but deletions and what loses data."""
    kept = ("create", "update", "adopt", "replace")
    return tuple(one for one in plan.pending if one.action in kept and not one.loses)
