"""What is counted once.

Without version affinity every request draws its version anew: requests are the unit, and even failures in
bursts do no harm. With affinity (`Cloudflare-Workers-Version-Key`), or where a Durable Object binds its
callers to one version, failures of one key share one label: ten are as telling as one. Then the key is the
unit (keyed.py). Where keys cannot be told, evidence may be tempered by a dispersion measured in an A/A
run; else we refuse.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from trailboss.errors import ReleaseError


class Unit(StrEnum):
    """What is counted: each request, or each version-affinity key."""

    REQUEST = "request"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Counting:
    """The unit, and `phi`: e-values are raised to 1/phi (1 = as they are)."""

    unit: Unit
    phi: float = 1.0


def choose_unit(*, sticky: bool, keys: bool, phi: float | None = None) -> Counting:
    """How to count. `sticky`: labels stick to keys or objects; `keys`: the source tells the keys; `phi`:
    dispersion measured in an A/A run (at least 1), None when never measured.

    Raises ReleaseError TB4302 for requests as the unit of sticky labels: with bursts of five that rolls
    back four good releases in ten (measures section 1.4)."""
    if phi is not None and not phi >= 1:
        raise ValueError(f"phi is a dispersion of at least 1, not {phi}")
    if not sticky:
        return Counting(Unit.REQUEST, phi or 1.0)
    if keys:
        return Counting(Unit.KEY)
    if phi is None:
        raise ReleaseError(
            "TB4302",
            "with version affinity or Durable Objects, requests are no independent evidence",
            hint="let the evidence carry the version key, or measure phi with an A/A rollout and set it",
        )
    return Counting(Unit.REQUEST, phi)
