"""Custom domains: host names that are a Worker, with the DNS record and certificate that come with them.

Faithful: the zone must be in the account, no wildcards, an existing DNS record is a conflict unless
overridden. Simplified: the certificate is there at once.
https://developers.cloudflare.com/api/resources/workers/subresources/domains/
"""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Reply
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.store import Record
from trailboss.sandbox.workers.domain_records import (
    conflicting_record,
    remove_domain,
    write_domain,
)
from trailboss.sandbox.workers.model import script_named
from trailboss.sandbox.workers.zones import zone_for


def domain_not_found() -> ApiError:
    """No custom domain of that id."""
    return ApiError(404, 100114, "The custom domain could not be found.")


def record_exists(hostname: str) -> ApiError:
    """The host name has a DNS record of its own."""
    return ApiError(
        409,
        100117,
        f"Hostname '{hostname}' already has externally managed DNS records (A, CNAME, etc). Either delete "
        "them, try a different hostname, or use the option 'override_existing_dns_record'.",
    )


def taken(hostname: str, service: str) -> ApiError:
    """The host name is another Worker's."""
    return ApiError(409, 100116, f"Hostname '{hostname}' is already in use by Worker '{service}'.")


def shape(domain: Record) -> dict[str, Any]:
    """A custom domain as the API shows it."""
    return {key: value for key, value in domain.items() if key != "dns_record_id"}


def wanted_domain(call: Call, value: dict[str, Any], service: str) -> dict[str, Any]:
    """The fields of the domain a request describes; the zone found and the name checked."""
    hostname = str(value.get("hostname") or "").lower()
    if not hostname or "*" in hostname:
        raise ApiError(400, 100115, f"'{hostname}' cannot be a custom domain.")
    zone = zone_for(call.store, value, hostname)
    if hostname != zone["name"] and not hostname.endswith(f".{zone['name']}"):
        raise ApiError(400, 100115, f"'{hostname}' is not in the zone '{zone['name']}'.")
    return {
        "hostname": hostname,
        "service": service,
        "environment": value.get("environment") or "production",
        "zone_id": zone["id"],
        "zone_name": zone["name"],
        "enabled": value.get("enabled", True),
        "previews_enabled": value.get("previews_enabled", False),
    }


async def put_domain(call: Call) -> Any:
    """PUT /workers/domains {hostname, service, zone_id | zone_name, environment?}."""
    value = await call.object()
    service = str(value.get("service") or "")
    script_named(call.store, service)
    fields = wanted_domain(call, value, service)
    if conflicting_record(call.store, fields):
        raise record_exists(fields["hostname"])
    domain = write_domain(call, fields)
    await call.runtime.sync()
    return shape(domain)


async def list_domains(call: Call) -> Any:
    """GET /workers/domains[?hostname&service&zone_id&zone_name&environment]."""
    filters = {
        name: call.query(name)
        for name in ("hostname", "service", "zone_id", "zone_name", "environment")
        if call.query(name)
    }
    found = [
        shape(domain)
        for domain in call.store.all("worker_domain")
        if all(domain.get(name) == value for name, value in filters.items())
    ]
    return call.single(found)


async def list_domain_records(call: Call) -> Any:
    """GET /workers/domains/records?page=0&per_page=...: the same, counted from page 0."""
    reply: Reply = await list_domains(call)
    return reply


async def get_domain(call: Call) -> Any:
    """GET /workers/domains/{id}."""
    return shape(_domain(call))


async def delete_domain(call: Call) -> Any:
    """DELETE /workers/domains/{id}."""
    remove_domain(call.store, _domain(call))
    await call.runtime.sync()
    return None


def _domain(call: Call) -> Record:
    domain = call.store.get("worker_domain", call["domain_id"])
    if domain is None:
        raise domain_not_found()
    return domain


def changes(call: Call, script: str, origins: list[Any], *, replace: bool) -> dict[str, list[dict[str, Any]]]:
    """What making `origins` the domains of a Worker would do: added, removed, updated, conflicting."""
    present = {item["hostname"]: item for item in call.store.all("worker_domain")}
    wanted = [wanted_domain(call, item, script) for item in origins]
    result: dict[str, list[dict[str, Any]]] = {"added": [], "removed": [], "updated": [], "conflicting": []}
    for fields in wanted:
        existing = present.get(fields["hostname"])
        if existing is None:
            key = "conflicting" if conflicting_record(call.store, fields) else "added"
            result[key].append(fields)
        else:
            changed = any(existing.get(name) != value for name, value in fields.items())
            result["updated"].append({**shape(existing), "modified": changed})
    names = {fields["hostname"] for fields in wanted}
    if replace:
        gone = [
            item for item in present.values() if item["service"] == script and item["hostname"] not in names
        ]
        result["removed"] = [shape(item) for item in gone]
    return result


async def preview_changes(call: Call) -> Any:
    """POST /workers/scripts/{n}/domains/changeset?replace_state=true: what the next call would do."""
    script = script_named(call.store, call["script_name"])["name"]
    return changes(call, script, await call.array(), replace=call.flag("replace_state"))


async def put_domain_records(call: Call) -> Any:
    """PUT /workers/scripts/{n}/domains/records: make `origins` the domains of this Worker."""
    script = script_named(call.store, call["script_name"])["name"]
    value = await call.object()
    origins = value.get("origins") or []
    diff = changes(call, script, origins, replace=bool(value.get("override_scope")))
    if diff["conflicting"] and not value.get("override_existing_dns_record"):
        raise record_exists(diff["conflicting"][0]["hostname"])
    others = [item for item in diff["updated"] if item["service"] != script]
    if others and not value.get("override_existing_origin"):
        raise taken(others[0]["hostname"], others[0]["service"])
    with call.store.transaction():
        for item in diff["removed"]:
            found = call.store.get("worker_domain", item["id"])
            if found is not None:
                remove_domain(call.store, found)
        written = [write_domain(call, wanted_domain(call, item, script)) for item in origins]
    await call.runtime.sync()
    return [shape(domain) for domain in written]


router = Router("workers_domains")
_DOMAINS = "A/workers/domains"
_SDK = "workers.domains"
router.add(
    "PUT",
    _DOMAINS,
    put_domain,
    sdk=f"{_SDK}.update",
    request="workers.DomainUpdateParams",
    reply="workers.DomainUpdateResponse",
)
router.add("GET", _DOMAINS, list_domains, sdk=f"{_SDK}.list", reply="workers.DomainListResponse")
router.add("GET", f"{_DOMAINS}/records", list_domain_records)
router.add("GET", f"{_DOMAINS}/records/{{domain_id}}", get_domain)
router.add(
    "GET", f"{_DOMAINS}/{{domain_id}}", get_domain, sdk=f"{_SDK}.get", reply="workers.DomainGetResponse"
)
router.add(
    "DELETE",
    f"{_DOMAINS}/{{domain_id}}",
    delete_domain,
    sdk=f"{_SDK}.delete",
    reply="workers.DomainDeleteResponse",
)
_SCRIPT_DOMAINS = "A/workers/scripts/{script_name}/domains"
router.add("POST", f"{_SCRIPT_DOMAINS}/changeset", preview_changes)
router.add("PUT", f"{_SCRIPT_DOMAINS}/records", put_domain_records)
