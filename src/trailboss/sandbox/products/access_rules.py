"""What Access rules, policies and applications may be, and its refusals.

Source: the official SDK's types, Cloudflare's pages on Access policies, and error texts seen from the API.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.refusals import ApiError

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record, Store

APPLICATION, POLICY, GROUP = "access_application", "access_policy", "access_group"
TOKEN, TAG, PROVIDER = "access_service_token", "access_tag", "access_identity_provider"
DECISIONS = frozenset({"allow", "deny", "non_identity", "bypass"})
_RULES = """
any_valid_service_token auth_context auth_method azureAD certificate cloudflare_account_member common_name
device_posture email email_domain email_list everyone external_evaluation geo github-organization group gsuite
ip ip_list linked_app_token login_method oidc okta saml service_token user_risk_score
"""
RULES = frozenset(_RULES.split())
REFERENCES = {"group": ("id", GROUP), "service_token": ("token_id", TOKEN), "login_method": ("id", PROVIDER)}
"""Rules that name something of the account: the field, and the kind of its records."""
FIELDS = {"email": "email", "email_domain": "domain", "ip": "ip", "geo": "country_code"}
"""Rules the edge judges by a field of theirs."""
PARTS = ("include", "exclude", "require")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def invalid(detail: str) -> ApiError:
    """A request that Access does not take."""
    return ApiError(400, 12130, f"access.api.error.invalid_request: {detail}")


def not_found(what: str = "not_found") -> ApiError:
    """Nothing of that id."""
    return ApiError(404, 12135, f"access.api.error.{what}")


def conflict(detail: str) -> ApiError:
    """There is one already."""
    return ApiError(409, 12132, f"access.api.error.conflict: {detail}")


def token_in_use() -> ApiError:
    """A policy or a group names the token."""
    return ApiError(
        400,
        12139,
        "access.api.error.service_token_in_use: cannot delete service token because it is used by a policy,"
        " group, or app SCIM configuration.",
    )


def scope_of(path: dict[str, str]) -> str:
    """The zone a call is about; "" for the account."""
    return path.get("zone_id", "")


def seconds_of(duration: Any) -> float:
    """A Go duration ("24h", "1h30m") in seconds.

    Raises:
        ApiError: 12130 when it is none.
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)", duration) if isinstance(duration, str) else []
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise invalid(f"invalid duration {duration!r}")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def checked_rules(store: Store, body: Record, *, needed: bool = True) -> Record:
    """The three lists of rules.

    Raises:
        ApiError: 12130 for a rule that is none, or that names what is not there.
    """
    lists = {part: body.get(part) or [] for part in PARTS}
    if needed and not lists["include"]:
        raise invalid("include rules are required")
    for part, rules in lists.items():
        if not isinstance(rules, list):
            raise invalid(f"{part} must be a list of rules")
        for rule in rules:
            _check_rule(store, rule)
    return lists


def _check_rule(store: Store, rule: Any) -> None:
    if not isinstance(rule, dict) or len(rule) != 1 or not rule.keys() <= RULES:
        raise invalid(f"unknown rule {rule!r}")
    ((kind, value),) = rule.items()
    if kind in FIELDS and (not isinstance(value, dict) or not isinstance(value.get(FIELDS[kind]), str)):
        raise invalid(f"{kind} rule needs {FIELDS[kind]}")
    if kind == "ip" and not _is_range(value["ip"]):
        raise invalid(f"{value['ip']} is no IP address or range")
    if kind in REFERENCES:
        field, records = REFERENCES[kind]
        if not isinstance(value, dict) or store.get(records, str(value.get(field))) is None:
            raise invalid(f"{kind} rule names an unknown {field}")


def _is_range(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def names(record: Record, kind: str, identifier: str) -> bool:
    """Whether a policy's or a group's rules name that group or token."""
    field = REFERENCES[kind][0]
    rules = [rule for part in PARTS for rule in record.get(part) or []]
    return any(rule.get(kind, {}).get(field) == identifier for rule in rules)


def in_use(store: Store, kind: str, identifier: str) -> bool:
    """Whether any policy or group names that group or token."""
    return any(names(record, kind, identifier) for of in (POLICY, GROUP) for record in store.all(of))


_OPTIONAL = (
    "approval_groups",
    "approval_required",
    "connection_rules",
    "isolation_required",
    "mfa_config",
    "purpose_justification_prompt",
    "purpose_justification_required",
    "session_duration",
)


def checked_policy(store: Store, body: Record) -> Record:
    """The fields of a policy, without id and times.

    Raises:
        ApiError: 12130.
    """
    if not isinstance(body.get("name"), str) or not body["name"]:
        raise invalid("policy name is required")
    if body.get("decision") not in DECISIONS:
        raise invalid("policy decision is missing or invalid")
    record: Record = {"name": body["name"], "decision": body["decision"], **checked_rules(store, body)}
    record |= {name: body[name] for name in _OPTIONAL if body.get(name) is not None}
    if "session_duration" in record:
        seconds_of(record["session_duration"])
    return record
