"""Custom domains: whole host names whose DNS record and certificate Cloudflare makes for the Worker.

Attaching one silently replaces an existing DNS record or takes the name from another Worker if the
request says so, and wrangler says so whenever nobody is at a terminal. We ask first, always, and send
only the permission that was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trailboss.cloud import segment
from trailboss.errors import RefusedError
from trailboss.release import paths
from trailboss.release.together import together
from trailboss.release.triggers.addresses import Address, read_addresses
from trailboss.release.triggers.change import Change, Site

KIND = "custom domains"


async def plan(site: Site) -> list[Change]:
    """Compare with the host names the account lists for the Worker; a setting of a domain is always
    sent."""
    addresses = read_addresses(site.settings)
    domains = [address for address in addresses or () if address.custom_domain]
    if not domains:
        return []
    hosts = tuple(domain.pattern for domain in domains)
    settled = not any({"enabled", "previews_enabled"} & set(domain.wire) for domain in domains)
    if settled and _attached(await site.record()) == set(hosts):
        return [Change(KIND, hosts)]
    origins = [_origin(domain) for domain in domains]

    async def write() -> None:
        await write_domains(site, origins)

    return [Change(KIND, hosts, write)]


def _attached(record: Mapping[str, Any] | None) -> set[str] | None:
    references = (record or {}).get("references") or {}
    if "domains" not in references:
        return None
    return {str(item.get("hostname")) for item in references["domains"] or ()}


def _origin(domain: Address) -> dict[str, Any]:
    kept = ("zone_id", "zone_name", "enabled", "previews_enabled")
    return {"hostname": domain.pattern, **{key: domain.wire[key] for key in kept if key in domain.wire}}


async def write_domains(site: Site, origins: Sequence[Mapping[str, Any]]) -> None:
    """Make `origins` the custom domains of the Worker, and no others. Raises RefusedError TB4070, TB4076
    where nobody allows to take a host name over."""
    path = paths.script(site.cloud, site.name, "domains")
    changes = await site.cloud.post(
        f"{path}/changeset", params={"replace_state": "true"}, json=origins, idempotent=True
    )
    modified = [item for item in changes.get("updated") or () if item.get("modified")]
    conflicting = list(changes.get("conflicting") or ())
    if not (changes.get("added") or changes.get("removed") or modified or conflicting):
        return
    foreign = await _foreign(site, modified)
    if foreign:
        taken = ", ".join(f"{item['hostname']} (Worker {item['service']})" for item in foreign)
        _ask(site, f"These custom domains belong to other Workers: {taken}. Take them over?", "TB4076")
    if conflicting:
        hosts = ", ".join(str(item.get("hostname")) for item in conflicting)
        _ask(site, f"DNS records exist already for {hosts}. Replace them?", "TB4070")
    body = {
        "override_scope": True,
        "override_existing_origin": bool(modified),
        "override_existing_dns_record": bool(conflicting),
        "origins": list(origins),
    }
    await site.cloud.put(f"{path}/records", json=body)


async def _foreign(site: Site, modified: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those of the domains to change that another Worker has now."""
    base = f"{site.cloud.account}/workers/domains/records"
    found = await together(*(site.cloud.get(f"{base}/{segment(str(item['id']))}") for item in modified))
    return [item for item in found if item.get("service") not in (None, site.name)]


def _ask(site: Site, question: str, code: str) -> None:
    if site.confirm is not None and site.confirm(question):
        return
    raise RefusedError(
        code,
        question.rsplit(". ", 1)[0] + ".",
        hint="Run it again with --yes to allow that, or change the domain.",
    )
