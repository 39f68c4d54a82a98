"""The pages about kinds of resources, read off the code. `python -m tests.kinds_reference` writes them.

What a page says of its kind: the docstrings, the marks and types of the fields, an example from the kind's
case, and the calls that one life of it makes in the sandbox.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, replace
from importlib import import_module
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from tests.resources.kind_calls import STEPS, lives
from tests.resources.kind_commands import commands
from tests.resources.kind_examples import key_of, spec_of, toml_of
from tests.resources.kind_facts import BY_FIELD, CLOUDFLARE, OF_WRANGLER
from tests.resources.kind_limits import name_rules, values
from trailboss.resources.marks import (
    UNSET,
    Mark,
    Unset,
    is_asking,
    is_derived,
    is_named,
    is_path,
    is_secret,
    mark_of,
    marked,
    target_of,
)
from trailboss.resources.protocol import Claimed, Kind, Marked, OfWorker, Shared, Tagged
from trailboss.resources.registry import NAMES, kind
from trailboss.values import Secret

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "resources"
SITE = "https://developers.cloudflare.com/"
WORDS = {"list": "read", "create": "make", "update": "change", "delete": "delete"}
TYPES = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Any: "as Cloudflare has it",
}
CHANGES = {
    Mark.IDENTITY: "another resource",
    Mark.MUTABLE: "`~` in place",
    Mark.REPLACE: "`±` a new one in its place",
    Mark.CREATION: "nothing: it counts when it is made",
    Mark.WRITE_ONLY: "`~` sent when the file changes, not compared",
}
FormOf = Kind[Any, Any]


def page(name: str) -> str:
    """The page of one kind."""
    found, (title, _, _) = kind(name), CLOUDFLARE[name]
    parts = [
        f"# {title}: `{name}`",
        *_told(import_module(f"trailboss.resources.{name}").__doc__ or ""),
        "\n".join(["| | |", "|---|---|", *(f"| {what} | {says} |" for what, says in _glance(found))]),
        "## Fields",
        *_told(re.sub(r"^What a file may want[^:;.]*[:;.]\s*", "", found.spec.__doc__ or "", count=1)),
        "\n".join(
            [
                "| field | is | a change of it | without it |",
                "|---|---|---|---|",
                *(_row(found, place) for place in _written(found)),
            ]
        ),
        "## Example",
        f"```toml\n{toml_of(name)}\n```",
        "## API calls",
        "\n".join(["| to | calls |", "|---|---|", *_calls(found)]),
        "[All kinds](README.md) · [plan and apply](../plan.md)",
    ]
    return "\n\n".join(parts) + "\n"


def index() -> str:
    """The page that lists them all."""
    head = [
        "# Kinds of resources",
        "What `[resources.<kind>.<key>]` in `trailboss.toml` may be. [Plan and apply](../plan.md) says what "
        "happens with it; `trailboss adopt KIND NAME` writes what is in the account already. These pages are "
        "written from the code by `python -m tests.kinds_reference`.",
        "A name that follows from the key gets the environment's name at its end (`cache` is "
        "`cache-staging`), unless the table stands in that environment's own block and what it names holds "
        "no data.",
        "Ours by: *tags* on the resource, a *marker* in one of its texts, a *claim* in the account's tags, "
        "its *Worker*.",
    ]
    rows = ["| kind | is in | ours by | deleting it loses data | Cloudflare |", "|---|---|---|---|---|"]
    for name in NAMES:
        found, (_, product, path) = kind(name), CLOUDFLARE[name]
        where = "a Worker" if isinstance(found.ownership, OfWorker) else f"{_article(found.scope)}"
        loses = "cannot be deleted" if found.is_setting else "yes" if found.holds_data else ""
        rows.append(
            f"| [{name}]({name}.md) | {where} | {_owner_word(found)} | {loses} | [{product}]({SITE}{path}/) |"
        )
    return "\n\n".join([*head, "\n".join(rows)]) + "\n"


def pages() -> dict[str, str]:
    """File name -> text, of everything in the folder."""
    return {"README.md": index(), **{f"{name}.md": page(name) for name in NAMES}}


def _told(text: str) -> Iterator[str]:
    """Paragraphs of a docstring, without where we have it from; a table of the file in a block of its own."""
    text = re.sub(r" ?Source: (?:[^;.]|\.\d)*([;.]) ?", lambda m: "; " if m[1] == ";" else " ", text)
    text = re.sub(r"\.; (\w)", lambda m: f". {m[1].upper()}", text)
    for part in re.split(r"\n\s*\n", text.strip()):
        if part.startswith("["):
            yield f"```toml\n{part}\n```"
        elif line := " ".join(part.split()):
            yield line[:1].upper() + line[1:]


def _glance(found: FormOf) -> Iterator[tuple[str, str]]:
    (_, product, path), needed = CLOUDFLARE[found.name], found.permissions
    yield "in trailboss.toml", f"`[resources.{found.name}.<key>]`"
    if places := [*_bindings(found)]:
        yield "in a wrangler config", places[0]
    yield "is in", _article(found.scope)
    yield "whose it is" if isinstance(found.ownership, Shared) else "is ours by", _ownership(found)
    if names := name_rules(found.name):
        yield "its name", names
    yield "no longer in the file", _end(found)
    both = f"`{needed.read}` to plan, `{needed.write}` to apply"
    if found.name in BY_FIELD:
        field, groups = BY_FIELD[found.name]
        both += f"; that of its {field} where it is another: {', '.join(groups)}"
    yield "token permissions", both if needed.read != needed.write else f"`{needed.read}`"
    yield "commands", "<br>".join(f"`{line}`" for line in (*commands(found.name), _adopt(found)))
    yield "Cloudflare", f"[{product}]({SITE}{path}/)"
    files = ", ".join(f"`{file}.py`" for file in lives()[found.name].routes)
    yield "in the sandbox", f"{files} of `sandbox/routes`"


def _adopt(found: FormOf) -> str:
    zone = " --zone ZONE" if found.scope == "zone" else ""
    return f"trailboss adopt {found.name} NAME{zone}"


def _bindings(found: FormOf) -> Iterator[str]:
    form = found.binding
    if form is not None:
        path = ".".join(form.config)
        enough = (
            "a binding alone has it made" if form.makes else "a binding names it; its table must be there"
        )
        yield f"`{path}`: {enough}"
    elif found.name in OF_WRANGLER:
        yield f"{OF_WRANGLER[found.name]}, without a table here"


def _article(scope: str) -> str:
    return "the account" if scope == "account" else "a zone"


def _owner_word(found: FormOf) -> str:
    names = {Tagged: "tags", Marked: "marker", Claimed: "claim", OfWorker: "its Worker"}
    return next((word for form, word in names.items() if isinstance(found.ownership, form)), "nobody's")


def _ownership(found: FormOf) -> str:
    ownership = found.ownership
    if isinstance(ownership, Tagged):
        return f"its tags (type `{ownership.type}` of Cloudflare's tagging API)"
    if isinstance(ownership, Marked):
        return f"the marker `trailboss:…` in its `{_marker_place(found)}`"
    if isinstance(ownership, OfWorker):
        return "the Worker in `script`, which is the project's; a table here is claimed in the account's tags"
    if isinstance(ownership, Shared):
        return "nobody's: who writes to it uses it"
    return "a claim to it in the account's tags"


def _marker_place(found: FormOf) -> str:
    body = found.to_wire(replace(spec_of(found.name), marker="trailboss:shop//it#00000000"))
    return next(name for name, value in body.items() if "trailboss:" in str(value))


def _end(found: FormOf) -> str:
    if isinstance(found.ownership, Shared):
        return "nothing happens: nobody can delete it"
    if found.is_setting:
        return "it stays as it is: it cannot be deleted"
    if found.holds_data:
        return "it is deleted **with its data**, once that is confirmed"
    return "it is deleted; in the file again, it is made again"


def _written(found: FormOf) -> list[Field[Any]]:
    hidden = (Mark.MARKER, Mark.SERVER_SET)
    return [one for one in fields(found.spec) if mark_of(one) not in hidden and not is_derived(one)]


def _row(found: FormOf, place: Field[Any]) -> str:
    change = "another resource" if is_named(place) else CHANGES[mark_of(place)]
    if mark_of(place) is Mark.REPLACE and found.holds_data:
        change += ", **without the data**"
    return f"| `{place.name}` | {_type(found, place)} | {change} | {_default(found, place)} |"


def _type(found: FormOf, place: Field[Any]) -> str:
    hint = get_type_hints(found.spec)[place.name]
    parts = get_args(hint) if get_origin(hint) in (UnionType, Union) else (hint,)
    many = any(get_origin(part) is tuple for part in parts)
    target = target_of(place)
    if target is not None:
        return f"{'keys' if many else 'key'} of [{target[0]}]({target[0]}.md)"
    if is_secret(place):
        return "a secret: `op://…` or `${NAME}`"
    if is_path(place):
        return "a path beside the file"
    if place.name == "zone":
        return "a domain, or its name in `[zones]`"
    plain = [part for part in parts if part not in (Unset, type(None), Secret) and "Ref" not in str(part)]
    if is_asking(place):
        return "text, or a reference to it: `op://…`, `${NAME}`"
    allowed = values(found.name, place, str(hint))
    return " or ".join(dict.fromkeys(map(_word, plain))) + (f": {allowed}" if allowed else "")


def _word(hint: Any) -> str:
    text = str(hint)
    if text.startswith("tuple"):
        return "list of tables" if "Mapping" in text else "list of texts"
    return "table" if "Mapping" in text else TYPES[hint]


def _default(found: FormOf, place: Field[Any]) -> str:
    if is_named(place):
        plain = found.scope == "account" and "." not in key_of(found.name)
        end = found.named("", "<environment>")
        return f"the key, with `{end}`" if plain else "the key"
    if place.name == "zone" and place.default is MISSING:
        return "the only one of `[zones]`"
    if place.default is MISSING and place.default_factory is MISSING:
        return "the project's only Worker" if place.name == "script" else "must be given"
    value = place.default if place.default is not MISSING else place.default_factory()  # type: ignore[misc]
    if value is UNSET or value is None:
        return "left as it is" if mark_of(place) is not Mark.IDENTITY else "none"
    if value in ((), {}):
        return "empty"
    shown = (
        str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else value
    )
    return f"`{shown}`" if value != "" else "none"


def _calls(found: FormOf) -> Iterator[str]:
    for step in STEPS:
        calls = lives()[found.name].calls[step]
        shown = "<br>".join(f"`{method} {path}`" for method, path in calls)
        word = f"{WORDS[step]}, once for {_once(found)}" if step == "list" else WORDS[step]
        if shown:
            yield f"| {word} | {shown} |"


def _once(found: FormOf) -> str:
    """What one list shows all of."""
    spec = spec_of(found.name)
    asked = found.scope_of(spec)
    named = [one.name for one in marked(spec, Mark.IDENTITY) if getattr(spec, one.name) in asked]
    names = ["the zone" if name == "zone" else f"each `{name}`" for name in named]
    return " and ".join(names) if names else "the account"


def write() -> None:
    """Write every page."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    write()
