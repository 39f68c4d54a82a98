"""What the edge must know of tunnels: which host names lead to which, and what their rules are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.sandbox.products.tunnel_health import KIND
from trailboss.sandbox.products.tunnel_rules import origin_settings

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.store import Record, Store

SUFFIX = ".cfargotunnel.com"
STOPPED = frozenset({"down", "inactive"})


def leads_to_tunnel(record: Record) -> bool:
    """Whether a DNS record makes a host name a tunnel's: such a change concerns the edge."""
    return record["type"] == "CNAME" and str(record["content"]).endswith(SUFFIX)


def tunnels_table(box: Box) -> dict[str, Any]:
    """{"hosts": {host name or `*.name`: tunnel id}, "tunnels": {id: {name, up, rules}}}; {} without any."""
    hosts = _hosts(box.store)
    tunnels = {item["id"]: _entry(item) for item in box.store.all(KIND)}
    return {"hosts": hosts, "tunnels": tunnels} if hosts or tunnels else {}


def _hosts(store: Store) -> dict[str, str]:
    rows = store.execute(
        "select json_extract(body, '$.name'), json_extract(body, '$.content') from records"
        " where kind='dns_record' and json_extract(body, '$.type')='CNAME'"
        " and json_extract(body, '$.proxied') and json_extract(body, '$.content') like ?",
        (f"%{SUFFIX}",),
    ).fetchall()
    return {name: content.removesuffix(SUFFIX) for name, content in rows}


def _entry(tunnel: Record) -> dict[str, Any]:
    config = tunnel.get("config") or {}
    return {
        "name": tunnel["name"],
        "up": tunnel.get("forced") not in STOPPED,
        "rules": [
            {
                "hostname": rule.get("hostname", ""),
                "path": rule.get("path", ""),
                "service": rule["service"],
                "origin": origin_settings(config, rule),
            }
            for rule in config.get("ingress") or []
        ],
    }
