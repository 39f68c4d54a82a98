"""The permissions a kind says it needs are Cloudflare's names, and with them alone its calls pass.

The emulated account enforces the policies of tokens by a table of its own, so the two sides must agree.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.plan.test_contract import KINDS, case
from trailboss.cloud import Cloud, Target
from trailboss.cloud.codes import PERMISSION, permission
from trailboss.errors import PermissionDenied, TrailbossError
from trailboss.resources.registry import kind
from trailboss.resources.ruleset_limits import ACTIONS, GROUPS
from trailboss.resources.ruleset_rule import RulesetRule
from trailboss.values import Secret

ASKING_WRITES = {"d1_migrations": "D1 answers a query only to a token that may write"}
"""Kinds that cannot be listed with the Read group alone, with the reason."""


@pytest.fixture(scope="module")
def groups(sandbox: Sandbox) -> dict[str, str]:
    """Name -> id of every permission group."""
    sandbox.control("POST", "reset")
    return {one["name"]: one["id"] for one in sandbox.call("GET", "/user/tokens/permission_groups")}


def token(sandbox: Sandbox, groups: dict[str, str], *names: str) -> Secret:
    """A token with these groups on the account and its zones."""
    policy = {
        "effect": "allow",
        "permission_groups": [{"id": groups[name]} for name in names],
        "resources": {f"com.cloudflare.api.account.{sandbox.connection.account_id}": "*"},
    }
    return Secret(sandbox.call("POST", "/user/tokens", {"name": "t", "policies": [policy]})["value"])


def lists(sandbox: Sandbox, name: str, value: Secret) -> bool | None:
    """Whether the kind's list is answered (also with "not found"); None when it asks nothing, because what
    it belongs to is not there."""
    found = sandbox.connection

    async def main() -> bool | None:
        target = Target("sandbox:test", found.api_url, value, found.account_id, is_sandbox=True)
        async with Cloud(target) as cloud:
            try:
                async for _ in kind(name).list(cloud, case(name).BARE):
                    pass
            except PermissionDenied:
                return False
            except TrailbossError as error:
                assert "10000" not in str(error)
            return True if cloud.stats.total else None

    return asyncio.run(main())


@pytest.mark.parametrize("name", KINDS)
def test_what_a_kind_says_it_needs_is_enough_and_needed(
    sandbox: Sandbox, groups: dict[str, str], name: str
) -> None:
    found: Any = kind(name)
    needed = found.permissions_for(case(name).BARE)
    assert {needed.read, needed.write} <= groups.keys()
    for enough in (needed.write,) if name in ASKING_WRITES else (needed.read, needed.write):
        assert lists(sandbox, name, token(sandbox, groups, enough, "Zone Read")) is not False
    assert not lists(sandbox, name, token(sandbox, groups, "Workers Tail Read", "Zone Read"))


def test_what_a_refused_call_is_said_to_need_has_that_name(groups: dict[str, str]) -> None:
    paths = [f"/accounts/x/{family}" for family in PERMISSION if family not in ("accounts", "zones", "user")]
    named = {permission(path, writes=writes) for path in paths for writes in (False, True)}
    assert named - {""} <= groups.keys()


def test_every_phase_of_rulesets_has_a_group_that_both_sides_know(
    sandbox: Sandbox, groups: dict[str, str]
) -> None:
    """A rule is made with the group of its phase, and not with that of another."""
    assert set(GROUPS) == set(ACTIONS)
    assert {f"{name} {verb}" for name in GROUPS.values() for verb in ("Read", "Write")} <= groups.keys()
    account = sandbox.connection.account_id
    zone = sandbox.call("POST", "/zones", {"name": "phases.example", "account": {"id": account}})["id"]
    path = f"/zones/{zone}/rulesets/phases/http_request_dynamic_redirect/entrypoint"
    sandbox.call("PUT", path, {"rules": []})
    rule = RulesetRule(
        "phases.example",
        "http_request_dynamic_redirect",
        "true",
        "redirect",
        action_parameters={"from_value": {"target_url": {"value": "https://a.example"}}},
    )
    right = kind("ruleset_rule").permissions_for(rule).write
    assert right == "Dynamic URL Redirects Write"
    assert made(sandbox, rule, token(sandbox, groups, right, "Zone Read"))
    assert not made(sandbox, rule, token(sandbox, groups, "Zone WAF Write", "Zone Read"))


def made(sandbox: Sandbox, rule: RulesetRule, value: Secret) -> bool:
    """Whether the token may make the rule."""
    found = sandbox.connection

    async def main() -> bool:
        target = Target("sandbox:test", found.api_url, value, found.account_id, is_sandbox=True)
        async with Cloud(target) as cloud:
            try:
                await kind("ruleset_rule").create(cloud, rule)
            except PermissionDenied:
                return False
        return True

    return asyncio.run(main())
