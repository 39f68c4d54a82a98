"""A resource for every binding of a Worker that names none: the part of a plan every deploy needs.

    provisioned = await provision(cloud, "shop", settings, deployed_bindings=None)
    provisioned.resources   # {"CACHE": "<namespace id>", "DB": None, ...} for the upload, by binding name
    provisioned.created     # what is new, as values to show

Rules, as wrangler 4.164 has them outside a terminal: an id in the config is taken as it is; else the deployed
binding of the same name and type is kept; else the resource is looked up by name; else it is made. Its name
is the one the config gives, or `<script>-<binding>` in lower case with `-` for `_`. The config is not
rewritten: the next deploy finds the same by the same rules, so a run that was killed anywhere leaves nothing
double. What must be read is read at the same time; resources are made one after the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from trailboss.errors import NotFound, PermissionDenied, PlanError
from trailboss.plan.holdings import Holdings
from trailboss.plan.titles import Titles, titles_of
from trailboss.resources.protocol import BindingForm, Kind
from trailboss.resources.registry import kinds

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

Source = Literal["given", "kept", "found", "created", "unchecked"]
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bound:
    """One binding with its resource.

    `kind` is the resource's kind, `type` and `field` the uploaded binding's type and field, `value` what goes
    into the field ("" when it is not known), `title` the resource's own name ("" when only its id is known).
    `source` says how it was resolved; 'unchecked' means the token may not look, and the upload will tell.
    `inherits` is whether the upload asks for what the deployed Worker has, instead of naming it.
    """

    binding: str
    kind: str
    type: str
    field: str
    value: str
    title: str
    source: Source
    inherits: bool = False


@dataclass(frozen=True, slots=True)
class Provisioned:
    """Every binding of a provisionable kind, kind by kind, in the config's order."""

    bindings: tuple[Bound, ...] = ()

    @property
    def created(self) -> tuple[Bound, ...]:
        """Those whose resource did not exist before."""
        return tuple(bound for bound in self.bindings if bound.source == "created")

    @property
    def unchecked(self) -> tuple[Bound, ...]:
        """Those whose resource the token may not look up."""
        return tuple(bound for bound in self.bindings if bound.source == "unchecked")

    @property
    def resources(self) -> dict[str, str | None]:
        """Binding name -> resource for those the config does not give; None keeps the deployed Worker's."""
        return {
            bound.binding: None if bound.inherits else bound.value
            for bound in self.bindings
            if bound.source != "given"
        }


@dataclass(frozen=True, slots=True)
class Wish:
    """One entry of the config: `asked` is the name it gives, `title` the one it would get; no `spec` where
    nothing is to be looked up or made."""

    kind: Kind[Any, Any]
    form: BindingForm
    entry: Entry
    asked: str
    title: str
    spec: Any

    @property
    def binding(self) -> str:
        return str(self.entry["binding"])

    def bound(self, value: str, title: str, source: Source, *, inherits: bool = False) -> Bound:
        form = self.form
        return Bound(self.binding, self.kind.name, form.type, form.wire, value, title, source, inherits)


