"""What a kind of resource is: the only abstraction of this room.

A kind file holds, in this order: the frozen spec (every field marked, see `marks.py`), the frozen observed
resource, the kind with its wire spelling, and its instance `KIND`. Rules for all of them:

- `list` walks one paginated list per scope and never asks per resource.
- `create` makes the bare thing; `update` finishes it, so that a half-made thing heals itself.
- `delete` treats gone as done.
- Nothing is kept between calls, and the `Cloud` handed in is the only way out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

Scope = Literal["account", "zone"]
SpecT = TypeVar("SpecT")
ObservedT = TypeVar("ObservedT")


@dataclass(frozen=True, slots=True)
class Permissions:
    """API-token permission groups, in the API's spelling."""

    read: str
    write: str


@dataclass(frozen=True, slots=True)
class Need:
    """A resource that must exist first: its kind and its identity."""

    kind: str
    identity: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class BindingForm:
    """How a Worker's binding names a resource of a kind.

    `config` is the path to the list in a wrangler config, `given` the config key that holds `wire`'s value
    when the user wrote it, `title` the key with the resource's own name (None: the config has none),
    `type` and `wire` the type and the field of the uploaded binding. `shared` are config keys that must equal
    those of the deployed binding for it to be kept. A binding with one of the config keys `said` names its
    resource in every upload; the others may be sent as "what the deployed Worker has".
    """

    config: tuple[str, ...]
    type: str
    wire: str
    given: str | None
    title: str | None
    shared: tuple[str, ...] = ()
    said: tuple[str, ...] = ()


class Kind(Protocol[SpecT, ObservedT]):
    """One kind of account resource."""

    name: str
    scope: Scope
    permissions: Permissions
    binding: BindingForm | None

    def needs(self, spec: SpecT) -> tuple[Need, ...]:
        """What must exist before `spec` can."""
        ...

    def from_binding(self, title: str, entry: Mapping[str, Any]) -> SpecT | None:
        """The spec of the resource called `title` for a config entry; None when it says too little."""
        ...

    def handle(self, observed: ObservedT) -> str:
        """The value a binding names the resource by: its id, or its name."""
        ...

    def to_wire(self, spec: SpecT) -> dict[str, Any]:
        """The body that creates it."""
        ...

    def from_wire(self, data: Mapping[str, Any]) -> ObservedT:
        """What Cloudflare shows of it."""
        ...

    def list(self, cloud: Cloud, like: SpecT | None = None) -> AsyncIterator[ObservedT]:
        """All of the account; `like` chooses among lists where there are several (an R2 jurisdiction)."""
        ...

    async def create(self, cloud: Cloud, spec: SpecT) -> ObservedT:
        """Make it. Raises AlreadyExists when the name is taken."""
        ...

    async def update(self, cloud: Cloud, spec: SpecT, observed: ObservedT) -> ObservedT:
        """Make every mutable field of `observed` as `spec` wants it."""
        ...

    async def delete(self, cloud: Cloud, observed: ObservedT) -> None:
        """Remove it; one that is gone already counts as removed."""
        ...
