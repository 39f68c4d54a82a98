"""Life stories of a zone's products: settings, rulesets, load balancing, caches, certificates."""

from __future__ import annotations

from typing import Any

from tests.sandbox.walk.walker import Walk

CUSTOM = "http_request_firewall_custom"
BLOCK: Any = {"action": "block", "expression": 'http.host eq "a.example.com"'}


def settings(walk: Walk) -> None:
    product, zone = walk.sdk.zones.settings, walk.zone_id
    product.edit("security_level", zone_id=zone, value="under_attack")
    assert product.get("security_level", zone_id=zone) is not None
    walk.plain("PATCH", f"/zones/{zone}/settings", json={"items": [{"id": "ssl", "value": "full"}]})
    for setting in walk.plain("GET", f"/zones/{zone}/settings"):
        if setting["id"] not in {"ssl_automatic_mode"}:
            product.get(setting["id"], zone_id=zone)


def zone_rulesets(walk: Walk) -> None:
    _rulesets(walk, {"zone_id": walk.zone_id})


def account_rulesets(walk: Walk) -> None:
    _rulesets(walk, walk.here)


def _rulesets(walk: Walk, here: Any) -> None:
    product = walk.sdk.rulesets
    # Since dry runs the SDK types what a write answers as anything: it hands over the JSON.
    made: Any = product.create(kind="custom", name="own", phase=CUSTOM, rules=[BLOCK], **here)
    product.update(made["id"], name="own", rules=[BLOCK, {**BLOCK, "action": "challenge"}], **here)
    added: Any = product.rules.create(
        made["id"], **{**BLOCK, "action": "log", "position": {"index": 1}}, **here
    )
    first = added["rules"][0]["id"]
    edited: Any = product.rules.edit(first, ruleset_id=made["id"], **BLOCK, **here)
    assert [rule["action"] for rule in edited["rules"]] == ["block", "block", "challenge"]
    product.rules.edit(first, ruleset_id=made["id"], position={"after": ""}, **here)
    product.rules.delete(first, ruleset_id=made["id"], **here)
    assert product.get(made["id"], **here).rules[1].action == "challenge"
    assert made["id"] in [one.id for one in product.list(per_page=5, **here)]
    assert product.versions.get("1", ruleset_id=made["id"], **here).version == "1"
    product.versions.delete("1", ruleset_id=made["id"], **here)
    assert len(list(product.versions.list(made["id"], **here))) == 5
    _entrypoint(walk, made["id"], here)
    product.delete(made["id"], **here)


def _entrypoint(walk: Walk, custom: str, here: Any) -> None:
    phases = walk.sdk.rulesets.phases
    execute: Any = {"action": "execute", "expression": "true", "action_parameters": {"id": custom}}
    phases.update(CUSTOM, rules=[execute], **here)
    assert len(phases.get(CUSTOM, **here).rules) == 1
    phases.update(CUSTOM, rules=[], **here)
    assert len(list(phases.versions.list(CUSTOM, **here))) == 2
    assert phases.versions.get("1", ruleset_phase=CUSTOM, **here).rules[0].action == "execute"


STORIES = (settings, zone_rulesets, account_rulesets)
