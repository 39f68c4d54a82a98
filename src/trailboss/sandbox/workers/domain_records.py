"""A custom domain and its DNS record, written and removed together."""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.store import Record, Store

ADDRESS_TYPES = {"A", "AAAA", "CNAME"}


def conflicting_record(store: Store, fields: dict[str, Any]) -> Record | None:
    """A DNS record for the host name that is not a custom domain's own."""
    own = {item.get("dns_record_id") for item in store.all("worker_domain")}
    for record in store.all("dns_record", fields["zone_id"]):
        if (
            record["name"] == fields["hostname"]
            and record["type"] in ADDRESS_TYPES
            and record["id"] not in own
        ):
            return record
    return None


def write_domain(call: Call, fields: dict[str, Any]) -> Record:
    """Make or change the domain of a host name; a DNS record in its way is replaced."""
    store = call.store
    existing = store.find("worker_domain", hostname=fields["hostname"])
    conflict = conflicting_record(store, fields)
    if conflict is not None:
        store.delete("dns_record", conflict["id"])
    domain: Record = {
        "id": existing["id"] if existing else call.ids.hex(32),
        "cert_id": existing["cert_id"] if existing else call.ids.uuid(),
        "dns_record_id": existing["dns_record_id"] if existing else _write_dns(call, fields),
        **fields,
    }
    return store.put("worker_domain", domain["id"], domain)


def _write_dns(call: Call, fields: dict[str, Any]) -> str:
    now = call.clock.iso()
    record: Record = {
        "id": call.ids.hex(32),
        "name": fields["hostname"],
        "type": "AAAA",
        "content": "100::",
        "proxiable": True,
        "proxied": True,
        "ttl": 1,
        "settings": {},
        "comment": None,
        "tags": [],
        "created_on": now,
        "modified_on": now,
        "meta": {"read_only": True, "origin_worker_id": fields["service"]},
    }
    call.store.put("dns_record", record["id"], record, parent=fields["zone_id"])
    return str(record["id"])


def remove_domain(store: Store, domain: Record) -> None:
    """Delete a domain and its DNS record."""
    store.delete("dns_record", str(domain.get("dns_record_id")))
    store.delete("worker_domain", domain["id"])
