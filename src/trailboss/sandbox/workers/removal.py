"""Deleting a Worker: what still refers to it, and everything that goes with it."""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.store import Store
from trailboss.sandbox.workers import refusals
from trailboss.sandbox.workers.domain_records import remove_domain
from trailboss.sandbox.workers.model import deployed_versions, kind_of, namespaces_of, script_named


def incoming_services(store: Store, name: str) -> list[dict[str, Any]]:
    """The Workers whose deployed versions have a service binding to this one."""
    found = []
    for script in store.all("script"):
        if script["name"] == name:
            continue
        bindings = [b for version in deployed_versions(store, script["name"]) for b in version["bindings"]]
        if any(b["type"] == "service" and b.get("service") == name for b in bindings):
            found.append({"name": script["name"], "service": script["name"], "environment": "production"})
    return found


def incoming_objects(store: Store, name: str) -> list[dict[str, Any]]:
    """The Workers that bind this one's Durable Objects."""
    names = {item["id"]: item["name"] for item in namespaces_of(store, name)}
    found = []
    for script in store.all("script"):
        for version in deployed_versions(store, script["name"]):
            for b in version["bindings"]:
                if (
                    script["name"] != name
                    and b.get("namespace_id") in names
                    and b["type"].startswith("durable")
                ):
                    found.append(
                        {
                            "service": script["name"],
                            "environment": "production",
                            "durable_object_namespace_id": b["namespace_id"],
                            "durable_object_namespace_name": names[b["namespace_id"]],
                        }
                    )
    return found


def consumed_queues(store: Store, name: str) -> list[dict[str, Any]]:
    """The queues this Worker is a consumer of."""
    return [
        {
            "queue_id": queue["queue_id"],
            "queue_name": queue["queue_name"],
            "queue_consumer_id": one["consumer_id"],
        }
        for queue in store.all("queue")
        for one in store.where("queue_consumer", queue["queue_id"], script_name=name)
    ]


def tail_producers(store: Store, name: str) -> list[dict[str, Any]]:
    """The Workers that name this one as a tail consumer."""
    return [
        {"producer": {"service": script["name"], "environment": "production"}, "consumer": {"service": name}}
        for script in store.all("script")
        if any(item.get("service") == name for item in script["settings"]["tail_consumers"] or [])
    ]


def forget_script(store: Store, name: str) -> None:
    """Remove a Worker's own records, hidden or not."""
    store.delete(kind_of(name), name)
    for kind in ("version", "deployment", "do_namespace", "asset_session", "asset", "do_transfer"):
        store.delete_all(kind, name)


async def remove_script(call: Call, name: str, *, force: bool) -> None:
    """Delete a Worker with its versions, deployments, routes, domains, schedules, Durable Objects.

    Raises:
        ApiError: 10007 unknown; 10064 when others use it and `force` is not given, and always while it is a
            queue's consumer.
    """
    store = call.store
    script_named(store, name)
    if consumed_queues(store, name):
        raise refusals.has_dependents("script still in use as a consumer for a queue")
    dependents = [*incoming_services(store, name), *incoming_objects(store, name)]
    if dependents and not force:
        users = ", ".join(sorted({item["service"] for item in dependents}))
        raise refusals.has_dependents(
            f"Worker '{name}' is still referenced by {users}. Use force=true to delete it."
        )
    async with call.box.lock(f"script:{name}"):
        with store.transaction():
            forget_script(store, name)
            for domain in store.all("worker_domain"):
                if domain["service"] == name:
                    remove_domain(store, domain)
            _remove_where(store, "worker_route", "script", name)
            _remove_where(store, "workflow", "script_name", name, key="name")
        for tail in call.box.tails.of(name):
            call.box.tails.remove(tail.id)
        await call.runtime.sync()


def _remove_where(store: Store, kind: str, field: str, value: str, key: str = "id") -> None:
    for record in store.all(kind):
        if record.get(field) == value:
            store.delete(kind, record[key])
