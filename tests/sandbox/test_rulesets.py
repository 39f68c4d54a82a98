"""Rulesets: entry points, single rules, identity, positions, versions, refusals; and expressions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Sandbox
from trailboss.sandbox.products.expression import ExpressionError, check_filter, check_value
from trailboss.sandbox.products.ruleset_rules import Place, check_rule
from trailboss.sandbox.refusals import ApiError

CUSTOM, LIMIT = "http_request_firewall_custom", "http_ratelimit"
MANAGED = "efb7b8c949ac4650a09736fc376e9aee"


@pytest.fixture
def zone(account: Sandbox) -> str:
    """`/zones/<id of example.com>/rulesets`."""
    (found,) = account.call("GET", "/zones?name=example.com")
    return f"/zones/{found['id']}/rulesets"


def _rule(host: str = "a.example.com", **more: Any) -> dict[str, Any]:
    return {"action": "block", "expression": f'http.host eq "{host}"', **more}


def _entrypoint(account: Sandbox, zone: str, *rules: dict[str, Any], phase: str = CUSTOM) -> Any:
    return account.call("PUT", f"{zone}/phases/{phase}/entrypoint", {"rules": list(rules)})


def test_an_entry_point_is_made_by_its_first_rules(account: Sandbox, zone: str) -> None:
    path = f"{zone}/phases/{CUSTOM}/entrypoint"
    refused = account.call("GET", path, expect=404)
    assert refused["code"] == 10003
    assert refused["message"] == f"could not find entrypoint ruleset in the {CUSTOM} phase"
    made = _entrypoint(account, zone, _rule())
    assert (made["kind"], made["phase"], made["version"], made["name"]) == ("zone", CUSTOM, "1", "default")
    (rule,) = made["rules"]
    assert rule["ref"] == rule["id"]
    assert (rule["version"], rule["enabled"], rule["description"]) == ("1", True, "")
    assert account.call("GET", path) == made == account.call("GET", f"{zone}/{made['id']}")
    body = {"kind": "zone", "phase": CUSTOM, "name": "second", "rules": []}
    refused = account.call("POST", zone, body, expect=400)
    assert refused["code"] == 20217
    assert refused["source"] == {"pointer": "/kind"}
    assert "exceeded maximum number of zone rulesets for phase" in refused["message"]


def test_put_keeps_the_identity_of_rules_and_drops_the_others(account: Sandbox, zone: str) -> None:
    first = _entrypoint(
        account, zone, _rule("a.example.com", ref="a"), _rule("b.example.com"), _rule("c.example.com")
    )
    by_ref, by_id, gone = first["rules"]
    account.control("PUT", "clock", {"advance": 5})
    again = _entrypoint(
        account,
        zone,
        _rule("b.example.com", id=by_id["id"]),
        _rule("x.example.com", ref="a"),
        _rule("d.example.com"),
    )
    assert again["version"] == "2"
    same, changed, fresh = again["rules"]
    assert same == by_id
    assert (changed["id"], changed["version"]) == (by_ref["id"], "2")
    assert changed["last_updated"] > by_ref["last_updated"]
    assert fresh["id"] not in {by_ref["id"], by_id["id"], gone["id"]}
    versions = account.call("GET", f"{zone}/{first['id']}/versions")
    assert [one["version"] for one in versions] == ["1", "2"]
    assert all("rules" not in one for one in versions)
    assert account.call("GET", f"{zone}/{first['id']}/versions/1") == first
    account.call("GET", f"{zone}/{first['id']}/versions/9", expect=404)


def test_single_rules_leave_the_others_alone(account: Sandbox, zone: str) -> None:
    made = _entrypoint(account, zone, _rule("foreign.example.com"))
    rules = f"{zone}/{made['id']}/rules"
    foreign = made["rules"][0]
    added = account.call("POST", rules, _rule(ref="ours", description="one"))
    assert added["rules"][0] == foreign
    ours = added["rules"][1]
    whole = _rule("z.example.com", ref="ours", description="two", enabled=False)
    edited = account.call("PATCH", f"{rules}/{ours['id']}", whole)["rules"]
    assert edited[0] == foreign
    assert (edited[1]["id"], edited[1]["version"], edited[1]["enabled"]) == (ours["id"], "2", False)
    refused = account.call("PATCH", f"{rules}/{ours['id']}", {"description": "three"}, expect=400)
    assert refused["message"] == "action is required"
    left = account.call("DELETE", f"{rules}/{ours['id']}")
    assert left["rules"] == [foreign]
    assert left["version"] == "4"
    account.call("DELETE", f"{rules}/{ours['id']}", expect=404)


def test_positions(account: Sandbox, zone: str) -> None:
    made = _entrypoint(account, zone, _rule(ref="a"), _rule(ref="b"), _rule(ref="c"))
    rules = f"{zone}/{made['id']}/rules"
    ids = {rule["ref"]: rule["id"] for rule in made["rules"]}

    def order(answer: Any) -> str:
        return "".join(rule["ref"] for rule in answer["rules"])

    assert order(account.call("POST", rules, _rule(ref="d", position={"before": ids["b"]}))) == "adbc"
    assert order(account.call("PATCH", f"{rules}/{ids['a']}", {"position": {"after": ids["c"]}})) == "dbca"
    assert order(account.call("PATCH", f"{rules}/{ids['c']}", {"position": {"index": 1}})) == "cdba"
    assert order(account.call("PATCH", f"{rules}/{ids['a']}", {"position": {"before": ""}})) == "acdb"
    account.call("PATCH", f"{rules}/{ids['a']}", {"position": {"index": 9}}, expect=400)
    account.call("PATCH", f"{rules}/{ids['a']}", {"position": {"after": "0" * 32}}, expect=404)
    refused = account.call("POST", rules, _rule(ref="a"), expect=400)
    assert "is not a valid value for ref" in refused["message"]


def test_what_the_server_adds(account: Sandbox, zone: str) -> None:
    skip = _rule() | {"action": "skip", "action_parameters": {"ruleset": "current"}}
    assert _entrypoint(account, zone, skip)["rules"][0]["logging"] == {"enabled": True}
    execute = {"action": "execute", "expression": "true", "action_parameters": {"id": MANAGED}}
    made = _entrypoint(account, zone, execute, phase="http_request_firewall_managed")
    assert made["rules"][0]["action_parameters"] == {"id": MANAGED, "version": "latest"}
    execute["action_parameters"] = {"id": "0" * 32}
    path = f"{zone}/phases/http_request_firewall_managed/entrypoint"
    refused = account.call("PUT", path, {"rules": [execute]}, expect=400)
    assert refused["source"]["pointer"] == "/rules/0/action_parameters/id"


def test_a_dry_run_changes_nothing(account: Sandbox, zone: str) -> None:
    path = f"{zone}/phases/{CUSTOM}/entrypoint"
    assert account.call("PUT", f"{path}?dry_run=true", {"rules": [_rule()]}) is None
    account.call("GET", path, expect=404)
    account.call("PUT", f"{path}?dry_run=true", {"rules": [_rule() | {"expression": "x"}]}, expect=400)


def test_refusals_name_the_place(account: Sandbox, zone: str) -> None:
    path = f"{zone}/phases/{CUSTOM}/entrypoint"
    wrong = _rule() | {"expression": "http.hos eq 1"}
    refused = account.call("PUT", path, {"rules": [_rule(), wrong]}, expect=400)
    assert refused["code"] == 20127
    assert refused["source"] == {"pointer": "/rules/1/expression"}
    assert refused["message"].startswith(
        "'http.hos eq 1' is not a valid value for expression because could not parse filter expression: "
        "Filter parsing error (1:1):\nhttp.hos eq 1\n^^^^^^^^ unknown identifier"
    )
    refused = account.call("PUT", path, {"rules": [], "kind": "zone"}, expect=400)
    assert refused["message"] == 'invalid JSON: unknown field "kind"'
    cache = f"{zone}/phases/http_request_cache_settings/entrypoint"
    rule = {"action": "set_cache_settings", "expression": "true"}
    refused = account.call("PUT", cache, {"rules": [rule]}, expect=400)
    assert refused["code"] == 20106
    assert refused["message"] == "action parameters are required for the set_cache_settings action"
    account.call("PUT", f"{zone}/phases/nonsense/entrypoint", {"rules": []}, expect=400)


def test_plans_have_limits(account: Sandbox) -> None:
    (planted,) = account.control("POST", "seed", {"zones": [{"name": "free.test", "plan": "free"}]})["zones"]
    path = f"/zones/{planted['id']}/rulesets/phases"
    many = [_rule(f"h{number}.free.test") for number in range(6)]
    refused = account.call("PUT", f"{path}/{CUSTOM}/entrypoint", {"rules": many}, expect=400)
    assert "exceeded maximum number of rules" in refused["message"]
    log = _rule() | {"action": "log"}
    refused = account.call("PUT", f"{path}/{CUSTOM}/entrypoint", {"rules": [log]}, expect=400)
    assert refused["code"] == 50002
    account.call("PUT", f"{path}/{CUSTOM}/entrypoint", {"rules": many[:5]})


def test_custom_rulesets_of_the_account(account: Sandbox, zone: str) -> None:
    path = f"{account.account}/rulesets"
    body = {"kind": "custom", "phase": CUSTOM, "name": "shared", "rules": [_rule()]}
    custom = account.call("POST", path, body)
    execute = {"action": "execute", "expression": "true", "action_parameters": {"id": custom["id"]}}
    root = account.call("PUT", f"{path}/phases/{CUSTOM}/entrypoint", {"rules": [execute]})
    assert root["kind"] == "root"
    assert "in use" in account.call("DELETE", f"{path}/{custom['id']}", expect=400)["message"]
    account.call("GET", f"{zone}/{custom['id']}", expect=404)
    account.call("POST", zone, body | {"kind": "root"}, expect=400)
    account.call("PATCH", f"{path}/{MANAGED}/rules/{'0' * 32}", _rule(), expect=400)
    assert len(account.call("GET", path)) == 9


def test_a_list_goes_by_cursor(account: Sandbox, zone: str) -> None:
    _entrypoint(account, zone, _rule())
    answer = account.http.get(f"{account.connection.api_url}{zone}?per_page=4").json()
    cursor = answer["result_info"]["cursors"]["after"]
    rest = account.http.get(f"{account.connection.api_url}{zone}?per_page=4&cursor={cursor}").json()
    assert [len(answer["result"]), len(rest["result"])] == [4, 3]
    assert "cursor" not in rest["result_info"]
    assert all("rules" not in one for one in answer["result"])


PLACE = Place(LIMIT, "zone", "enterprise")
COUNTED = {"characteristics": ["cf.colo.id", "ip.src"], "period": 60, "requests_per_period": 9}


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (None, "ratelimit is required"),
        ({**COUNTED, "characteristics": ["ip.src"]}, "must include cf.colo.id"),
        (
            {**COUNTED, "characteristics": ["cf.colo.id", "ip.src", "cf.unique_visitor_id"]},
            "exclude each other",
        ),
        ({**COUNTED, "characteristics": ["cf.colo.id", "nonsense"]}, "'nonsense' is not a valid value"),
        ({**COUNTED, "period": 61}, "'61' is not a valid value for period"),
        ({**COUNTED, "mitigation_timeout": 7}, "'7' is not a valid value for mitigation_timeout"),
        ({**COUNTED, "requests_per_period": 0}, "requests_per_period is required"),
        ({**COUNTED, "counting_expression": "http.host"}, "valid value for counting_expression"),
    ],
)
def test_rate_limits_that_cannot_be(limit: Any, said: str) -> None:
    with pytest.raises(ApiError, match=said):
        check_rule({"action": "block", "expression": "true", "ratelimit": limit}, PLACE, "/rules/0")


def test_rate_limits_by_plan() -> None:
    wide = ["cf.colo.id", 'http.request.headers["x-key"]', 'lookup_json_string(http.request.body.raw, "a")']
    rule = {"action": "block", "expression": "true", "ratelimit": {**COUNTED, "characteristics": wide}}
    check_rule(rule, PLACE, "")
    with pytest.raises(ApiError, match="not entitled to throttle"):
        check_rule(rule, Place(LIMIT, "zone", "pro"), "")
    challenge = {**rule, "action": "challenge", "ratelimit": {**COUNTED, "mitigation_timeout": 60}}
    with pytest.raises(ApiError, match="must be 0 for the action challenge"):
        check_rule(challenge, Place(LIMIT, "zone", "pro"), "")
    with pytest.raises(ApiError, match="not entitled to use the period 60"):
        check_rule(rule, Place(LIMIT, "zone", "free"), "")


@pytest.mark.parametrize(
    ("phase", "action", "parameters", "said"),
    [
        (CUSTOM, "allow", None, "unknown variant for action: allow"),
        (CUSTOM, "redirect", None, "not supported in the phase"),
        (CUSTOM, "block", {"bic": False}, 'unknown field "bic"'),
        (
            CUSTOM,
            "block",
            {"response": {"status_code": 200, "content": "", "content_type": "text/html"}},
            "400 and 499",
        ),
        (CUSTOM, "skip", {"products": ["everything"]}, "'everything' is not a valid value for products"),
        ("http_request_dynamic_redirect", "redirect", {"from_value": {"target_url": {}}}, "exactly one of"),
        (
            "http_request_dynamic_redirect",
            "redirect",
            {"from_value": {"target_url": {"expression": "concat("}}},
            "could not parse filter expression",
        ),
        ("http_request_transform", "rewrite", {"headers": {}}, "uri is required"),
        (
            "http_response_headers_transform",
            "rewrite",
            {"headers": {"x": {"operation": "set"}}},
            "exactly one of",
        ),
        (
            "http_request_cache_settings",
            "set_cache_settings",
            {"edge_ttl": {"mode": "override_origin"}},
            "default is",
        ),
        (
            "http_request_cache_settings",
            "set_cache_settings",
            {"cache_level": "x"},
            'unknown field "cache_level"',
        ),
        ("http_config_settings", "set_config", {"ssl": "maybe"}, "'maybe' is not a valid value for ssl"),
        ("http_request_origin", "route", {"origin": {"port": 0}}, "between 1 and 65535"),
        ("http_response_compression", "compress_response", {"algorithms": []}, "algorithms is required"),
    ],
)
def test_parameters_that_cannot_be(phase: str, action: str, parameters: Any, said: str) -> None:
    rule = {"action": action, "expression": "true", "action_parameters": parameters}
    with pytest.raises(ApiError, match=said):
        check_rule(rule, Place(phase, "zone", "enterprise"), "")


@pytest.mark.parametrize(
    ("phase", "action", "parameters"),
    [
        (
            "http_request_dynamic_redirect",
            "redirect",
            {"from_value": {"target_url": {"value": "https://x.test"}}},
        ),
        (
            "http_request_transform",
            "rewrite",
            {"uri": {"path": {"expression": 'regex_replace(http.host, "a", "b")'}}},
        ),
        ("http_request_late_transform", "rewrite", {"headers": {"x": {"operation": "remove"}}}),
        (
            "http_request_cache_settings",
            "set_cache_settings",
            {"cache": True, "edge_ttl": {"mode": "respect_origin"}},
        ),
        ("http_request_origin", "route", {"host_header": "origin.test"}),
        ("http_custom_errors", "serve_error", {"content": "sorry", "content_type": "text/plain"}),
        ("http_config_settings", "set_config", {"security_level": "under_attack"}),
    ],
)
def test_parameters_of_each_phase(phase: str, action: str, parameters: Any) -> None:
    rule = {"action": action, "expression": "true", "action_parameters": parameters}
    check_rule(rule, Place(phase, "zone", "enterprise"), "")


@pytest.mark.parametrize(
    "text",
    [
        "true",
        '(http.host eq "a.com" and not ssl) or http.request.method in {"GET" "POST"}',
        "ip.src in {1.2.3.4 10.0.0.0/8 1.1.1.1..1.1.1.9 2001:db8::/32}",
        'any(lower(http.request.headers.names[*])[*] == "x") xor ip.src.asnum in {1 5..9}',
        'http.request.uri.path wildcard r"/auth/*" && !cf.client.bot',
        'http.request.uri.path matches "^/api/[0-9]+$"',
        'lookup_json_string(http.request.body.raw, "a", 0) eq "x" or ip.src in $my_list',
        'is_timed_hmac_valid_v0("k", http.request.uri, 100, http.request.timestamp.sec, 8)',
        'has_key(http.request.headers, "z") and len(http.request.uri.path) gt 0x10',
        'http.cookie contains "a\\"b\\x41" and http.user_agent strict wildcard r#"a"*"#',
    ],
)
def test_expressions(text: str) -> None:
    check_filter(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "(1:1):\n\n^ expected name"),
        ("http.host", "expected ComparisonOp"),
        ("http.host eq", "expected 2 characters, but found 0"),
        ('http.host eq "x', "could not find an ending quote"),
        ('(http.host eq "x"', '(1:18):\n(http.host eq "x"\n                 ^ expected literal ")"'),
        ("ip.src.country eq US", "^^ invalid digit found in string while parsing with radix 16"),
        ('http.host in {"a", "b"}', "radix 16"),
        ("ssl\nand sl", "(2:5):\nand sl\n    ^^ unknown identifier"),
        ("ssl ssl", "unrecognised input"),
        ("ip.src eq 10.0.0.0/8", "unrecognised input"),
        ("ip.src in {10.0.0.1/8}", "host part of address was not zero"),
        ("ip.src in {1.1.1.9..1.1.1.1}", "incompatible range bounds"),
        ("ip.src.asnum in {9..1}", "incompatible range bounds"),
        ("ip.src.asnum contains 1", "cannot perform this operation for type Int"),
        ('any(http.request.headers["x"][*] eq "b" and ssl)', 'expected literal ","'),
        ('http.request.headers["x"][*] eq "b"', "expected value of type Bool, but got Array(Bool)"),
        ('http.host[0] eq "x"', "cannot access index ArrayIndex(0) for type Bytes"),
        ('len(http.host, "a") gt 1', "expected 1 arguments, but found 2"),
        ('http.host matches "("', "regex parse error"),
        ('http.host wildcard "**.example.com"', "double star"),
        ('regex_replace(http.host, "a", "b") eq "c"', "unknown identifier"),
        ("(" * 100, "nested too deeply"),
        ('http.host eq "\\q"', "after \\"),
        ("x" * 5000, "longer than 4096"),
    ],
)
def test_expressions_that_do_not_parse(text: str, said: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        check_filter(text, CUSTOM)
    assert said in str(caught.value)


def test_values() -> None:
    check_value('concat("https://x.test", http.request.uri.path)', "http_request_dynamic_redirect")
    check_value('wildcard_replace(http.request.full_uri, "a*", r"b${1}")', "http_request_dynamic_redirect")
    check_value("ip.src", "http_request_late_transform")
    with pytest.raises(ExpressionError, match="but got Ip"):
        check_value("ip.src", "http_request_dynamic_redirect")
    for text in ("http.request.headers.names", "ip.src.asnum", 'concat("a"'):
        with pytest.raises(ExpressionError):
            check_value(text)


def test_rulesets_and_balancers_carry_tags(account: Sandbox, zone: str) -> None:
    made = _entrypoint(account, zone, _rule())
    root = zone.removesuffix("/rulesets")
    body = {"name": "main", "origins": [{"name": "one", "address": "192.0.2.1"}]}
    pool = account.call("POST", f"{account.account}/load_balancers/pools", body)["id"]
    body = {"name": "www.example.com", "default_pools": [pool], "fallback_pool": pool}
    balancer = account.call("POST", f"{root}/load_balancers", body)["id"]
    for where, kind, identifier in (
        (root, "zone_ruleset", made["id"]),
        (root, "load_balancer", balancer),
        (account.account, "load_balancer_pool", pool),
    ):
        which = {"resource_type": kind, "resource_id": identifier}
        account.call("PUT", f"{where}/tags", {**which, "tags": {"env": "prod"}})
        which["resource_id"] = "0" * 32
        account.call("PUT", f"{where}/tags", {**which, "tags": {}}, expect=404)
    names = [one["name"] for one in account.call("GET", f"{account.account}/tags/resources")]
    assert sorted(names) == ["default", "main", "www.example.com"]
