"""Which host names and paths an Access application guards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.sandbox.products.access_rules import APPLICATION, invalid
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.workers.zones import enclosing_zone

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record, Store

GUARDING = frozenset({"self_hosted", "ssh", "vnc", "rdp"})
"""Types of applications that stand before a host name."""
MOST = 5
SHARED = (".workers.dev", ".pages.dev")
"""Names that are in no zone of the account and may be guarded all the same."""


def already_exists() -> ApiError:
    """Another application guards the same place."""
    return ApiError(409, 11010, "access.api.error.application_already_exists")


def split(uri: str) -> tuple[str, str]:
    """`https://App.example.com/Path` -> ("app.example.com", "Path")."""
    bare = uri.partition("://")[2] or uri
    host, _, path = bare.partition("/")
    return host.lower(), path.rstrip("/")


def places_of(app: Record) -> list[str]:
    """The addresses an application guards, as they were given."""
    uris = [
        str(item.get("uri", ""))
        for item in app.get("destinations") or []
        if item.get("type", "public") == "public"
    ]
    uris += [str(item) for item in app.get("self_hosted_domains") or []]
    if app.get("domain"):
        uris.insert(0, str(app["domain"]))
    return list(dict.fromkeys(uri for uri in uris if uri))


WORKERS = frozenset({"worker", "preview_worker", "all_workers", "all_preview_workers"})
"""Destinations that are Workers: one or all, deployed or in preview."""


def workers_of(store: Store, app: Record) -> list[Record]:
    """The Workers an application guards: {"script": name, or "*" for all, "preview"}."""
    found = []
    for item in app.get("destinations") or []:
        kind = str(item.get("type"))
        if kind not in WORKERS:
            continue
        script = store.find("script", tag=item.get("worker_id")) if "worker_id" in item else {"name": "*"}
        if script is not None:
            found.append({"script": script["name"], "preview": "preview" in kind})
    return found


def _check_workers(store: Store, destinations: list[Any]) -> None:
    for item in destinations:
        kind = item.get("type") if isinstance(item, dict) else None
        if kind in ("worker", "preview_worker") and store.find("script", tag=item.get("worker_id")) is None:
            raise invalid(f"destination {kind} names a worker that does not exist")


def checked_places(store: Store, body: Record, zone: str, own: str) -> Record:
    """`domain`, `self_hosted_domains` and `destinations` brought into line with each other.

    Raises:
        ApiError: 12130 for a name outside the account's zones, 11010 for a place that is taken.
    """
    places = places_of(body)
    destinations: list[Any] = body.get("destinations") or [{"type": "public", "uri": uri} for uri in places]
    if not places and not destinations:
        raise invalid("domain is missing or invalid")
    _check_workers(store, destinations)
    if len(places) > MOST:
        raise invalid(f"an application has at most {MOST} domains")
    for uri in places:
        _check_zone(store, split(uri)[0], zone)
    taken = {
        split(uri)
        for app in store.all(APPLICATION)
        if app["id"] != own
        for uri in places_of(app)
        if _guards(app)
    }
    if taken & {split(uri) for uri in places}:
        raise already_exists()
    first = {"domain": places[0]} if places else {"domain": ""}
    return {**first, "self_hosted_domains": places, "destinations": destinations}


def _guards(app: Record) -> bool:
    return app["type"] in GUARDING


def _check_zone(store: Store, host: str, zone: str) -> None:
    found = enclosing_zone(store, host.replace("*", ""))
    if found is None and not zone and host.endswith(SHARED):
        return
    if found is None or (zone and found["id"] != zone):
        raise invalid("domain does not belong to zone")
