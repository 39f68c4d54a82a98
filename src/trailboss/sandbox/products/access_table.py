"""What the edge must know of Access: who guards which address, by which rules, and which tokens are good."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.products.access_places import GUARDING, places_of, split, workers_of
from trailboss.sandbox.products.access_rules import APPLICATION, GROUP, PARTS, POLICY, TOKEN, seconds_of

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.store import Record, Store

ORGANIZATION, KEYS, CA = "access_organization", "access_keys", "access_ca"
DEPTH = 8
"""Groups may name groups; a circle ends here."""


def access_table(box: Box) -> dict[str, Any]:
    """{"team", "generation" of the signing keys, "applications", "tokens"}; {} when nothing is guarded."""
    store = box.store
    apps = [app for app in store.all(APPLICATION) if app["type"] in GUARDING]
    if not apps:
        return {}
    return {
        "team": organization(box)["auth_domain"],
        "generation": (store.get(KEYS, "keys") or {}).get("last_key_rotation_at", ""),
        "applications": [_application(store, app) for app in apps],
        "tokens": [
            _token(token, box.clock.now()) for token in store.all(TOKEN) if _good(token, box.clock.now())
        ],
    }


def organization(box: Box, zone: str = "") -> Record:
    """The account's Zero Trust organization; every account of the sandbox has one."""
    name = f"{box.identity.subdomain}.cloudflareaccess.com"
    default: Record = {
        "auth_domain": name,
        "name": name,
        "login_design": {},
        "is_ui_read_only": False,
        "allow_authenticate_via_warp": False,
        "auto_redirect_to_identity": False,
        "session_duration": "24h",
    }
    return box.store.get(ORGANIZATION, zone or "account") or default


def policies_of(store: Store, app: Record) -> list[Record]:
    """An application's policies in the order of their precedence, each with it."""
    links = sorted(app["links"], key=lambda link: int(link["precedence"]))
    found = ((store.get(POLICY, link["id"]), link["precedence"]) for link in links)
    return [{**policy, "precedence": precedence} for policy, precedence in found if policy is not None]


def _application(store: Store, app: Record) -> dict[str, Any]:
    places = [split(uri) for uri in places_of(app)]
    return {
        "id": app["id"],
        "aud": app["aud"],
        "name": app["name"],
        "domain": app["domain"],
        "places": [{"host": host, "path": path} for host, path in places],
        "workers": workers_of(store, app),
        "seconds": seconds_of(app.get("session_duration") or "24h"),
        "nonce": hashlib.sha256(f"{app['id']}{app.get('revoked_at', '')}".encode()).hexdigest()[:16],
        "unauthorized": bool(app.get("service_auth_401_redirect")),
        "header": str(app.get("read_service_tokens_from_header") or "").lower(),
        "preflight": bool(app.get("options_preflight_bypass")),
        "policies": [
            {"decision": policy["decision"], **_rules(store, policy, DEPTH)}
            for policy in policies_of(store, app)
        ],
    }


def _rules(store: Store, record: Record, depth: int) -> dict[str, Any]:
    return {part: [_rule(store, rule, depth) for rule in record.get(part) or []] for part in PARTS}


def _rule(store: Store, rule: Record, depth: int) -> Record:
    if "group" not in rule:
        return rule
    group = store.get(GROUP, str(rule["group"].get("id")))
    return {"group": _rules(store, group, depth - 1)} if group is not None and depth else {"nothing": {}}


def moment_of(text: Any) -> float:
    """A time of the API in seconds since 1970."""
    return datetime.fromisoformat(str(text)).timestamp()


def _good(token: Record, now: float) -> bool:
    return token["enabled"] and (token["expires_at"] is None or moment_of(token["expires_at"]) > now)


def _token(token: Record, now: float) -> dict[str, Any]:
    secrets = [token["secret_sha256"]]
    until = token.get("previous_client_secret_expires_at")
    if until and moment_of(until) > now:
        secrets.append(token["previous_sha256"])
    return {"id": token["id"], "client_id": token["client_id"], "secrets": secrets}


def next_change(box: Box) -> float | None:
    """When the next token or old secret stops being good, in seconds since 1970."""
    now = box.clock.now()
    moments = [
        moment_of(token[name])
        for token in box.store.all(TOKEN)
        for name in ("expires_at", "previous_client_secret_expires_at")
        if token.get(name)
    ]
    return min((moment for moment in moments if moment > now), default=None)
