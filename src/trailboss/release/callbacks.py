"""What a verb may say and ask while it works. The command line supplies both; tests supply lambdas."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str], None]
"""Called with one short line when a step begins."""

Confirm = Callable[[str], bool]
"""Called with a yes/no question. `None` instead of a Confirm means nobody is there to ask: verbs then
refuse."""


def quiet(_line: str) -> None:
    """A Progress that says nothing."""
