"""Certificate packs, Universal SSL, Argo and the cache's settings."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Sandbox
from trailboss.sandbox.products.certificate_packs import check_order
from trailboss.sandbox.refusals import ApiError

ORDER: dict[str, Any] = {
    "type": "advanced",
    "hosts": ["example.com", "www.example.com"],
    "certificate_authority": "lets_encrypt",
    "validation_method": "txt",
    "validity_days": 90,
}


@pytest.fixture
def zone(account: Sandbox) -> str:
    return f"/zones/{account.call('GET', '/zones?name=example.com')[0]['id']}"


@pytest.fixture
def packs(zone: str) -> str:
    return f"{zone}/ssl/certificate_packs"


def test_an_order_arrives_at_once(account: Sandbox, packs: str) -> None:
    made = account.call("POST", f"{packs}/order", ORDER)
    assert (made["status"], made["certificates"]) == ("initializing", [])
    found = account.call("GET", f"{packs}/{made['id']}")
    assert found["status"] == "active"
    assert found["primary_certificate"] == found["certificates"][0]["id"]
    assert account.call("GET", f"{packs}/quota") == {"advanced": {"allocated": 100, "used": 1}}


def test_a_planted_pace_makes_it_walk(account: Sandbox, zone: str, packs: str) -> None:
    account.control("PUT", "clock", {"freeze": True})
    account.control("POST", "seed", {"certificates": {"pace": 60}})
    made = account.call("POST", f"{packs}/order", ORDER)
    seen = []
    for _ in range(5):
        pack = account.call("GET", f"{packs}/{made['id']}")
        states = account.call("GET", f"{zone}/ssl/verification")
        (verified,) = [one for one in states if one["cert_pack_uuid"] == made["id"]]
        seen.append((pack["status"], verified["certificate_status"]))
        if pack["status"] == "pending_validation":
            assert [one["txt_name"] for one in pack["validation_records"]] == [
                "_acme-challenge.example.com",
                "_acme-challenge.www.example.com",
            ]
        account.control("PUT", "clock", {"advance": 60})
    assert seen == [
        ("initializing", "initializing"),
        ("pending_validation", "authorizing"),
        ("pending_issuance", "issuing"),
        ("pending_deployment", "pending_deployment"),
        ("active", "active"),
    ]
    account.control("PUT", "clock", {"advance": 91 * 86400})
    assert account.call("GET", f"{packs}/{made['id']}")["status"] == "expired"


def test_only_active_packs_are_listed(account: Sandbox, packs: str) -> None:
    account.control("POST", "seed", {"certificates": {"pace": 3600}})
    account.call("POST", f"{packs}/order", ORDER)
    assert [one["type"] for one in account.call("GET", packs)] == ["universal"]
    assert [one["type"] for one in account.call("GET", f"{packs}?status=all")] == ["universal", "advanced"]


def test_an_order_gets_stuck_and_is_started_again(account: Sandbox, packs: str) -> None:
    account.control("POST", "seed", {"certificates": {"stuck_at": "pending_validation"}})
    made = account.call("POST", f"{packs}/order", ORDER)
    path = f"{packs}/{made['id']}"
    stuck = account.call("GET", path)
    assert stuck["status"] == "validation_timed_out"
    assert stuck["validation_errors"]
    assert account.call("PATCH", path, {})["status"] == "initializing"
    assert account.call("GET", path)["status"] == "active"
    assert account.call("PATCH", path, {})["status"] == "active"
    account.call("DELETE", path)
    assert account.call("GET", path, expect=404)["code"] == 1401


def test_universal_ssl(account: Sandbox, zone: str, packs: str) -> None:
    (universal,) = account.call("GET", packs)
    assert universal["hosts"] == ["example.com", "*.example.com"]
    account.call("DELETE", f"{packs}/{universal['id']}", expect=400)
    account.call("PATCH", f"{zone}/ssl/universal/settings", {"enabled": False})
    assert account.call("GET", packs) == []
    account.call("GET", f"{packs}/{universal['id']}", expect=404)
    account.call("PATCH", f"{zone}/ssl/universal/settings", {"enabled": True})
    assert account.call("GET", packs) == [universal]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hosts": ["www.example.com"]}, "must include the zone apex example.com"),
        ({"hosts": ["example.com", "www.other.test"]}, "is not in the zone"),
        ({"hosts": ["example.com", "example.com"]}, "must be unique"),
        ({"hosts": ["example.com", "a.*.example.com"]}, "one wildcard"),
        (
            {"hosts": ["example.com", "*.example.com"], "validation_method": "http"},
            "cannot be validated by http",
        ),
        ({"hosts": ["example.com", *(f"h{n}.example.com" for n in range(50))]}, "1 to 50 hosts"),
        ({"validity_days": 30}, "must be one of 90 days"),
        ({"validation_method": "email"}, "not available with lets_encrypt"),
        ({"certificate_authority": "digicert"}, "authority must be one of"),
        ({"type": "dedicated"}, "Only certificates of the type advanced"),
    ],
)
def test_orders_that_cannot_be_filled(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ApiError, match=said.replace("*", r"\*")):
        check_order({**ORDER, **change}, "example.com")


def test_argo_needs_a_plan(account: Sandbox) -> None:
    (planted,) = account.control("POST", "seed", {"zones": [{"name": "free.test", "plan": "free"}]})["zones"]
    argo = f"/zones/{planted['id']}/argo"
    assert account.call("GET", f"{argo}/smart_routing")["editable"] is False
    assert account.call("PATCH", f"{argo}/smart_routing", {"value": "on"}, expect=400)["code"] == 1015
    assert account.call("PATCH", f"{argo}/tiered_caching", {"value": "on"})["value"] == "on"
    regional = f"/zones/{planted['id']}/cache/regional_tiered_cache"
    assert account.call("PATCH", regional, {"value": "on"}, expect=400)["code"] == 1015


def test_a_setting_of_the_cache_is_not_there_before_it_was_set(account: Sandbox, zone: str) -> None:
    path = f"{zone}/cache/tiered_cache_smart_topology_enable"
    refused = account.call("GET", path, expect=404)
    assert refused["code"] == 1142
    name = "tiered_cache_smart_topology_enable"
    message = f"Unable to retrieve {name} setting value. The zone setting does not exist."
    assert refused["message"] == message
    account.call("PATCH", path, {"value": "on"})
    assert account.call("GET", path)["value"] == "on"
    account.call("DELETE", path)
    account.call("GET", path, expect=404)
    assert (
        "never performed" in account.call("GET", f"{zone}/cache/cache_reserve_clear", expect=404)["message"]
    )


def test_clearing_cache_reserve(account: Sandbox, zone: str) -> None:
    reserve, clear = f"{zone}/cache/cache_reserve", f"{zone}/cache/cache_reserve_clear"
    account.control("PUT", "clock", {"freeze": True})
    account.call("PATCH", reserve, {"value": "on"})
    account.call("POST", clear, {}, expect=400)
    account.call("PATCH", reserve, {"value": "off"})
    assert account.call("POST", clear, {})["state"] == "In-progress"
    account.call("PATCH", reserve, {"value": "on"}, expect=400)
    account.control("PUT", "clock", {"advance": 61})
    assert account.call("GET", clear)["state"] == "Completed"
    account.call("PATCH", reserve, {"value": "on"})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"tags": ["a"], "hosts": ["www.example.com"]},
        {"files": ["www.example.com/x"]},
        {"files": ["https://www.other.test/x"]},
        {"hosts": ["other.test"]},
        {"prefixes": ["other.test/x"]},
        {"tags": [str(number) for number in range(101)]},
    ],
)
def test_purges_that_cannot_be(account: Sandbox, zone: str, body: dict[str, Any]) -> None:
    account.call("POST", f"{zone}/purge_cache", body, expect=400)


def test_purges(account: Sandbox, zone: str) -> None:
    for body in (
        {"purge_everything": True},
        {
            "files": [
                "https://www.example.com/x",
                {"url": "https://example.com/", "headers": {"cf-ipcountry": "US"}},
            ]
        },
        {"prefixes": ["www.example.com/x"]},
        {"hosts": ["www.example.com"]},
    ):
        assert zone.endswith(account.call("POST", f"{zone}/purge_cache", body)["id"])


def test_a_zone_takes_its_own_things_with_it(account: Sandbox) -> None:
    made = account.call(
        "POST", "/zones", {"name": "gone.test", "account": {"id": account.connection.account_id}}
    )
    path = f"/zones/{made['id']}"
    phase = f"{path}/rulesets/phases/http_request_firewall_custom/entrypoint"
    account.call("PUT", phase, {"rules": [{"action": "block", "expression": "true"}]})
    account.call("POST", f"{path}/ssl/certificate_packs/order", {**ORDER, "hosts": ["gone.test"]})
    account.call("DELETE", path)
    account.call("GET", phase, expect=404)
