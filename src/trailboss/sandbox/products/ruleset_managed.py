"""Cloudflare's own rulesets, which rules execute by id: the real ids and phases, a few rules of each.

Source: https://developers.cloudflare.com/waf/managed-rules/ and the ids the API documents.
"""

from __future__ import annotations

from typing import Any

Record = dict[str, Any]

CLOUDFLARE = "efb7b8c949ac4650a09736fc376e9aee"
OWASP = "4814384a9e5d4991b9815dcfc25d2f1f"
UPDATED = "2026-09-01T00:00:00.000000Z"

_RULESETS = (
    (CLOUDFLARE, "Cloudflare Managed Ruleset", "http_request_firewall_managed", "60"),
    (OWASP, "Cloudflare OWASP Core Ruleset", "http_request_firewall_managed", "35"),
    (
        "c2e184081120413c86c3ab7e14069605",
        "Cloudflare Exposed Credentials Check Ruleset",
        "http_request_firewall_managed",
        "32",
    ),
    (
        "77454fe2d30c4220b5701f6fdfb893ba",
        "Cloudflare Managed Free Ruleset",
        "http_request_firewall_managed",
        "40",
    ),
    (
        "e22d83c647c64a3eae91b71b499d988e",
        "Cloudflare Sensitive Data Detection",
        "http_response_firewall_managed",
        "25",
    ),
    ("4d21379b4f9f4bb088e0729962c8b3cf", "DDoS L7 ruleset", "ddos_l7", "2500"),
    ("3b64149bfa6e4220bbbc2bd6db589552", "DDoS L4 ruleset", "ddos_l4", "500"),
)
_RULES: dict[str, tuple[tuple[str, str, str, tuple[str, ...]], ...]] = {
    CLOUDFLARE: (
        ("5de7edfa648c4d6891dc3e7f84534ffa", "Joomla - Authentication bypass", "block", ("joomla",)),
        ("75a0060762034a6cb663fd51a02344cb", "Log4j - Headers", "block", ("log4j", "cve-2021-44228")),
    ),
    OWASP: (("6179ae15870a4bb7b2d480d4843b323c", "949110: Inbound Anomaly Score Exceeded", "block", ()),),
}
PAID = frozenset({CLOUDFLARE, OWASP})
"""Those a Free zone cannot execute."""


def managed_rulesets(level: str) -> list[Record]:
    """All of them as a list shows them; layer 4 is the account's."""
    return [
        {
            "id": identifier,
            "name": name,
            "description": f"Created by the Cloudflare security team: {name}",
            "kind": "managed",
            "version": version,
            "last_updated": UPDATED,
            "phase": phase,
        }
        for identifier, name, phase, version in _RULESETS
        if level == "account" or phase != "ddos_l4"
    ]


def managed_ruleset(identifier: str) -> Record | None:
    """One of them with its rules."""
    found = next((one for one in managed_rulesets("account") if one["id"] == identifier), None)
    return None if found is None else {**found, "rules": _rules(found)}


def _rules(ruleset: Record) -> list[Record]:
    return [
        {
            "id": identifier,
            "version": ruleset["version"],
            "action": action,
            "expression": "",
            "description": description,
            "categories": list(categories),
            "last_updated": UPDATED,
            "ref": identifier,
            "enabled": True,
        }
        for identifier, description, action, categories in _RULES.get(ruleset["id"], ())
    ]
