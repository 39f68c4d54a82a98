"""What a kind of resource is: the only abstraction of this room.

A kind file holds, in this order: the frozen spec (every field marked, see `marks.py`), the frozen observed
resource, the kind with its wire spelling, and its instance `KIND`. Rules for all of them:

- `list` walks one paginated list per scope and never asks per resource. Where Cloudflare has no list (the
  settings of one zone, the rules of one bucket), `like` says which one to read.
- `create` makes the bare thing; `update` finishes it, so that a half-made thing heals itself.
- `delete` treats gone as done.
- Nothing is kept between calls, and the `Cloud` handed in is the only way out.
- The spec says in `ownership` how a resource is known to be ours.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeVar

from trailboss.resources.marks import Difference, Mark, differences, marked

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
class Use:
    """Why Cloudflare would refuse to delete something: `text` for people, `id` of what uses it, if any."""

    text: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class BindingForm:
    """How a Worker's binding names a resource of a kind.

    `config` is the path to the list in a wrangler config, `given` the config key that holds `wire`'s value
    when the user wrote it, `title` the key with the resource's own name (None: the config has none),
    `type` and `wire` the type and the field of the uploaded binding. `shared` are config keys that must equal
    those of the deployed binding for it to be kept. A binding with one of the config keys `said` names its
    resource in every upload; the others may be sent as "what the deployed Worker has". `makes` is whether a
    binding alone says enough for the resource to be made; else it must be declared, or be there.
    """

    config: tuple[str, ...]
    type: str
    wire: str
    given: str | None
    title: str | None
    shared: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    makes: bool = True


@dataclass(frozen=True, slots=True)
class Tagged:
    """Ours when it carries our resource tags; `type` is the tagging API's word. The best of the four."""

    type: str


@dataclass(frozen=True, slots=True)
class Marked:
    """Ours when the marker stands in a text field of its own: the spec's field that is marked MARKER."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """Neither tags nor a text: our claim to its identity stands in the tags of the account."""


@dataclass(frozen=True, slots=True)
class OfWorker:
    """Part of one of the project's Workers (its routes, schedules, consumers), and ours as the Worker is.

    The spec's field `script` names the Worker. A deploy writes it too.
    """


@dataclass(frozen=True, slots=True)
class Shared:
    """Nobody's: it comes to be by being used, and nobody can make, change or delete it.

    A plan does nothing about it and only says how it stands (`Kind.standing`).
    """


Ownership = Tagged | Marked | Claimed | OfWorker | Shared


class Kind(Protocol[SpecT, ObservedT]):
    """One kind of resource; `Basis` has what most of them share.

    `spec` is the class of its specs. `holds_data` says that deleting one loses what cannot be brought back.
    `is_setting` says that it cannot be deleted: when the file no longer wants it, it stays as it is.
    `repeats` says that several resources may have the same identity (the records of one DNS name); then
    ownership alone tells them apart. `handler` is the one that Cloudflare asks the Worker of it to have.
    """

    name: str
    scope: Scope
    spec: type[SpecT]
    ownership: Ownership
    permissions: Permissions
    binding: BindingForm | None
    holds_data: bool
    is_setting: bool
    repeats: bool
    handler: str

    def permissions_for(self, spec: SpecT | None) -> Permissions:
        """The groups that `spec` needs, where they are not the same for all of the kind."""
        ...

    def needs(self, spec: SpecT) -> tuple[Need, ...]:
        """What must exist before `spec` can, beside what its fields refer to."""
        ...

    def problems(self, spec: SpecT) -> Iterable[str]:
        """What Cloudflare would refuse and can be known now (a name's length, an expression's syntax)."""
        ...

    def adjust(self, table: Mapping[str, Any]) -> Mapping[str, Any]:
        """The table of the file as the spec's fields: for shorter spellings a person would like."""
        ...

    def from_binding(self, title: str, entry: Mapping[str, Any]) -> SpecT | None:
        """The spec of the resource called `title` for a config entry; None when it says too little."""
        ...

    def from_worker(self, script: str, raw: Mapping[str, Any]) -> Iterable[tuple[str, SpecT]]:
        """What a resolved wrangler config wants beside its bindings, as (key, spec)."""
        ...

    def named(self, key: str, environment: str) -> str:
        """The name that the key stands for in an environment."""
        ...

    def standing(self, observed: ObservedT | None) -> str:
        """What a plan says of it where there is nothing to do, "" for nothing. None: it is not there."""
        ...

    def handle(self, observed: ObservedT) -> str:
        """The value a binding or another resource names it by: its id, or its name."""
        ...

    def tag_id(self, observed: ObservedT) -> str:
        """The id that the tagging API takes."""
        ...

    def clashes(self, spec: SpecT, observed: ObservedT) -> bool:
        """Whether a foreign resource of the same identity stands in the way, where identities may repeat."""
        ...

    def differs(self, spec: SpecT, observed: ObservedT) -> tuple[Difference, ...]:
        """Where `observed` is not as `spec` wants it."""
        ...

    def to_wire(self, spec: SpecT) -> dict[str, Any]:
        """The body that creates it."""
        ...

    def from_wire(self, data: Mapping[str, Any]) -> ObservedT:
        """What Cloudflare shows of it."""
        ...

    def scope_of(self, spec: SpecT | None) -> tuple[Any, ...]:
        """What `list` is asked for: specs with the same answer share one list. None: the usual scope."""
        ...

    def list(self, cloud: Cloud, like: SpecT | None = None) -> AsyncIterator[ObservedT]:
        """All of the scope that `like` is in (a zone, a jurisdiction); without it, the usual one."""
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

    async def uses(self, cloud: Cloud, observed: ObservedT) -> tuple[Use, ...]:
        """What keeps it from being deleted, where that can be asked; asked only of what a plan deletes."""
        ...


class Basis:
    """What most kinds have in common. A kind overrides what is different for it."""

    spec: ClassVar[type[Any]]
    scope: ClassVar[Scope] = "account"
    ownership: ClassVar[Ownership] = Claimed()
    binding: ClassVar[BindingForm | None] = None
    holds_data: ClassVar[bool] = False
    is_setting: ClassVar[bool] = False
    repeats: ClassVar[bool] = False
    handler: ClassVar[str] = ""
    permissions: ClassVar[Permissions]

    def permissions_for(self, spec: Any) -> Permissions:
        return self.permissions

    def needs(self, spec: Any) -> tuple[Need, ...]:
        return ()

    def problems(self, spec: Any) -> Iterable[str]:
        return ()

    def adjust(self, table: Mapping[str, Any]) -> Mapping[str, Any]:
        return table

    def from_binding(self, title: str, entry: Mapping[str, Any]) -> Any:
        return None

    def from_worker(self, script: str, raw: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
        return ()

    def scope_of(self, spec: Any) -> tuple[Any, ...]:
        places = marked(self.spec, Mark.IDENTITY)[1:]
        if self.scope == "zone":
            return (spec.zone,)
        return tuple(place.default if spec is None else getattr(spec, place.name) for place in places)

    def named(self, key: str, environment: str) -> str:
        return f"{key}-{environment}"

    def standing(self, observed: Any) -> str:
        return ""

    def handle(self, observed: Any) -> str:
        return str(observed.id)

    def tag_id(self, observed: Any) -> str:
        return self.handle(observed)

    def clashes(self, spec: Any, observed: Any) -> bool:
        return True

    def differs(self, spec: Any, observed: Any) -> tuple[Difference, ...]:
        return differences(spec, observed)

    async def uses(self, cloud: Cloud, observed: Any) -> tuple[Use, ...]:
        return ()
