"""The variables of a process without their values where something prints them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


class Quiet(Mapping[str, str]):
    """A mapping that does not show itself: crash reports print the variables of every frame, and the
    environment is one of them."""

    __slots__ = ("_inside",)

    def __init__(self, inside: Mapping[str, str]) -> None:
        self._inside: Mapping[str, str] = inside

    def __getitem__(self, name: str) -> str:
        return self._inside[name]

    def __contains__(self, name: object) -> bool:
        # Mapping's own way goes through an exception, whose frames would hold the raw mapping.
        return name in self._inside

    def __iter__(self) -> Iterator[str]:
        return iter(self._inside)

    def __len__(self) -> int:
        return len(self._inside)

    def __repr__(self) -> str:
        return f"<{len(self)} variables>"
