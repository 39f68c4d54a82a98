"""What a resource is called when the config names only its binding."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trailboss.config import Worker


def titles_of(script: str) -> Callable[[str], str]:
    """wrangler's names: `CACHE` of the Worker `shop` is `shop-cache`."""
    return lambda binding: f"{script}-{binding.lower().replace('_', '-')}"


def titles(worker: Worker, script: str) -> Callable[[str], str]:
    """The names of `worker`'s unnamed resources, deployed as `script`.

    An environment that the wrangler config itself declares has wrangler's names (`shop-staging-cache`), as a
    deploy by wrangler would find them. One that only trailboss.toml knows inherits the top level's, with its
    own name at the end (`shop-cache-staging`), like every other inherited resource.
    """
    environment, base = worker.environment, worker.top_level_name
    if worker.declared or not environment or not base or script != worker.name:
        return titles_of(script)
    inherited = titles_of(base)
    return lambda binding: f"{inherited(binding)}-{environment}"
