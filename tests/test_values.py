from __future__ import annotations

import json
import pickle
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailboss.errors import ConfigError, RolledBack, TrailbossError
from trailboss.values import Location, Secret


@given(st.text(min_size=4).filter(lambda text: text not in "<secret>"))
def test_a_secret_never_shows_its_value(value: str) -> None:
    secret = Secret(value)
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret:>12}", f"{[secret]}"):
        assert value not in shown
    assert secret.reveal() == value


def test_a_secret_cannot_be_serialised_by_accident() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret("hunter2"))
    with pytest.raises(TypeError):
        json.dumps({"token": Secret("hunter2")})


def test_a_secret_stays_out_of_tracebacks() -> None:
    secret = Secret("hunter" + "2")
    try:
        raise ValueError(secret)
    except ValueError:
        assert "hunter2" not in traceback.format_exc()


def test_a_location_reads_as_editors_expect() -> None:
    assert str(Location(Path("wrangler.toml"), 3, 7)) == "wrangler.toml:3:7"
    assert str(Location(Path("wrangler.toml"))) == "wrangler.toml"


def test_an_error_says_what_where_and_what_next() -> None:
    error = ConfigError("TB1001", "unknown key", hint="Did you mean main?", where=Location(Path("a.toml"), 2))
    assert str(error) == "a.toml:2: unknown key"
    assert error.as_json()["error"] == {
        "code": "TB1001",
        "message": "unknown key",
        "hint": "Did you mean main?",
        "where": "a.toml:2",
    }


def test_exit_statuses_are_those_of_the_design() -> None:
    assert TrailbossError("TB9000", "x").exit_status == 1
    assert ConfigError("TB1000", "x").exit_status == 2
    assert RolledBack("TB4000", "x").exit_status == 4
