"""edge-first: a canary that is about where the code runs. Placement is part of the new version (smart, or a
region), so the walk compares it with the old one before everybody has it, on wall time too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trailboss.errors import UsageError
from trailboss.release.rollout.policy import Step
from trailboss.release.strategies import canary
from trailboss.release.strategies.asked import Asked

DEFAULT = (5.0, 25.0, 100.0)


def steps(asked: Asked) -> tuple[Step, ...]:
    """5, 25, 100 % unless said otherwise. Raises what `canary.steps` raises."""
    from trailboss.release.strategies.asked import Wish

    if asked.steps:
        return canary.steps(asked)
    return canary.steps(Asked(tuple(Wish(share) for share in DEFAULT), asked.bake, asked.deadline))


def placed(settings: Mapping[str, Any], regions: str | None) -> dict[str, Any]:
    """The Worker's settings with its placement: smart for `all` (or nothing said), one named region such as
    `aws:us-east-1`. A placement in the configuration stays unless a region is named.

    Raises UsageError TB9434 for several regions: Cloudflare places a Worker near one."""
    asked = (regions or "all").strip()
    if asked == "all":
        return {**settings, "placement": settings.get("placement") or {"mode": "smart"}}
    if "," in asked:
        raise UsageError(
            "TB9434",
            f"A Worker cannot be pinned to several regions ({asked}).",
            hint="Name one (aws:us-east-1), or all: then Cloudflare chooses by where its requests go.",
        )
    return {**settings, "placement": {"region": asked}}
