"""`env.<source>` of a wrangler config as a new environment gets it: the same, with resources of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trailboss.config.inherit import _LISTS, _NESTED, Heir, Rule, Table

_NAMES = ("dataset", "name", "pipeline", "stream")
"""Fields of a binding that carry a resource's name without standing in their rule's `suffix`."""
_RENAMED_BY_HAND = frozenset({"workflows", "analytics_engine_datasets", "pipelines"})


def copied(table: Table, source: str, name: str, siblings: Mapping[str, str]) -> tuple[Table, list[str]]:
    """The block for `name`, and sentences about what could not be taken over as it is.

    Ids are left out and resource names get the new environment's name in place of the old one's, as in
    `inherit_bindings`. `siblings` are the project's Workers: their names in `source` to those in `name`.
    """
    heir, notes = Heir(name, siblings), []
    out = {key: value for key, value in table.items() if key not in ("name", "route")}
    for key, rule in _LISTS.items():
        if isinstance(out.get(key), list):
            out[key] = _entries(out[key], rule, heir, source, by_hand=key in _RENAMED_BY_HAND)
    for key, part, rule in _NESTED:
        inner = out.get(key)
        if isinstance(inner, dict) and isinstance(inner.get(part), list):
            out[key] = {**inner, part: _entries(inner[part], rule, heir, source)}
    if table.get("routes") or table.get("route"):
        out["routes"] = []
        notes.append(f"the routes of {source} stay with {source}; give {name} its own")
    if isinstance(table.get("name"), str):
        notes.append(f"the Worker's own name in {source} was not copied")
    return out, notes + heir.warnings


def _entries(items: list[Any], rule: Rule, heir: Heir, source: str, *, by_hand: bool = False) -> list[Any]:
    names = (*rule.suffix, *_NAMES) if by_hand else rule.suffix
    return [
        rule.taken(_bare(item, names, source), heir) if isinstance(item, dict) else item for item in items
    ]


def _bare(entry: Table, names: tuple[str, ...], source: str) -> Table:
    """`entry` with the old environment's name taken off the names that will get the new one."""
    out = dict(entry)
    for name in names:
        text = out.get(name)
        if isinstance(text, str):
            out[name] = text.removesuffix(f"-{source}").removesuffix(f"_{source}".replace("-", "_")) or text
    return out
