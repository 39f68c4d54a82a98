"""Whoever ran `wrangler login` is logged in here too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from trailboss.cloud import resolve_target
from trailboss.errors import AuthenticationError
from trailboss.values import Secret


def login(folder: Path, minutes: float, *, name: str = "default", token: str = "oauth-token") -> None:
    """Write a login that is good for `minutes`."""
    expires = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
    file = folder / ".wrangler" / "config" / f"{name}.toml"
    file.parent.mkdir(parents=True)
    file.write_text(f'oauth_token = "{token}"\nexpiration_time = "{expires}"\nrefresh_token = "r"\n')


@pytest.mark.parametrize("place", [".", ".config", "Library/Preferences"])
def test_a_login_is_found(tmp_path: Path, place: str) -> None:
    login(tmp_path / place, 30)
    target = resolve_target(None, environ={"HOME": str(tmp_path)})
    assert target.token == Secret("oauth-token")


def test_profiles_and_the_config_home(tmp_path: Path) -> None:
    login(tmp_path / "xdg", 30, name="work", token="work-token")
    environ = {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "xdg"),
        "CLOUDFLARE_AUTH_PROFILE": "work",
    }
    assert resolve_target(None, environ=environ).token == Secret("work-token")


def test_a_token_wins(tmp_path: Path) -> None:
    login(tmp_path, -5)
    environ = {"HOME": str(tmp_path), "CLOUDFLARE_API_TOKEN": "t"}
    assert resolve_target(None, environ=environ).token == Secret("t")


def test_an_expired_login_is_told(tmp_path: Path) -> None:
    login(tmp_path, 0.5)
    with pytest.raises(AuthenticationError) as caught:
        resolve_target(None, environ={"HOME": str(tmp_path)})
    assert caught.value.code == "TB2104"
    assert "wrangler whoami" in caught.value.hint


@pytest.mark.parametrize(
    "content", ["", "not toml [", "oauth_token = 5\n", 'oauth_token="x"\nexpiration_time="?"']
)
def test_a_broken_file_is_no_login(tmp_path: Path, content: str) -> None:
    login(tmp_path, 30)
    (tmp_path / ".wrangler/config/default.toml").write_text(content)
    with pytest.raises(AuthenticationError) as caught:
        resolve_target(None, environ={"HOME": str(tmp_path)})
    assert caught.value.code == "TB2102"
