"""Settings of a zone: defaults, values, plans, development mode."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Sandbox
from trailboss.sandbox.contract import reply_problem
from trailboss.sandbox.routes.zones_settings import SETTINGS


@pytest.fixture
def settings(account: Sandbox) -> str:
    (found,) = account.call("GET", "/zones?name=example.com")
    return f"/zones/{found['id']}/settings"


def test_every_default_is_one_of_its_values_and_the_sdks() -> None:
    for name, (default, fits) in SETTINGS.items():
        assert fits(default), name
        if name != "ssl_automatic_mode":  # newer than the SDK
            shown = {"id": name, "value": default, "editable": True, "modified_on": None}
            assert reply_problem("zones.SettingGetResponse", shown) == "", name


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("security_level", "under_attack", "paranoid"),
        ("ssl", "strict", "on"),
        ("min_tls_version", "1.2", 1.2),
        ("tls_1_3", "zrt", True),
        ("always_use_https", "on", "yes"),
        ("browser_cache_ttl", 3600, 3601),
        ("ciphers", ["ECDHE-RSA-AES128-GCM-SHA256"], ["ROT13"]),
        ("proxy_read_timeout", 120, 100000),
        (
            "security_header",
            {"strict_transport_security": {"enabled": True, "max_age": 60}},
            {"strict_transport_security": {"enabled": "yes"}},
        ),
    ],
)
def test_values(account: Sandbox, settings: str, name: str, good: Any, bad: Any) -> None:
    before = account.call("GET", f"{settings}/{name}")
    assert before["modified_on"] is None
    refused = account.call("PATCH", f"{settings}/{name}", {"value": bad}, expect=400)
    assert (refused["code"], refused["message"]) == (1007, f"Invalid value for zone setting {name}")
    changed = account.call("PATCH", f"{settings}/{name}", {"value": good})
    assert changed["modified_on"] is not None
    assert account.call("GET", f"{settings}/{name}") == changed
    if name != "security_header":
        assert changed["value"] == good
    else:  # what is not named stays
        assert changed["value"]["strict_transport_security"] == {
            **before["value"]["strict_transport_security"],
            **good["strict_transport_security"],
        }


def test_what_is_no_setting(account: Sandbox, settings: str) -> None:
    refused = account.call("PATCH", f"{settings}/binary_ast", {"value": "on"}, expect=400)
    assert (refused["code"], refused["message"]) == (1006, "Unrecognized zone setting name: binary_ast")
    assert account.call("PATCH", settings, {"ssl": "full"}, expect=400)["message"] == "Missing 'items'"
    items = [{"id": "ssl", "value": "strict"}, {"id": "brotli", "value": "maybe"}]
    account.call("PATCH", settings, {"items": items}, expect=400)
    assert account.call("GET", f"{settings}/ssl")["value"] == "full"
    assert len(account.call("GET", settings)) == len(SETTINGS)


def test_plans_have_settings(account: Sandbox) -> None:
    (planted,) = account.control("POST", "seed", {"zones": [{"name": "free.test", "plan": "free"}]})["zones"]
    path = f"/zones/{planted['id']}/settings"
    assert account.call("GET", f"{path}/polish")["editable"] is False
    assert account.call("PATCH", f"{path}/polish", {"value": "lossy"}, expect=400)["code"] == 1015
    assert account.call("PATCH", f"{path}/brotli", {"value": "off"})["value"] == "off"


def test_switches(account: Sandbox, settings: str) -> None:
    assert account.call("GET", f"{settings}/ssl_recommender")["enabled"] is True
    changed = account.call("PATCH", f"{settings}/ssl_recommender", {"enabled": False})
    assert (changed["enabled"], "value" in changed) == (False, False)


def test_development_mode_ends_by_itself(account: Sandbox, settings: str) -> None:
    account.control("PUT", "clock", {"freeze": True})
    on = account.call("PATCH", f"{settings}/development_mode", {"value": "on"})
    assert (on["value"], on["time_remaining"]) == ("on", 10800)
    account.control("PUT", "clock", {"advance": 10000})
    assert account.call("GET", f"{settings}/development_mode")["time_remaining"] == 800
    account.control("PUT", "clock", {"advance": 1000})
    assert account.call("GET", f"{settings}/development_mode")["value"] == "off"
