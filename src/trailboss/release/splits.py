"""From `v12@90 v13@10` to shares of the traffic. Pure; names are resolved elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from trailboss.errors import UsageError
from trailboss.release.model import tidy

MOST_VERSIONS = 2
"""Cloudflare's limit of versions in one deployment."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A version name as typed and its percent of the traffic."""

    name: str
    percentage: float


def read_splits(specs: Sequence[str]) -> tuple[Wanted, ...]:
    """`v12`, `v12@90`, `<id>@10%`; versions without a percentage share what the others leave, equally.

    0 is allowed: such a version takes no traffic but answers to the version-override header. Raises
    UsageError TB9401 (nothing named), TB9402 (more than two), TB9403 (not a percentage), TB9404 (does not
    come to 100), TB9405 (one version twice)."""
    if not specs:
        raise UsageError(
            "TB9401", "No version was named.", hint="For example: trailboss versions deploy v12@90 v13@10"
        )
    if len(specs) > MOST_VERSIONS:
        raise UsageError(
            "TB9402",
            f"{len(specs)} versions were named; a deployment holds at most {MOST_VERSIONS}.",
            hint="Split the traffic between two versions.",
        )
    parsed = [_parse(spec) for spec in specs]
    names = [name for name, _ in parsed]
    if len(set(names)) != len(names):
        raise UsageError("TB9405", f'"{names[0]}" is named twice.', hint="Name each version once.")
    return tuple(Wanted(name, tidy(float(share))) for name, share in _fill(parsed))


def _parse(spec: str) -> tuple[str, Decimal | None]:
    name, at, text = spec.strip().rpartition("@")
    if not at:
        return _name(text, spec), None
    try:
        percentage = Decimal(text.strip().removesuffix("%").strip())
    except InvalidOperation:
        percentage = Decimal("NaN")
    if not percentage.is_finite() or not 0 <= percentage <= 100:
        raise UsageError(
            "TB9403",
            f'"{text}" in "{spec}" is not a percentage.',
            hint="Write a number from 0 to 100, such as v12@10.",
        )
    return _name(name, spec), percentage


def _name(name: str, spec: str) -> str:
    if not name.strip():
        raise UsageError("TB9401", f'"{spec}" names no version.', hint="For example: v12@90")
    return name.strip()


def _fill(parsed: Sequence[tuple[str, Decimal | None]]) -> list[tuple[str, Decimal]]:
    given = sum((share for _, share in parsed if share is not None), Decimal(0))
    open_ended = sum(share is None for _, share in parsed)
    if given > 100 or (not open_ended and given != 100):
        rest = 100 - given
        hint = (
            f"Name the version that keeps the other {rest} %."
            if len(parsed) == 1
            else "Shares must come to 100."
        )
        raise UsageError("TB9404", f"The percentages come to {given}, not 100.", hint=hint)
    each = (100 - given) / open_ended if open_ended else Decimal(0)
    return [(name, each if share is None else share) for name, share in parsed]
