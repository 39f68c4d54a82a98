"""When an environment ends: `[environments.<name>.ephemeral] expires`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from trailboss.cli.words_for import seconds
from trailboss.errors import UsageError

if TYPE_CHECKING:
    from trailboss.config import Project
    from trailboss.config.environments import Edited


def moment(text: str, now: datetime | None = None) -> str:
    """`24h`, `3d` from now on, or a date with time and offset, in ISO 8601.

    Raises:
        UsageError: TB9069 it is neither.
    """
    try:
        found = datetime.fromisoformat(text) if "-" in text else None
        if found is None:
            found = (now or datetime.now(UTC)) + timedelta(seconds=seconds(text))
        if found.tzinfo is not None:
            return found.astimezone(UTC).isoformat(timespec="seconds")
        problem = "it does not say in which time zone"
    except (ValueError, OverflowError):
        problem = "it is neither a span nor a moment"
    raise UsageError("TB9069", f"'{text}': {problem}", hint="For example 24h, 3d or 2026-12-01T18:00:00Z.")


def write(project: Project, done: Edited, until: str) -> Edited:
    """The environment with its end in trailboss.toml."""
    from trailboss.config.edit import Set
    from trailboss.config.several import rewrite_together

    assert project.file is not None
    keys = ("environments", done.name, "ephemeral", "expires")
    changed = rewrite_together({project.file: [Set(keys, until)]})
    files = tuple(dict.fromkeys((*done.files, *changed)))
    return replace(done, done=bool(files), files=files)


def is_past(until: str, now: datetime | None = None) -> bool:
    """Whether the moment is over."""
    return datetime.fromisoformat(until) <= (now or datetime.now(UTC))
