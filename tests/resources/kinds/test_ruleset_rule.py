"""Rules: a whole life beside other people's rules, order, what the SDK would send, what cannot be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from tests.cloud.loopback import Answer, Request, no, ok
from tests.conftest import Sandbox
from tests.resources.cases.ruleset_rule import BARE, FULL
from tests.resources.kinds.lives import ZONE, listed, live, run, theirs, writes
from trailboss.cloud import Cloud
from trailboss.errors import PlanError
from trailboss.resources.marks import UNSET
from trailboss.resources.ruleset_rule import KIND, ObservedRulesetRule, RulesetRule

MARKER = "trailboss:shop/staging/login#1f2e3d4c"
PHASE = "http_request_firewall_custom"
RULE = RulesetRule("example.com", PHASE, "ssl", "block", marker=MARKER)


def _zone(account: Sandbox) -> str:
    (zone,) = account.call("GET", "/zones?name=example.com")
    return f"/zones/{zone['id']}"


def _others(account: Sandbox, *expressions: str, phase: str = PHASE) -> list[str]:
    """Rules that somebody made at the dashboard; their ids."""
    rules = [{"action": "block", "expression": text} for text in expressions]
    path = f"{_zone(account)}/rulesets/phases/{phase}/entrypoint"
    return [rule["id"] for rule in account.call("PUT", path, {"rules": rules})["rules"]]


def test_a_life(account: Sandbox) -> None:
    found = live(account, KIND, BARE, FULL)
    assert "cf.colo.id" in found.ratelimit["characteristics"]
    assert found.ratelimit["requests_to_origin"] is False  # filled in


SPECS = [
    replace(
        RULE,
        action_parameters={"response": {"status_code": 403, "content": "no", "content_type": "text/plain"}},
    ),
    replace(
        RULE, action="skip", action_parameters={"products": ("waf", "bic"), "phases": ["http_ratelimit"]}
    ),
    RulesetRule(
        "example.com",
        "http_request_firewall_managed",
        "true",
        "execute",
        {"id": "efb7b8c949ac4650a09736fc376e9aee", "overrides": {"sensitivity_level": "low"}},
        marker=MARKER,
    ),
    RulesetRule(
        "example.com",
        "http_request_cache_settings",
        'http.request.uri.path.extension eq "css"',
        "set_cache_settings",
        {"cache": True, "edge_ttl": {"mode": "override_origin", "default": 3600}},
        marker=MARKER,
    ),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.phase}-{spec.action}")
def test_phases(account: Sandbox, spec: RulesetRule) -> None:
    assert list(KIND.problems(spec)) == []

    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, spec)
        assert (KIND.differs(spec, made), made.marker) == ((), MARKER)
        changed = replace(spec, enabled=False, marker=f"{MARKER}+")
        after = await KIND.update(cloud, changed, made)
        assert (KIND.differs(changed, after), after.marker, after.id) == ((), f"{MARKER}+", made.id)
        assert after.logging == made.logging
        assert await listed(KIND, cloud, spec) == [after]
        same = {place.name: getattr(after, place.name, UNSET) for place in fields(RulesetRule)}
        bare = await KIND.update(cloud, RulesetRule(**{**same, "marker": ""}), after)  # let go
        assert bare == replace(after, marker="")

    run(account, use)


def test_other_rules_and_their_order_stay(account: Sandbox) -> None:
    one, two = _others(account, "ssl", "not ssl")

    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, RULE)
        order = lambda: [rule.id for rule in found]  # noqa: E731
        found = await listed(KIND, cloud, RULE)
        assert order() == [one, two, made.id]
        assert [rule.marker for rule in found] == ["", "", MARKER]
        assert KIND.differs(replace(RULE, position="last"), made) == ()
        top = replace(RULE, position="first")
        assert [change.field for change in KIND.differs(top, made)] == ["position"]
        made = await KIND.update(cloud, top, made)
        assert KIND.differs(top, made) == ()
        found = await listed(KIND, cloud, RULE)
        assert order() == [made.id, one, two]
        second = await KIND.create(cloud, replace(top, marker=MARKER.replace("login", "api")))
        found = await listed(KIND, cloud, RULE)
        assert KIND.differs(top, next(rule for rule in found if rule.id == made.id)) == ()
        below = replace(RULE, after=made.id, marker=second.marker)
        assert [change.field for change in KIND.differs(below, second)] == ["after"]
        second = await KIND.update(cloud, below, second)
        assert KIND.differs(below, second) == ()
        found = await listed(KIND, cloud, RULE)
        assert order() == [made.id, second.id, one, two]
        above = replace(RULE, before=made.id, marker=second.marker)
        assert KIND.differs(above, await KIND.update(cloud, above, second)) == ()
        await KIND.delete(cloud, made)
        await KIND.delete(cloud, second)
        await KIND.delete(cloud, second)
        found = await listed(KIND, cloud, RULE)
        assert order() == [one, two]

    run(account, use)


def test_what_goes_and_what_is_filled_in(account: Sandbox) -> None:
    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, SPECS[0])
        (change,) = KIND.differs(RULE, made)
        assert change.field == "action_parameters"
        after = await KIND.update(cloud, RULE, made)
        assert after.action_parameters == {}
        skip = await KIND.update(cloud, SPECS[1], after)
        assert skip.logging is True
        quiet = replace(SPECS[1], logging=False)
        assert (await KIND.update(cloud, quiet, skip)).logging is False

    run(account, use)


def test_requests(connect: Callable[..., Cloud]) -> None:
    """The first rule of a phase, a change with a move, and its end."""
    shown: dict[str, Any] = {"id": "s" * 32, "rules": []}

    def respond(request: Request) -> Answer:
        if request.path.endswith("/zones"):
            return ok([{"id": ZONE, "name": "example.com"}], {})
        if request.method == "GET":
            return no(404, 10003)
        if request.path.endswith("/rules"):
            shown["rules"] = [{"id": "r" * 32, "ref": MARKER, "expression": "ssl", "action": "log"}]
        return ok(shown)

    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, RULE)
        above = replace(made, above=(("x", False),))
        await KIND.delete(cloud, await KIND.update(cloud, replace(RULE, position="first"), above))

    common: Any = {"zone_id": ZONE}
    rule: Any = {
        "action": "block",
        "expression": "ssl",
        "description": "",
        "enabled": True,
        "ref": MARKER,
        **common,
    }
    assert writes(connect, use, respond) == theirs(
        lambda c: c.rulesets.create(kind="zone", name="default", phase=PHASE, rules=[], **common),
        lambda c: c.rulesets.rules.create("s" * 32, **rule),
        lambda c: c.rulesets.rules.edit("r" * 32, ruleset_id="s" * 32, position={"before": ""}, **rule),
        lambda c: c.rulesets.rules.delete("r" * 32, ruleset_id="s" * 32, **common),
    )


def test_somebody_else_may_be_first(connect: Callable[..., Cloud]) -> None:
    seen: list[str] = []

    def respond(request: Request) -> Answer:
        if request.path.endswith("/zones"):
            return ok([{"id": ZONE, "name": "example.com"}], {})
        seen.append(request.method)
        if request.method == "GET":
            return no(404, 10003) if seen == ["GET"] else ok({"id": "theirs", "rules": []})
        return no(400, 20217, "exceeded") if request.path.endswith("/rulesets") else ok({"id": "theirs"})

    with pytest.raises(PlanError) as caught:
        writes(connect, lambda cloud: KIND.create(cloud, RULE), respond)
    assert caught.value.code == "TB6115"
    assert seen == ["GET", "POST", "GET", "POST"]


LIMIT: dict[str, Any] = {"characteristics": ["ip.src"], "period": 60, "requests_per_period": 5}


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (replace(RULE, phase="http_firewall"), "no phase 'http_firewall'"),
        (replace(RULE, action="redirect"), "no action 'redirect'"),
        (replace(RULE, expression="http.host = 1"), "column 11: `=` is not an operator"),
        (replace(RULE, description="x" * 501), "500"),
        (replace(RULE, action="skip"), "without action_parameters"),
        (replace(RULE, action="execute", action_parameters={"version": "1"}), "action_parameters.id"),
        (replace(RULE, action_parameters={"response": {"status_code": 403}}), "lacks content"),
        (
            replace(
                RULE,
                action_parameters={
                    "response": {"status_code": 200, "content": "x" * 40_000, "content_type": "text/csv"}
                },
            ),
            "400 to 499",
        ),
        (replace(RULE, ratelimit=LIMIT), "only the phase http_ratelimit"),
        (replace(BARE, ratelimit=UNSET), "lacks requests_per_period"),
        (replace(BARE, ratelimit={**LIMIT, "period": 61}), "period is 61"),
        (replace(BARE, ratelimit={**LIMIT, "mitigation_timeout": 5}), "mitigation_timeout is 5"),
        (replace(BARE, ratelimit={**LIMIT, "characteristics": ["cf.colo.id"]}), "to count by"),
        (
            replace(BARE, ratelimit={**LIMIT, "characteristics": ["ip.src", "cf.unique_visitor_id"]}),
            "not by both",
        ),
        (replace(BARE, ratelimit={**LIMIT, "counting_expression": "x"}), "counting_expression, column 1"),
        (replace(BARE, ratelimit={**LIMIT, "requests": 1}), "unknown key 'requests'"),
        (replace(RULE, position="top"), "first or last"),
        (replace(RULE, position="first", after="x"), "one of position"),
    ],
)
def test_problems(spec: RulesetRule, text: str) -> None:
    assert text in " ".join(KIND.problems(spec))
    assert list(KIND.problems(BARE)) == list(KIND.problems(FULL)) == list(KIND.problems(RULE)) == []


def test_a_foreign_rule_never_stands_in_the_way() -> None:
    seen = ObservedRulesetRule("example.com", PHASE, "r", "s", "ssl", "block")
    assert not KIND.clashes(RULE, seen)
    assert KIND.scope_of(RULE) == ("example.com", PHASE)
