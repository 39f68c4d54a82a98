"""A resource for every binding of a Worker that names none: the part of a plan every deploy needs.

    provisioned = await provision(cloud, worker, deployed_bindings=settings["bindings"])
    provisioned.resources   # {"CACHE": "<namespace id>", ...} what was looked up or made, by binding name
    provisioned.created     # what is new, as values to show

Signature: `async provision(cloud, worker, *, deployed_bindings, progress=...) -> Provisioned`. `worker` needs
only `name` and `raw` (the resolved wrangler config as plain values). `deployed_bindings` are the bindings of
the script's settings, () for a script that does not exist, None to have them read here.

Rules, as wrangler 4.164 has them outside a terminal: an id in the config is taken as it is; else the deployed
binding of the same name and type is kept; else the resource is looked up by name; else it is made. Its name
is the one the config gives, or `<script>-<binding>` in lower case with `-` for `_`. The config is not
rewritten: the next deploy finds the same by the same rules, so a run that was killed anywhere leaves nothing
double.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from trailboss.errors import NotFound, PermissionDenied, PlanError
from trailboss.plan.holdings import Holdings
from trailboss.resources.protocol import BindingForm, Kind
from trailboss.resources.registry import kinds

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

Source = Literal["given", "kept", "found", "created", "unchecked"]
Entry = Mapping[str, Any]


class HasBindings(Protocol):
    """What is needed of a Worker (`trailboss.config.Worker` has it)."""

    @property
    def name(self) -> str: ...

    @property
    def raw(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Bound:
    """One binding with its resource.

    `kind` is the resource's kind, `type` and `field` the uploaded binding's type and field, `value` what goes
    into the field, `title` the resource's own name ("" when only its id is known). `source` says how it was
    resolved; 'unchecked' means the token may not look, and the upload will tell.
    """

    binding: str
    kind: str
    type: str
    field: str
    value: str
    title: str
    source: Source


@dataclass(frozen=True, slots=True)
class Provisioned:
    """Every binding of a provisionable kind, in the config's order."""

    bindings: tuple[Bound, ...]

    @property
    def created(self) -> tuple[Bound, ...]:
        """Those whose resource did not exist before."""
        return tuple(bound for bound in self.bindings if bound.source == "created")

    @property
    def resources(self) -> dict[str, str]:
        """Binding name -> resource, for those that were looked up or made; the others need no help."""
        return {bound.binding: bound.value for bound in self.bindings if bound.source in ("found", "created")}


async def provision(
    cloud: Cloud,
    worker: HasBindings,
    *,
    deployed_bindings: Sequence[Entry] | None,
    progress: Callable[[str], None] = lambda _: None,
) -> Provisioned:
    """Resolve every binding of `worker`, making what is missing. Safe to repeat.

    Raises:
        CloudError: a resource could be neither found nor made.
        PlanError: TB6102 a binding says too little for its resource to be made.
    """
    wanted = [(kind, entry) for kind in kinds() for entry in _entries(kind, worker.raw)]
    if wanted and deployed_bindings is None:
        deployed_bindings = await read_deployed(cloud, worker.name)
    deployed = {(row.get("name"), row.get("type")): row for row in deployed_bindings or ()}
    account = Holdings(cloud, progress)
    resolved = [await _resolve(account, worker.name, kind, entry, deployed) for kind, entry in wanted]
    return Provisioned(tuple(resolved))


async def read_deployed(cloud: Cloud, script: str) -> Sequence[Entry]:
    """The bindings of the deployed script; none when there is no such script."""
    from trailboss.cloud import segment

    try:
        settings = await cloud.get(f"{cloud.account}/workers/scripts/{segment(script)}/settings")
    except NotFound:
        return ()
    found = (settings or {}).get("bindings")
    return found if isinstance(found, list) else ()


def default_title(script: str, binding: str) -> str:
    """The name wrangler gives to a resource the config does not name."""
    return f"{script}-{binding.lower().replace('_', '-')}"


def _entries(kind: Kind[Any, Any], raw: Mapping[str, Any]) -> Iterator[Entry]:
    place: Any = raw if kind.binding else None
    for key in kind.binding.config if kind.binding else ():
        place = place.get(key) if isinstance(place, Mapping) else None
    for entry in place if isinstance(place, list) else ():
        if isinstance(entry, Mapping) and entry.get("binding"):
            yield entry


async def _resolve(
    account: Holdings, script: str, kind: Kind[Any, Any], entry: Entry, deployed: Mapping[Any, Entry]
) -> Bound:
    form = kind.binding
    assert form is not None
    binding = str(entry["binding"])
    asked = entry.get(form.title) if form.title else None

    def bound(value: str, title: str, source: Source) -> Bound:
        return Bound(binding, kind.name, form.type, form.wire, value, title, source)

    if form.given and entry.get(form.given):
        return bound(str(entry[form.given]), str(asked or ""), "given")
    title = str(asked or default_title(script, binding))
    spec = kind.from_binding(title, entry)
    if spec is None:
        if asked:
            return bound(title, title, "given")
        raise _says_too_little(kind, binding)
    before = deployed.get((binding, form.type))
    try:
        if before is not None and await _is_same(account, kind, spec, before, entry):
            return bound(_value(form, before), str(asked or ""), "kept")
        observed, created = await account.have(kind, spec)
    except PermissionDenied:
        if not asked or form.given:
            raise
        return bound(title, title, "unchecked")
    return bound(kind.handle(observed), title, "created" if created else "found")


async def _is_same(account: Holdings, kind: Kind[Any, Any], spec: Any, before: Entry, entry: Entry) -> bool:
    """Whether the deployed binding is the one the config means."""
    form = kind.binding
    assert form is not None
    if any((before.get(key) or None) != (entry.get(key) or None) for key in form.shared):
        return False
    if not form.title or not entry.get(form.title):
        return True
    if form.given is None:  # bound by name
        return bool(_value(form, before) == entry[form.title])
    observed = await account.find(kind, spec)
    return observed is not None and kind.handle(observed) == _value(form, before)


def _value(form: BindingForm, before: Entry) -> str:
    """The resource of a deployed binding; D1's field has two spellings."""
    return str(before.get(form.wire) or before.get("database_id") or "")


def _says_too_little(kind: Kind[Any, Any], binding: str) -> PlanError:
    title = kind.binding.title if kind.binding else ""
    return PlanError(
        "TB6102",
        f"the binding '{binding}' names no {kind.name}, and says too little for one to be made",
        hint=f"Give `{title}`.",
    )
