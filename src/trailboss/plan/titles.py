"""What a resource is called when the config names only its binding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trailboss.config import Worker


@dataclass(frozen=True, slots=True)
class Titles:
    """Names of resources by binding. `declared` are those that trailboss.toml has a table for, by the plain
    form of their keys: `GCP_POSTGRES` is the resource `gcp-postgres`."""

    name: Callable[[str], str]
    declared: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, binding: str) -> str:
        return self.declared.get(plain(binding)) or self.name(binding)

    def declares(self, binding: str) -> bool:
        """Whether a table says what the binding stands for: then an id beside it counts for nothing, as it
        belongs to one account, and the table to all."""
        return plain(binding) in self.declared


def titles_of(script: str) -> Titles:
    """wrangler's names: `CACHE` of the Worker `shop` is `shop-cache`."""
    return Titles(lambda binding: f"{script}-{binding.lower().replace('_', '-')}")


def titles(worker: Worker, script: str, declared: Mapping[str, str] | None = None) -> Titles:
    """The names of `worker`'s unnamed resources, deployed as `script`.

    One in the environment's own block gets wrangler's name (`shop-staging-cache`), as a deploy by wrangler
    would find it. One that is inherited gets the top level's, with the environment's at the end
    (`shop-cache-staging`), like every other inherited resource.
    """
    environment, base = worker.environment, worker.top_level_name
    named, own = titles_of(script), _own_bindings(worker)
    if not environment or not base or script != worker.name:
        return Titles(named, declared or {})
    inherited = titles_of(base)

    def name(binding: str) -> str:
        return named(binding) if binding in own else f"{inherited(binding)}-{environment}"

    return Titles(name, declared or {})


def plain(name: str) -> str:
    """A key and a binding of the same thing in one spelling."""
    return name.lower().replace("-", "_")


def _own_bindings(worker: Worker) -> frozenset[str]:
    """The bindings in `env.<environment>` itself; all of them where nothing is inherited."""
    if worker.redirected:
        return frozenset(_bindings(worker.raw))
    blocks = worker.resolved.document.data.get("env")
    block = blocks.get(worker.environment) if isinstance(blocks, Mapping) else None
    return frozenset(_bindings(block))


def _bindings(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("binding"), str):
            yield value["binding"]
        for inner in value.values():
            yield from _bindings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _bindings(inner)
