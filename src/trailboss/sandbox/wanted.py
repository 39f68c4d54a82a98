"""From the account's records to what the side-car should run: its Workers, its routing, its resources."""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.box import Box


def wanted_state(box: Box) -> dict[str, Any]:
    """The whole declarative state for PUT /state."""
    resources: dict[str, list[str]] = {"kv": [], "d1": [], "r2": []}
    for router in box.routers:
        for kind, of in router.resource_lists.items():
            resources[kind] = sorted(of(box.store))
    return {"workers": [], "routing": {"scripts": {}, "hosts": [], "routes": []}, "resources": resources}


def preview_worker(box: Box, script: str, prefix: str) -> dict[str, Any] | None:
    """The Worker of a version that is not deployed, by the start of its id or by its alias."""
    return None
