"""What a user may ask of a strategy, and the rules all of them share."""

from __future__ import annotations

from dataclasses import dataclass

from trailboss.errors import UsageError
from trailboss.release.rollout.policy import Step

BAKE = 120.0
LONGEST = 30.0
"""A step is held after so many bake times, and never before half an hour."""
HALF_AN_HOUR = 1800.0


@dataclass(frozen=True, slots=True)
class Wish:
    """One step as written: `share` in percent, its own `bake` and `deadline` in seconds or None."""

    share: float
    bake: float | None = None
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """`steps` (empty: the strategy's own), and `bake` and `deadline` for those that have none."""

    steps: tuple[Wish, ...] = ()
    bake: float | None = None
    deadline: float | None = None

    def step(self, wish: Wish, bake: float) -> Step:
        """The step for a wish, where the strategy bakes for `bake` seconds by default."""
        chosen = next(value for value in (wish.bake, self.bake, bake) if value is not None)
        deadline = wish.deadline if wish.deadline is not None else self.deadline
        least = max(HALF_AN_HOUR, LONGEST * chosen)
        return Step(wish.share, chosen, max(chosen, deadline if deadline is not None else least))


def rising(wishes: tuple[Wish, ...]) -> tuple[Wish, ...]:
    """The wishes, checked. Raises UsageError TB9430 (not between 0 and 100), TB9431 (not rising to 100)."""
    shares = [wish.share for wish in wishes]
    wrong = next((share for share in shares if not 0 < share <= 100), None)
    if wrong is not None:
        raise UsageError(
            "TB9430",
            f"A step of {wrong:g} % is not possible.",
            hint="Above 0, up to 100: --steps 1,10,50,100",
        )
    if shares != sorted(set(shares)) or shares[-1] != 100:
        listed = ", ".join(f"{share:g}" for share in shares)
        raise UsageError(
            "TB9431", f"The steps {listed} do not rise to 100.", hint="For example: --steps 1,10,50,100"
        )
    return wishes
