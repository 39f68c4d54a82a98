"""When an environment ends, as its files say it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from trailboss.config import Project
from trailboss.errors import ConfigError
from trailboss.plan.wanted import expiry_of

NOW = datetime(2026, 3, 1, 12, 20, tzinfo=UTC)


def end(folder: Path, settings: str, environment: str = "qa") -> str:
    (folder / "wrangler.toml").write_text('name = "shop"\n')
    (folder / "trailboss.toml").write_text(f"[environments.production]\n[environments.qa]\n{settings}")
    return expiry_of(Project.load(folder, environment=environment, environ={}), NOW)


@pytest.mark.parametrize(
    ("settings", "until"),
    [
        ("", ""),
        ('[ephemeral]\nexpires = "1d"', ""),
        ("[environments.qa.ephemeral]", "2026-03-04T13:00:00+00:00"),
        ('[ephemeral]\nexpires = "1d"\n[environments.qa.ephemeral]', "2026-03-02T13:00:00+00:00"),
        ('[environments.qa.ephemeral]\nexpires = "90m"', "2026-03-01T13:50:00+00:00"),
        ('[environments.qa.ephemeral]\nexpires = "2h"', "2026-03-01T15:00:00+00:00"),
        ("[environments.qa.ephemeral]\nexpires = 2026-05-01T00:00:00Z", "2026-05-01T00:00:00+00:00"),
    ],
)
def test_the_end_of_an_environment(tmp_path: Path, settings: str, until: str) -> None:
    assert end(tmp_path, settings) == until


def test_what_is_usual_for_some_is_not_said_of_the_others(tmp_path: Path) -> None:
    settings = '[ephemeral]\nfrom = "qa"\nexpires = "1h"\n[environments.qa.ephemeral]'
    assert end(tmp_path, settings, "production") == ""
    assert end(tmp_path, settings, "pr-7") == "2026-03-01T14:00:00+00:00"


@pytest.mark.parametrize("said", ['"soon"', '"2026-05-01T00:00:00"', '"3 days"', "3"])
def test_no_moment(tmp_path: Path, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        end(tmp_path, f"[environments.qa.ephemeral]\nexpires = {said}")
    assert caught.value.code == "TB1236"
    assert caught.value.where is not None and caught.value.where.line == 4