async def provision(
    cloud: Cloud,
    script: str,
    settings: Mapping[str, Any],
    *,
    deployed_bindings: Sequence[Entry] | None,
    named: Titles | None = None,
    missing: Callable[[list[Wish]], Awaitable[None]] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Provisioned:
    """Resolve every binding of the Worker `script`, making what is missing. Safe to repeat.

    `settings` is its resolved wrangler config. `deployed_bindings` are those of the script's settings, () for
    a script that does not exist; None has them read here, when they matter. `named` gives the name of a
    resource that the config leaves unnamed, from its binding (see `plan.titles`). `missing` may make what the
    account lacks, stamped as ours (see `plan.ensure`); what it leaves is made here.

    Raises:
        CloudError: a resource could be neither found nor made.
        PlanError: TB6102 a binding says too little for its resource to be made.
    """
    wishes = wishes_of(settings, named or titles_of(script))
    known = deployed_bindings
    if known is None and any(wish.spec is not None for wish in wishes):
        known = await read_deployed(cloud, script)
    deployed = {(row.get("name"), row.get("type")): row for row in known or ()}
    account = Holdings(cloud, progress)
    pairs = [(wish, deployed.get((wish.binding, wish.form.type))) for wish in wishes]
    await account.read(
        (wish.kind, wish.spec)
        for wish, before in pairs
        if wish.spec is not None and not _is_same(wish, before)
    )
    lacking = [wish for wish, before in pairs if await _is_missing(account, wish, before)]
    if lacking and missing is not None:
        await missing(lacking)
        account = Holdings(cloud, progress)
    resolved = [await _resolve(account, wish, before, blind=known is None) for wish, before in pairs]
    return Provisioned(tuple(_told(bound, lacking) for bound in resolved))


async def _is_missing(account: Holdings, wish: Wish, before: Entry | None) -> bool:
    """Whether the account certainly lacks it. One that may not be looked up is left to be resolved."""
    if wish.spec is None or _is_same(wish, before):
        return False
    try:
        return await account.find(wish.kind, wish.spec) is None
    except PermissionDenied:
        return False


def _told(bound: Bound, lacking: Sequence[Wish]) -> Bound:
    """Made on the way counts as created here."""
    made = any((wish.binding, wish.kind.name) == (bound.binding, bound.kind) for wish in lacking)
    return replace(bound, source="created") if made and bound.source == "found" else bound


async def read_deployed(cloud: Cloud, script: str) -> Sequence[Entry] | None:
    """The bindings of the deployed script: none when there is no such script, None when the token may not
    see them."""
    from trailboss.cloud import segment

    try:
        settings = await cloud.get(f"{cloud.account}/workers/scripts/{segment(script)}/settings")
    except NotFound:
        return ()
    except PermissionDenied:
        return None
    found = (settings or {}).get("bindings")
    return found if isinstance(found, list) else ()


def wishes_of(settings: Mapping[str, Any], named: Titles) -> list[Wish]:
    """Every binding of a provisionable kind in a resolved config.

    Raises:
        PlanError: TB6102 a binding says too little for its resource to be named.
    """
    return [_wish(kind, entry, named) for kind in kinds() for entry in _entries(kind, settings)]


def _entries(kind: Kind[Any, Any], raw: Mapping[str, Any]) -> Iterator[Entry]:
    place: Any = raw if kind.binding else None
    for key in kind.binding.config if kind.binding else ():
        place = place.get(key) if isinstance(place, Mapping) else None
    for entry in place if isinstance(place, list) else ():
        if isinstance(entry, Mapping) and entry.get("binding"):
            yield entry


def _wish(kind: Kind[Any, Any], entry: Entry, named: Titles) -> Wish:
    form = kind.binding
    assert form is not None
    asked = str(entry.get(form.title) or "") if form.title else ""
    title = asked or named(str(entry["binding"]))
    given = form.given and entry.get(form.given) and not named.declares(str(entry["binding"]))
    spec = None if given else kind.from_binding(title, entry)
    if spec is None and not given and not asked:
        raise _says_too_little(kind, str(entry["binding"]))
    return Wish(kind, form, entry, asked, title, spec)


async def _resolve(account: Holdings, wish: Wish, before: Entry | None, *, blind: bool) -> Bound:
    """The binding with its resource. `blind` is when nobody knows what the deployed Worker has."""
    if wish.spec is None:
        given = wish.entry.get(wish.form.given) if wish.form.given else None
        return wish.bound(str(given or wish.asked), wish.asked, "given")
    try:
        if before is not None and await _is_kept(account, wish, before):
            named = any(wish.entry.get(key) is not None for key in wish.form.said)
            return wish.bound(_value(wish.form, before), wish.asked, "kept", inherits=not named)
        observed, created = await account.have(wish.kind, wish.spec)
    except PermissionDenied:
        if wish.asked and wish.form.given is None:
            return wish.bound(wish.asked, wish.asked, "unchecked")
        if before is None and not blind:
            raise  # there is nothing to keep: the upload could only fail, and say less
        return wish.bound("", wish.asked, "unchecked", inherits=True)
    return wish.bound(wish.kind.handle(observed), wish.title, "created" if created else "found")


def _is_same(wish: Wish, before: Entry | None) -> bool | None:
    """Whether the deployed binding is the one the config means; None where only the account can say."""
    form = wish.form
    if before is None or any(
        (before.get(key) or None) != (wish.entry.get(key) or None) for key in form.shared
    ):
        return False
    if not wish.asked:
        return True
    return _value(form, before) == wish.asked if form.given is None else None


async def _is_kept(account: Holdings, wish: Wish, before: Entry) -> bool:
    same = _is_same(wish, before)
    if same is not None:
        return same
    observed = await account.find(wish.kind, wish.spec)
    return observed is not None and wish.kind.handle(observed) == _value(wish.form, before)


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
