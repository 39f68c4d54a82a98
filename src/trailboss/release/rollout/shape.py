"""Which Workers cannot be split, and which are in the middle of something: known before anything is built."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from trailboss.errors import ConflictError
from trailboss.release.passing import Go, Pass, Step
from trailboss.release.rollout.mark import Mark, Phase
from trailboss.release.wrangling import why_wrangler

if TYPE_CHECKING:
    from trailboss.release.account import Seen


def why_whole(now: Pass, seen: Seen) -> str | None:
    """Why Cloudflare cannot split the traffic of this upload, as the end of a sentence; None when it can."""
    from trailboss.build.metadata import lifecycle

    reason = why_wrangler(now)
    if reason is not None:
        return f"wrangler deploys it: {reason}"
    if not seen.exists or seen.current is None:
        return "it has no version yet to split the traffic with"
    pending = lifecycle.pending_migrations(now.settings.get("migrations") or (), seen.migration_tag)
    if pending is not None:
        return f"the Durable Object migration {pending['new_tag']} takes effect at once, for all versions"
    if lifecycle.has_durable_object_exports(now.settings):
        return "Durable Object classes declared by `exports` are reconciled by a deploy, at once"
    return None


async def shape(now: Pass) -> Step:
    """Refuse what is under way, and say what will go at once. Raises ConflictError TB4403, TB4404, TB4405."""
    if now.seen is None:
        return Go(now)
    current = now.seen.current
    if current is not None and current.mark is not None:
        refuse_running(now.name, current.mark, force=now.options.force)
    reason = why_whole(now, now.seen)
    if reason is None:
        return Go(now, "its traffic can be split")
    now.progress(f"{now.name} goes live at once: {reason}")
    warning = f"{now.name} went live at once, without steps: {reason}"
    return Go(replace(now, whole=reason).noting(warnings=(*now.report.warnings, warning)), reason)


def refuse_running(worker: str, mark: Mark, *, force: bool = False, now: float | None = None) -> None:
    """Raise when a rollout of the Worker is not over: ConflictError TB4403 (somebody is at it), TB4404 (it is
    held or paused), TB4405 (whoever drove it is gone). A claim that nobody follows up is free to take."""
    now = time.time() if now is None else now
    if force or mark.phase.over or (mark.dead(now) and mark.phase is Phase.CLAIMED):
        return
    if mark.dead(now):
        raise ConflictError(
            "TB4405",
            f'A rollout of "{worker}" by {mark.who} stands at {mark.where}, and nobody is at it any more.',
            hint="`trailboss release resume` goes on with it, `trailboss release abort` takes it back.",
        )
    if mark.phase.driven:
        raise under_way(worker, mark)
    raise ConflictError(
        "TB4404",
        f'A rollout of "{worker}" by {mark.who} is {mark.phase.value} at {mark.where}.',
        hint="Decide first: `trailboss release resume`, `promote` or `abort`.",
    )


def under_way(worker: str, mark: Mark) -> ConflictError:
    """Somebody is at it (TB4403)."""
    return ConflictError(
        "TB4403",
        f'A rollout of "{worker}" by {mark.who} is under way, at {mark.where}.',
        hint="Wait for it (`trailboss release watch`), or end it with `trailboss release abort`.",
    )
