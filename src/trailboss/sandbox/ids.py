"""Identifiers, from one source that tests may seed."""

from __future__ import annotations

import random
import uuid


class Ids:
    """All identifiers the sandbox hands out."""

    def __init__(self) -> None:
        self._random: random.Random = random.SystemRandom()

    def seed(self, value: int | str) -> None:
        """From now on the identifiers are the same sequence for the same `value`."""
        self._random = random.Random(value)  # noqa: S311 repeatable on purpose

    def reset(self) -> None:
        """Back to unpredictable identifiers."""
        self._random = random.SystemRandom()

    def uuid(self) -> str:
        """A version 4 UUID, as versions and deployments have."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def hex(self, characters: int = 32) -> str:
        """Lower-case hex, as most of Cloudflare's resources have."""
        return f"{self._random.getrandbits(characters * 4):0{characters}x}"

    def fraction(self) -> float:
        """A number in [0, 1), for sampling and probabilities."""
        return self._random.random()
