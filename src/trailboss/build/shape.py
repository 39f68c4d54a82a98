"""Which of wrangler's two ways an upload goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Shape = Literal["script", "version"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides it. `exists`: the Worker is already there. `modules`: it is in the module format."""

    exists: bool
    modules: bool
    migrations: bool = False
    durable_object_exports: bool = False
    containers: bool = False
    first_party: bool = False
    dispatch_namespace: bool = False


def choose(facts: Facts) -> Shape:
    """ "script" is one PUT that uploads and deploys at 100 %; "version" is an upload, then a deployment,
    then the settings that belong to no version.

    Source: wrangler 4.164, cloudflare-api-core section 1.5. A new Worker, Durable Object changes,
    containers, the service-worker format (static assets without code count as modules) and dispatch
    namespaces need the PUT.
    """
    needs_put = (
        not facts.exists
        or not facts.modules
        or facts.migrations
        or facts.durable_object_exports
        or facts.containers
        or facts.first_party
        or facts.dispatch_namespace
    )
    return "script" if needs_put else "version"
