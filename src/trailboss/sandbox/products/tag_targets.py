"""What can be tagged: where each type's resources are among the records, and how one is found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from trailboss.sandbox.products.tag_index import KIND, ref_of

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record, Store

RESOURCES: dict[str, tuple[str, str, str]] = {
    "kv_namespace": ("kv_namespace", "id", "title"),
    "d1_database": ("d1_database", "uuid", "name"),
    "r2_bucket": ("r2_bucket", "name", "name"),
    "queue": ("queue", "queue_id", "queue_name"),
    "vectorize_index": ("vectorize_index", "name", "name"),
    "worker": ("script", "name", "name"),
    "worker_version": ("version", "id", "id"),
    "pages_project": ("pages_project", "name", "name"),
    "alerting_policy": ("alerting_policy", "id", "name"),
    "alerting_webhook": ("alerting_webhook", "id", "name"),
    "managed_client_certificate": ("client_certificate", "id", "common_name"),
    "durable_object_namespace": ("do_namespace", "id", "class"),
    "dns_record": ("dns_record", "id", "name"),
    "cloudflared_tunnel": ("cfd_tunnel", "id", "name"),
    "access_application": ("access_application", "id", "name"),
    "access_group": ("access_group", "id", "name"),
    "infrastructure_target": ("infrastructure_target", "id", "hostname"),
    "access_application_policy": ("access_policy", "id", "name"),
    "worker_route": ("worker_route", "id", "pattern"),
    "load_balancer": ("load_balancer", "id", "name"),
    "load_balancer_pool": ("load_balancer_pool", "id", "name"),
    "load_balancer_monitor": ("load_balancer_monitor", "id", "description"),
    "healthcheck": ("healthcheck", "id", "name"),
    "zone_ruleset": ("ruleset", "id", "name"),
    "account_ruleset": ("ruleset", "id", "name"),
    "zone": ("zone", "id", "name"),
}
"""Type -> the kind of its records, the field of its id (their key, too), the field of its name. Types
that are not here can be tagged freely."""


def find(store: Store, kind: str, identifier: str) -> Record | None:
    """The resource of a type in the table. Workers go by name or id, buckets by name in whatever
    jurisdiction."""
    records, field, _ = RESOURCES[kind]
    found = store.get(records, identifier)
    if found is not None and found.get(field) == identifier:
        return found
    if kind not in ("worker", "r2_bucket"):
        return None
    field = "tag" if kind == "worker" else field
    row = store.execute(
        f"select body from records where kind='{records}' and json_extract(body, '$.{field}')=?",  # noqa: S608
        (identifier,),
    ).fetchone()
    return json.loads(row[0]) if row else None


def known(store: Store, kind: str, identifier: str) -> tuple[str, str] | None:
    """The resource's name, and when it was made: a later one of the same name does not inherit its tags.
    None when it does not exist."""
    if kind not in RESOURCES:
        return identifier, ""
    found = find(store, kind, identifier)
    if found is None:
        return None
    born = found.get("created_on") or found.get("creation_date") or found.get("created_at") or ""
    return str(found.get(RESOURCES[kind][2]) or identifier), str(born)


def worker_id(store: Store, identifier: str) -> str:
    """Workers may be named or given by their id; tags hang on what was tagged first."""
    worker = find(store, "worker", identifier)
    if worker is None:
        return identifier
    return next(
        (one for one in (worker["tag"], worker["name"]) if store.get(KIND, ref_of("worker", one))), identifier
    )
