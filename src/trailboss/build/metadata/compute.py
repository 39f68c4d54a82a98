"""Other code: Durable Objects, Workflows, services, dispatch namespaces, loaders, private networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trailboss.build.metadata.table import Family, Fields, listed, plain, some


def _durable_objects(value: Any) -> Iterator[tuple[str, str, Fields]]:
    for entry in (value or {}).get("bindings") or ():
        yield entry["name"], "durable_object_namespace", entry


def _durable_object(name: str, fields: Fields) -> dict[str, Any]:
    wire = {"name": name, "type": "durable_object_namespace", "class_name": fields.get("class_name")}
    return {**wire, **{key: fields[key] for key in ("script_name", "environment") if fields.get(key)}}


def _workflow(name: str, fields: Fields) -> dict[str, Any]:
    return {
        "type": "workflow",
        "name": name,
        "workflow_name": fields.get("name"),
        **some(fields, "class_name", "script_name", "raw"),
    }


def _service(name: str, fields: Fields) -> dict[str, Any]:
    wire = {"name": name, "type": "service", **some(fields, "service", "cross_account_grant")}
    # JavaScript counts an empty string as unset, and an empty object as set.
    wire |= {key: fields[key] for key in ("environment", "entrypoint") if fields.get(key)}
    return wire | some(fields, "props")


def _dispatch(name: str, fields: Fields) -> dict[str, Any]:
    wire = {"name": name, "type": "dispatch_namespace", "namespace": fields["namespace"]}
    outbound = fields.get("outbound")
    if outbound:
        wire["outbound"] = {"worker": some(outbound, "service", "environment")}
        if outbound.get("parameters") is not None:
            wire["outbound"]["params"] = [{"name": parameter} for parameter in outbound["parameters"]]
    return wire


def _network(name: str, fields: Fields) -> dict[str, Any]:
    key = "tunnel_id" if fields.get("tunnel_id") is not None else "network_id"
    return {"name": name, "type": "vpc_network", **some(fields, key)}


FAMILY = Family(
    read={
        "durable_objects": _durable_objects,
        "workflows": listed("workflow"),
        "services": listed("service"),
        "dispatch_namespaces": listed("dispatch_namespace"),
        "worker_loaders": listed("worker_loader"),
        "vpc_services": listed("vpc_service"),
        "vpc_networks": listed("vpc_network"),
    },
    wire={
        "durable_object_namespace": _durable_object,
        "workflow": _workflow,
        "service": _service,
        "dispatch_namespace": _dispatch,
        "worker_loader": plain("worker_loader"),
        "vpc_service": plain("vpc_service", "service_id"),
        "vpc_network": _network,
    },
)
