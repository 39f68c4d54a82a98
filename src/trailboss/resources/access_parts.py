"""What the kinds of Access have in common: rules as tables, and changes of what is written as a whole.

A rule is a table of one key. In a file the usual ones may be short: `{ email = "ann@example.com" }`,
`{ email_domain = "example.com" }`, `{ ip = "10.0.0.0/8" }`, `{ geo = "US" }`, `{ everyone = true }`, and the
keys of other resources: `{ group = "admins" }`, `{ service_token = "ci" }`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from trailboss.resources.marks import Ref, Unset

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

Rules = tuple[Mapping[str, Any], ...]

PARTS = ("include", "exclude", "require")
SHORT = {
    "email": "email",
    "email_domain": "domain",
    "ip": "ip",
    "geo": "country_code",
    "common_name": "common_name",
    "email_list": "id",
    "ip_list": "id",
    "login_method": "id",
    "auth_method": "auth_method",
    "device_posture": "integration_uid",
    "linked_app_token": "app_uid",
}
"""Rules with one field, which may stand for the whole table."""
EMPTY = ("everyone", "any_valid_service_token", "certificate")
REFERRING = {"group": ("id", "access_group"), "service_token": ("token_id", "access_service_token")}
OTHERS = """
auth_context azureAD cloudflare_account_member external_evaluation github-organization gsuite oidc okta saml
user_risk_score
"""
KNOWN = frozenset([*SHORT, *EMPTY, *REFERRING, *OTHERS.split()])
DURATION = re.compile(r"(\d+(\.\d+)?(ns|us|ms|s|m|h))+")
SERVER = frozenset({"id", "aud", "uid", "created_at", "updated_at", "reusable", "app_count", "account_id"})


def adjusted(table: Mapping[str, Any]) -> Mapping[str, Any]:
    """The table of a file with every rule written out."""
    spelled = {
        part: tuple(_rule(rule) for rule in table[part])
        for part in PARTS
        if isinstance(table.get(part), list | tuple)
    }
    return {**table, **spelled}


def _rule(rule: Any) -> Any:
    if not isinstance(rule, Mapping) or len(rule) != 1:
        return rule
    ((name, value),) = rule.items()
    if name in EMPTY:
        return {name: {}}
    if isinstance(value, str) and name in SHORT:
        return {name: {SHORT[name]: value}}
    if isinstance(value, str) and name in REFERRING:
        field, kind = REFERRING[name]
        return {name: {field: Ref(kind, value)}}
    return rule


def rule_problems(spec: Any) -> Iterator[str]:
    """What Cloudflare would refuse of the three lists of rules."""
    if not spec.include:
        yield "it lacks include: without a rule there it never applies"
    for part in PARTS:
        for number, rule in enumerate(getattr(spec, part), 1):
            if len(rule) != 1:
                yield f"{part}, rule {number} has {len(rule)} keys; a rule has one"
            for name in rule:
                if name not in KNOWN:
                    yield f"{part}, rule {number} does not know '{name}'"


def rules_from(data: Mapping[str, Any]) -> dict[str, Rules]:
    """The three lists of rules as Cloudflare shows them."""
    return {part: tuple(data.get(part) or ()) for part in PARTS}


def rules_to(spec: Any) -> dict[str, Any]:
    """The three lists of rules as Cloudflare takes them."""
    return {part: [dict(rule) for rule in getattr(spec, part)] for part in PARTS}


def duration_problems(name: str, text: str | Unset, *others: str) -> Iterator[str]:
    """What is wrong with a duration in Go's spelling, or one of the words `others`."""
    if isinstance(text, str) and text not in others and not DURATION.fullmatch(text):
        words = "".join(f", or {word}" for word in others)
        yield f"{name} is '{text}'; it is written like 24h or 30m{words}"


async def rewritten(
    cloud: Cloud, path: str, body: Mapping[str, Any], dropped: Collection[str] = ()
) -> Mapping[str, Any]:
    """Write what is there with `body` laid over it: a PUT alone would reset everything it does not name."""
    present: Mapping[str, Any] = await cloud.get(path)
    kept = {name: value for name, value in present.items() if name not in SERVER and name not in dropped}
    found: Mapping[str, Any] = await cloud.put(path, json={**kept, **body})
    return found
