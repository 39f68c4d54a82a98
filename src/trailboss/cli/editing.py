"""What every command that makes a resource does: edit the file, check it against the account, apply that one.

Stopped between the two, the file already says what is wanted, and the next plan finishes it. When the check
refuses (a foreign thing of that name, a wrong value), the files are as they were.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailboss.cli.applying import carry_out
from trailboss.cli.declare import Elsewhere
from trailboss.cli.output import Output
from trailboss.cli.run import Run
from trailboss.errors import CloudError, PlanError, SecretError, UsageError

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.config.resources import Edits
    from trailboss.plan.apply import Applied
    from trailboss.plan.wanted import Resource, Wanted
    from trailboss.values import Secret


@dataclass(frozen=True, slots=True)
class Made:
    """What was made. `id` is what bindings name it by, `files` are those that were edited."""

    kind: str
    key: str
    name: str
    id: str
    action: str
    binding: str | None
    files: tuple[str, ...]
    note: str = ""


def make_resource(
    run: Run,
    kind: str,
    key: str,
    table: Mapping[str, Any],
    *,
    doing: str,
    binding: str | None = None,
    may_wait: bool = False,
    known: Mapping[str, Secret] | None = None,
) -> Made:
    """The resource `key` in the files and in the account. `table` holds what the command line gave.

    `may_wait`: what it refers to may come later; it is written now, and made with that. `known` are secrets
    by the reference that stands for them in the file, when they were given here and are nowhere else yet.
    """
    from trailboss.config.resources import contents, put_back
    from trailboss.resources.registry import kind as load

    _needs_project(run)
    run.announce(key)
    found = _existing(run, kind, key)
    edits = _edits(run, kind, key, table, found=found, binding=binding)
    before, waiting = contents(edits), list[str]()
    files = _write(run, edits, kind, key, waiting if may_wait else None)
    want, resource = _wanted(run, kind, key)
    if waiting:
        return Made(kind, key, resource.key, "", "later", None, files, waiting[0])
    targets = (resource.address, *_waiting_for(want, resource))
    try:
        done = carry_out(run, want, targets=targets, quiet=True, doing=doing, known=known)
    except (CloudError, SecretError) as error:
        if (isinstance(error, SecretError) or _is_refused(error)) and len(targets) == 1:
            put_back(before)
        raise
    form = load(kind).binding
    bound = binding or (_bound(run, kind, key, resource) if form else None)
    made = _made(done, resource, bound, files)
    if form is not None and form.given and not form.makes and made.id:
        name = bound or _binding_of(key)
        made = replace(made, binding=name)
        files = tuple(dict.fromkeys((*files, *_note_id(run, form.config, form.given, name, made.id))))
    return replace(made, files=files)


def _is_refused(error: CloudError) -> bool:
    """Whether Cloudflare said no for good: then the files must not go on wanting it."""
    return 400 <= error.status < 500 and error.status not in (408, 429)


def _note_id(run: Run, path: tuple[str, ...], key: str, binding: str, id: str) -> tuple[str, ...]:
    """The binding with its id, where wrangler does not go on without one."""
    from trailboss.config.edit import Set
    from trailboss.config.resources import write

    worker = run.worker()
    entries = worker.resolved.document.data.get("env", {}).get(worker.environment or "", worker.raw)
    prefix = ("env", worker.environment) if worker.environment and worker.declared else ()
    for number, entry in enumerate(entries.get(path[0]) or ()):
        if entry.get("binding") == binding and entry.get(key) != id and worker.user_path is not None:
            place = (*prefix, *path, number, key)
            return tuple(map(_shown, write({worker.user_path: [Set(place, id)]}, lambda: _reload(run))))
    if any(entry.get("binding") == binding for entry in worker.raw.get(path[0]) or ()):
        return ()
    return bind_entry(run, path, {"binding": binding, key: id}, own=True)


def bind_only(run: Run, kind: str, key: str, binding: str | None, id: str) -> tuple[str, tuple[str, ...]]:
    """A binding for a resource that is there already: its name, and the files that changed."""
    from trailboss.resources.registry import kind as load

    form = load(kind).binding
    assert form is not None
    name = binding or _binding_of(key)
    return name, bind_entry(run, form.config, {"binding": name, str(form.given): id}, own=True)


def bind_entry(run: Run, path: tuple[str, ...], entry: Mapping[str, Any], *, own: bool) -> tuple[str, ...]:
    """One entry of a list of bindings in the wrangler config; nothing happens when it is there already."""
    from trailboss.config.resources import bind, write

    worker = run.worker()
    if any(dict(one) == dict(entry) for one in worker.raw.get(path[0]) or ()):
        return ()
    files = write(bind(worker, path, entry, own=own), lambda: _reload(run))
    return tuple(_shown(file) for file in files)


def spec_of(run: Run, kind: str, key: str) -> Any:
    """What the files want of the resource now."""
    return _wanted(run, kind, key)[1].spec


def zone_of(run: Run, text: str | None) -> tuple[str, str]:
    """A zone as it is written into the file, and its domain: `text` is a domain or a name in [zones].

    Raises:
        UsageError: TB9063 none was named, or a name that [zones] does not have.
    """
    from trailboss.plan.wanted import zone_name

    _needs_project(run)
    zones = run.project.settings.zones
    if text is None and len(zones) == 1:
        text = next(iter(zones))
    if text is not None and (text in zones or "." in text):
        return text, zone_name(zones[text]) if text in zones else text
    known = ", ".join(zones) or "empty"
    raise UsageError(
        "TB9063",
        f"there is no zone '{text}' in [zones]" if text else "no zone was named",
        hint=f'Give --zone with a domain, or add a line to [zones]: name = "example.com". It is: {known}.',
    )


def _waiting_for(want: Wanted, resource: Resource) -> tuple[str, ...]:
    """What is written already and refers to it, and to nothing else that is missing."""
    from trailboss.resources.marks import refs_in

    there = {(one.kind, one.key) for one in want.resources}
    refs = {one.address: [(ref.kind, ref.name) for ref in refs_in(one.spec)] for one in want.resources}
    place = (resource.kind, resource.key)
    return tuple(name for name, found in refs.items() if place in found and set(found) <= there)


def show_made(output: Output, made: Made) -> None:
    """One line of what is there now, one of what was written."""
    from trailboss.cli import views
    from trailboss.resources.registry import kind as load

    words = {
        "create": "is made",
        "adopt": "was there, and is adopted",
        "none": "is there already",
        "later": f"is written, and waits: {made.note}",
    }
    if load(made.kind).is_setting and made.action in ("create", "adopt"):
        words[made.action] = "is set"
    name = output.style(made.name, "1", output.out)
    shown = f" ({made.id})" if made.id and made.id != made.name else ""
    views.tick(output, f"{made.kind} {name}{shown} {words.get(made.action, 'is changed')}")
    if made.files:
        bound = f" with the binding {made.binding}" if made.binding else ""
        output.note(f"  written into {' and '.join(made.files)}{bound}")


def _needs_project(run: Run) -> None:
    if run.project.file is None and not run.project.workers:
        raise Elsewhere("there is no project here to write it into")


def _reload(run: Run) -> Any:
    run.__dict__.pop("project", None)
    return run.project


def _existing(run: Run, kind: str, key: str) -> Resource | None:
    from trailboss.plan.wanted import wanted
    from trailboss.resources.marks import identity_of

    names = {key, f"{key}-{run.project.environment.name}"}
    for one in wanted(run.project).resources:
        if one.kind == kind and (one.key == key or names & set(map(str, identity_of(one.spec)))):
            return one
    return None


def _edits(
    run: Run,
    kind: str,
    key: str,
    table: Mapping[str, Any],
    *,
    found: Resource | None,
    binding: str | None,
) -> Edits:
    """A binding in the wrangler config where the kind has one, and what the command line said beside it."""
    from trailboss.config.resources import bind, declare, joined
    from trailboss.resources.registry import kind as load

    form = load(kind).binding
    if form is None or not run.project.workers:
        return declare(run.project, kind, found.key if found else key, table)
    bound = _bound(run, kind, key, found)
    if not form.title and not bound and not found:
        key, table = _keyed(run, kind, key, table, binding)
    needed = table or not (form.title or bound)
    beside = declare(run.project, kind, found.key if found else key, table) if needed else {}
    if bound:
        return beside
    worker = run.worker()
    entry: dict[str, Any] = {"binding": binding or _binding_of(key)}
    if form.title:
        own = worker.environment if worker.declared else None
        entry[form.title] = f"{key}-{own}" if own else key
    edits = bind(worker, form.config, entry, own=not form.makes)
    if form.given and not form.makes:  # wrangler goes on with its id only: written when there is one
        return beside
    return joined(beside, edits)


def _keyed(
    run: Run, kind: str, key: str, table: Mapping[str, Any], binding: str | None
) -> tuple[str, Mapping[str, Any]]:
    """The key and the table for a kind whose bindings have no name beside them: the key alone says which
    table a binding means, so a binding of another name becomes the key, and the table says the name."""
    from trailboss.plan.titles import plain
    from trailboss.resources.marks import Mark, is_named, marked
    from trailboss.resources.registry import kind as load

    if binding is None or plain(binding) == plain(key):
        return key, table
    field = next(place.name for place in marked(load(kind).spec, Mark.IDENTITY) if is_named(place))
    environment = run.project.environment.name
    name = f"{key}-{environment}" if environment else key
    return binding.lower().replace("_", "-"), {field: name, **table}


def _binding_of(name: str) -> str:
    return re.sub(r"[^A-Z0-9_]", "_", name.upper())


def _bound(run: Run, kind: str, key: str, resource: Resource | None) -> str | None:
    """The binding that names the resource already."""
    from trailboss.plan.provision import wishes_of
    from trailboss.plan.titles import titles
    from trailboss.plan.wanted import declared
    from trailboss.resources.marks import identity_of

    names = {key, f"{key}-{run.project.environment.name}"}
    names |= set(map(str, identity_of(resource.spec))) if resource else set()
    for worker in run.project.workers:
        for wish in wishes_of(worker.raw, titles(worker, worker.name, declared(run.project))):
            if wish.kind.name == kind and wish.title in names:
                return wish.binding
    return None


def _write(run: Run, edits: Edits, kind: str, key: str, waiting: list[str] | None) -> tuple[str, ...]:
    """Write the files; they are as they were when the account refuses what they then say. A reference to
    what is not there yet goes into `waiting` where that is allowed."""
    from trailboss.config.resources import write
    from trailboss.plan.plan import make, refuse

    def check() -> None:
        _reload(run)
        want, resource = _wanted(run, kind, key)

        async def look(cloud: Cloud) -> None:
            refuse(await make(cloud, want, targets=(resource.address,)), approved=None, confirmed=True)

        try:
            run.call(look)
        except PlanError as error:
            if error.code != "TB6104" or waiting is None:
                raise
            waiting.append(error.message)

    try:
        if not edits and waiting is not None:
            check()
        return tuple(_shown(file) for file in write(edits, check))
    finally:
        _reload(run)


def _shown(file: Path) -> str:
    here = Path.cwd()
    return str(file.relative_to(here)) if file.is_relative_to(here) else str(file)


def _wanted(run: Run, kind: str, key: str) -> tuple[Wanted, Resource]:
    from trailboss.plan.wanted import wanted

    found = _existing(run, kind, key)
    if found is None:
        raise PlanError(
            "TB6108",
            f"the files still do not want the {kind} '{key}'",
            hint="It may say too little (a Vectorize index needs --dimensions and --metric, or --preset).",
        )
    return wanted(run.project), found


def _made(done: Applied, resource: Resource, binding: str | None, files: tuple[str, ...]) -> Made:
    from trailboss.resources.registry import kind as load

    change = next(one for one in done.plan.changes if one.address == resource.address)
    observed = done.observed.get(resource.address) or (change.seen.observed if change.seen else None)
    handle = load(resource.kind).handle(observed) if observed is not None else ""
    return Made(resource.kind, resource.key, change.name, handle, change.action, binding, files)
