"""The commands for what stands before a Worker in its zone; each writes trailboss.toml and applies it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Trailboss, example
from tests.cli.test_json_output import check
from tests.conftest import Sandbox

PRODUCTION = ("--env", "production", "--json")
ZONE = "empathyfirstmedia.com"


@pytest.fixture
def agency(tmp_path: Path, target: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of examples/agency and an empty account; its zone is made with the first command."""
    return example("agency", tmp_path, monkeypatch)


def zone(target: Sandbox, path: str) -> Any:
    """Something of the zone."""
    [found] = target.call("GET", f"/zones?name={ZONE}")
    return target.call("GET", f"/zones/{found['id']}/{path}")


def twice(trailboss: Trailboss, folder: Path, *words: str) -> dict[str, Any]:
    """The first answer; the second changes neither files nor account."""
    first = trailboss(*words, *PRODUCTION)
    assert first.status == 0, first
    check("trailboss d1 create", first.json)
    text = (folder / "trailboss.toml").read_text()
    second = trailboss(*words, *PRODUCTION)
    assert (second.status, second.json["action"], second.json["files"]) == (0, "none", []), second
    assert (folder / "trailboss.toml").read_text() == text
    assert "# What goes around the Worker." in text
    return dict(first.json)


def test_security_level(trailboss: Trailboss, target: Sandbox, agency: Path) -> None:
    made = twice(trailboss, agency, "security-level", "set", "high")
    assert (made["kind"], made["files"]) == ("zone_setting", ["trailboss.toml"])
    assert zone(target, "settings/security_level")["value"] == "high"
    assert "under_attack only" in trailboss("security-level", "set", "low", "--env", "production").err
    assert zone(target, "settings/security_level")["value"] == "low"
    wrong = trailboss("security-level", "set", "highest", *PRODUCTION)
    assert (wrong.status, "under_attack" in wrong.error["message"]) == (2, True)


def test_rate_limit(trailboss: Trailboss, target: Sandbox, agency: Path) -> None:
    words = ("rate-limit", "create", "--zone", "production-zone", "--requests", "100", "--period", "60")
    twice(trailboss, agency, *words)
    [rule] = zone(target, "rulesets/phases/http_ratelimit/entrypoint")["rules"]
    assert (rule["action"], rule["ratelimit"]["requests_per_period"]) == ("block", 100)
    assert "cf.colo.id" in rule["ratelimit"]["characteristics"]
    before = (agency / "trailboss.toml").read_text()
    wrong = trailboss("rate-limit", "create", "b", "--expression", "http.host eq", *words[4:], *PRODUCTION)
    assert (wrong.status, wrong.error["code"]) == (2, "TB1230")
    assert (agency / "trailboss.toml").read_text() == before


def test_ruleset(trailboss: Trailboss, target: Sandbox, agency: Path) -> None:
    words = ("ruleset", "deploy", "security-ruleset", "--zone", "production-zone", *PRODUCTION)
    first = trailboss(*words).json
    check("trailboss apply", first)
    assert [one["kind"] for one in first["changed"]] == ["ruleset_rule"]
    assert trailboss(*words).json["changed"] == []
    unknown = trailboss("ruleset", "deploy", "nothing", *PRODUCTION)
    assert (unknown.status, unknown.error["code"]) == (2, "TB9061")
    assert "security-ruleset" in unknown.error["hint"]


def test_load_balancing(trailboss: Trailboss, target: Sandbox, agency: Path) -> None:
    balancer = ("load-balancer", "create", "lb", "--pool", "main")
    waits = trailboss(*balancer, *PRODUCTION).json
    assert (waits["action"], "main" in waits["note"]) == ("later", True)
    origins = "https://a.example.com,b.example.com:8443"
    made = twice(trailboss, agency, "origin-pool", "create", "main", "--origins", origins)
    assert made["kind"] == "load_balancer_pool"
    assert zone(target, "load_balancers")[0]["name"] == f"lb.{ZONE}"
    twice(trailboss, agency, *balancer)
    for origin in ("https://a/b", "ftp://a.example.com"):
        wrong = trailboss("origin-pool", "create", "b", "--origins", origin, *PRODUCTION)
        assert (wrong.status, wrong.error["code"]) == (2, "TB9062")


def test_certificate_and_routing(trailboss: Trailboss, target: Sandbox, agency: Path) -> None:
    made = twice(trailboss, agency, "certificate", "create", "--hostname", f"ai.{ZONE}")
    assert made["kind"] == "certificate_pack"
    [pack] = [one for one in zone(target, "ssl/certificate_packs") if one["type"] == "advanced"]
    assert (pack["status"], sorted(pack["hosts"])) == ("active", [f"ai.{ZONE}", ZONE])
    for word, value in (("enable", "on"), ("disable", "off")):
        twice(trailboss, agency, "smart-routing", word, "--zone", "production-zone")
        assert zone(target, "argo/smart_routing")["value"] == value


def test_a_zone_that_nobody_named(trailboss: Trailboss, agency: Path) -> None:
    none = trailboss("smart-routing", "enable", "--zone", "other", *PRODUCTION)
    assert (none.status, none.error["code"]) == (2, "TB9063")
    assert "production-zone" in none.error["hint"]
    before = (agency / "trailboss.toml").read_text()
    foreign = trailboss("smart-routing", "enable", "--zone", "example.org", *PRODUCTION)
    assert foreign.status != 0
    assert "example.org" in foreign.error["message"]
    assert (agency / "trailboss.toml").read_text() == before
