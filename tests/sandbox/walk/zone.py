"""Life stories of a zone's products: settings, rulesets, load balancing, caches, certificates."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.sandbox.walk.walker import Walk

if TYPE_CHECKING:
    from collections.abc import Iterator

CUSTOM = "http_request_firewall_custom"
BLOCK: Any = {"action": "block", "expression": 'http.host eq "a.example.com"'}


class _Origin(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"hello from {self.headers['host']}".encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def origin() -> Iterator[int]:
    """A web server that says 200; its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Origin)
    threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.02}).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


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


def load_balancing(walk: Walk) -> None:
    product, here = walk.sdk.load_balancers, walk.here
    with origin() as port:
        monitor = product.monitors.create(type="http", port=port, expected_codes="2xx", **here).id
        assert monitor is not None
        _monitors(walk, monitor)
        origins: Any = [{"name": "one", "address": "127.0.0.1", "port": port}]
        pool = product.pools.create(name="main", origins=origins, monitor=monitor, **here).id
        assert pool is not None
        _pools(walk, pool, monitor, origins)
        for scope in ({"zone_id": walk.zone_id}, here):
            _balancer(walk, pool, scope)
    product.pools.delete(pool, **here)
    product.monitors.delete(monitor, **here)


def _monitors(walk: Walk, monitor: str) -> None:
    monitors, groups, here = (
        walk.sdk.load_balancers.monitors,
        walk.sdk.load_balancers.monitor_groups,
        walk.here,
    )
    port = monitors.get(monitor, **here).port
    monitors.update(monitor, type="http", port=port, interval=30, expected_codes="200", **here)
    monitors.edit(monitor, description="front", load_balancer_monitor_timeout=2, **here)
    assert [one.id for one in monitors.list(**here)] == [monitor]
    members: Any = [
        {"monitor_id": monitor, "enabled": True, "monitoring_only": False, "must_be_healthy": True}
    ]
    group = groups.create(description="all", members=members, **here).id
    groups.update(group, description="both", members=members, **here)
    groups.edit(group, description="each", members=members, **here)
    assert [one.description for one in groups.list(**here)] == ["each"]
    assert list(groups.references.get(group, **here)) == []
    assert [one.resource_type for one in monitors.references.get(monitor, **here)] == ["monitor_group"]
    assert groups.get(group, **here).members[0].monitor_id == monitor
    groups.delete(group, **here)


def _pools(walk: Walk, pool: str, monitor: str, origins: Any) -> None:
    pools, here = walk.sdk.load_balancers.pools, walk.here
    pools.update(pool, name="main", origins=origins, monitor=monitor, **here)
    pools.edit(pool, minimum_origins=1, notification_email="a@example.com", **here)
    assert [one.notification_email for one in pools.bulk_edit(notification_email="", **here)] == [""]
    assert pools.get(pool, **here).enabled
    assert [one.id for one in pools.list(monitor=monitor, **here)] == [pool]
    assert list(pools.references.get(pool, **here)) == []
    health: Any = pools.health.get(pool, **here).pop_health
    assert health.WEU["healthy"] is True
    preview = pools.health.create(pool, expected_codes="404", **here).preview_id
    assert preview is not None
    seen: Any = walk.sdk.load_balancers.previews.get(preview, **here)
    assert seen[pool].healthy is False
    preview = walk.sdk.load_balancers.monitors.previews.create(monitor, type="http", **here).preview_id
    assert preview is not None


def _balancer(walk: Walk, pool: str, scope: Any) -> None:
    product, here = walk.sdk.load_balancers, walk.here
    fields: Any = {"name": "www.example.com", "default_pools": [pool], "fallback_pool": pool, **scope}
    made = product.create(**fields, region_pools={"WEU": [pool]}).id
    assert made is not None
    product.update(made, **fields, proxied=True, session_affinity="cookie")
    product.edit(made, description="front", **scope)
    assert product.get(made, **scope).steering_policy == "off"
    assert [one.id for one in product.list(**scope)] == [made]
    assert [one.resource_id for one in product.pools.references.get(pool, **here)] == [made]
    assert product.regions.list(**here) is not None and product.regions.get("WEU", **here) is not None
    assert product.searches.list(query="www", references="*", **here) is not None
    product.delete(made, **scope)


def health_checks(walk: Walk) -> None:
    product, at = walk.sdk.healthchecks, {"zone_id": walk.zone_id}
    with origin() as port:
        fields: Any = {"name": "front", "address": "127.0.0.1", "http_config": {"port": port}, **at}
        preview = product.previews.create(**fields).id
        made = product.create(**fields).id
        assert made is not None and preview is not None
        product.update(made, **fields, interval=30)
        product.edit(made, **fields, description="front")
        assert product.get(made, **at).status == "healthy"
    assert [one.id for one in product.list(**at)] == [made]
    assert product.previews.get(preview, **at).status == "healthy"
    product.previews.delete(preview, **at)
    product.delete(made, **at)


def argo_and_cache(walk: Walk) -> None:
    sdk, at = walk.sdk, {"zone_id": walk.zone_id}
    for switch in (sdk.argo.smart_routing, sdk.argo.tiered_caching, sdk.cache.regional_tiered_cache):
        switch.edit(value="on", **at)
        found = switch.get(**at)
        assert found is not None and found.value == "on"
    topology = sdk.cache.smart_tiered_cache
    topology.create(value="on", **at)
    topology.edit(value="off", **at)
    assert topology.get(**at) is not None and topology.delete(**at) is not None
    reserve = sdk.cache.cache_reserve
    reserve.edit(value="off", **at)
    assert reserve.clear(**at) is not None
    assert reserve.status(**at) is not None and reserve.get(**at) is not None
    sdk.cache.variants.edit(value={"jpeg": ["image/webp"]}, **at)
    assert sdk.cache.variants.get(**at) is not None and sdk.cache.variants.delete(**at) is not None
    assert sdk.cache.purge(purge_everything=True, **at) is not None
    assert sdk.cache.invalidate(tags=["a"], **at) is not None


def certificates(walk: Walk) -> None:
    ssl, at = walk.sdk.ssl, {"zone_id": walk.zone_id}
    packs = ssl.certificate_packs
    made = packs.create(
        type="advanced",
        hosts=["example.com", "*.example.com"],
        certificate_authority="google",
        validation_method="txt",
        validity_days=90,
        **at,
    )
    assert made is not None and made.status == "initializing"
    found = packs.get(made.id, **at)
    assert found is not None and found.status == "active" and len(found.certificates) == 2
    assert [one.type for one in packs.list(**at)] == ["universal", "advanced"]
    packs.edit(made.id, cloudflare_branding=True, **at)
    assert packs.quota.get(**at) is not None
    ssl.universal.settings.edit(enabled=False, **at)
    assert ssl.universal.settings.get(**at) is not None
    (verification,) = ssl.verification.get(**at) or []
    assert verification.cert_pack_uuid == made.id
    assert ssl.verification.edit(made.id, validation_method="txt", **at) is not None
    packs.delete(made.id, **at)
    ssl.universal.settings.edit(enabled=True, **at)


STORIES = (
    settings,
    zone_rulesets,
    account_rulesets,
    load_balancing,
    health_checks,
    argo_and_cache,
    certificates,
)
