"""Life stories of what belongs to the account: notifications, tokens, feature flags, certificates."""

from __future__ import annotations

from typing import Any

from tests.sandbox.storage.test_others import CERTIFICATE
from tests.sandbox.test_certificate_authorities import signing_request
from tests.sandbox.walk.walker import Walk


def alerting(walk: Walk) -> None:
    product, here = walk.sdk.alerting, walk.here
    assert "Workers" in (product.available_alerts.list(**here) or {})
    assert product.destinations.eligible.get(**here) is not None
    hooks = product.destinations.webhooks
    hook = hooks.create(name="chat", url="https://hooks.slack.com/services/x", secret="s", **here).id
    assert hook is not None
    hooks.update(hook, name="chat", url="https://hooks.slack.com/services/y", **here)
    assert hooks.get(hook, **here).type == "slack"
    assert [item.id for item in hooks.list(**here)] == [hook]
    made = product.policies.create(
        name="down",
        alert_type="tunnel_health_event",
        enabled=True,
        mechanisms={"webhooks": [{"id": hook}]},
        filters={"new_status": ["TUNNEL_STATUS_TYPE_DOWN"]},
        **here,
    ).id
    assert made is not None
    product.policies.update(made, description="ours", **here)
    assert product.policies.get(made, **here).description == "ours"
    assert [item.id for item in product.policies.list(**here)] == [made]
    walk.box.control("POST", "seed", {"alerts": [{"alert_type": "tunnel_health_event"}]})
    assert [item.policy_id for item in product.history.list(**here)] == [made]
    _silences(walk, made)
    product.policies.delete(made, **here)
    hooks.delete(hook, **here)
    _pagerduty(walk)


def _silences(walk: Walk, policy: str) -> None:
    product, here = walk.sdk.alerting.silences, walk.here
    times: Any = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-02T00:00:00Z"}
    product.create(body=[{"policy_id": policy, **times}], **here)
    (made,) = product.list(**here)
    assert made.id is not None
    list(product.update(body=[{"id": made.id, "end_time": "2026-01-03T00:00:00Z"}], **here))
    assert product.get(made.id, **here) is not None
    product.delete(made.id, **here)


def _pagerduty(walk: Walk) -> None:
    product, here = walk.sdk.alerting.destinations.pagerduty, walk.here
    token = product.create(**here).id
    assert token is not None
    service = product.link(token, **here).id
    assert [item.id for item in product.get(**here)] == [service]
    product.delete(**here)


def certificate_authorities(walk: Walk) -> None:
    zone, here = {"zone_id": walk.zone_id}, walk.here
    links = walk.sdk.certificate_authorities.hostname_associations
    uploaded = walk.sdk.mtls_certificates.create(ca=True, certificates=CERTIFICATE, **here)
    assert uploaded is not None and uploaded.id is not None
    name = "api.example.com"
    changed = links.update(hostnames=[name], mtls_certificate_id=uploaded.id, **zone)
    assert changed is not None and changed.hostnames == [name]
    found = links.get(mtls_certificate_id=uploaded.id, **zone)
    assert found is not None and found.hostnames == [name]
    links.update(hostnames=[], mtls_certificate_id=uploaded.id, **zone)
    walk.sdk.mtls_certificates.delete(uploaded.id, **here)
    product = walk.sdk.client_certificates
    made = product.create(csr=signing_request("device"), validity_days=30, **zone)
    assert made is not None and made.id is not None
    product.delete(made.id, **zone)
    product.edit(made.id, reactivate=True, **zone)
    one = product.get(made.id, **zone)
    assert one is not None and one.status == "active"
    assert [item.common_name for item in product.list(**zone)] == ["device"]


def tokens(walk: Walk) -> None:
    user, owned = walk.sdk.user.tokens, walk.sdk.accounts.tokens
    (group,) = user.permission_groups.list(name="D1 Read")
    assert list(owned.permission_groups.list(**walk.here))
    resources = {f"com.cloudflare.api.account.{walk.here['account_id']}": "*"}
    policy = {"effect": "allow", "permission_groups": [{"id": group.id}], "resources": resources}
    _life(user, {}, policy)
    _life(owned, walk.here, policy)


def _life(product: Any, here: dict[str, Any], policy: dict[str, Any]) -> None:
    made = product.create(name="reader", policies=[policy], **here)
    assert made.value and product.value.update(made.id, **here) != made.value
    product.update(made.id, name="reader 2", policies=[policy], **here)
    assert product.get(made.id, **here).name == "reader 2"
    assert [item.name for item in product.list(**here)] == ["sandbox", "reader 2"]
    assert product.verify(**here).status == "active"
    product.delete(made.id, **here)


def flagship(walk: Walk) -> None:
    apps, here = walk.sdk.flagship.apps, walk.here
    app = apps.create(name="shop", **here).id
    apps.update(app, name="store", **here)
    assert apps.get(app, **here).name == "store"
    assert [item.id for item in apps.list(**here)] == [app]
    at: dict[str, Any] = {"app_id": app, **here}
    flag: Any = {
        "key": "dark",
        "enabled": True,
        "default_variation": "off",
        "variations": {"on": True, "off": False},
        "rules": [],
    }
    apps.flags.create(**flag, **at)
    rule = {"priority": 1, "conditions": [], "serve_variation": "on", "rollout": {"percentage": 50}}
    apps.flags.update("dark", **{**flag, "rules": [rule]}, **at)
    assert apps.flags.get("dark", **at).type == "boolean"
    assert [item.key for item in apps.flags.list(**at)] == ["dark"]
    assert apps.evaluate.get(flag_key="dark", targeting_key="somebody", **at).reason in ("SPLIT", "DEFAULT")
    apps.flags.delete("dark", **at)
    changes = apps.flags.changelog.list("dark", **at)
    assert [item.event for item in changes] == ["delete", "update", "create"]
    apps.delete(app, **here)


STORIES = (alerting, certificate_authorities, tokens, flagship)
