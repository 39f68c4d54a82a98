"""Ingress rules for good: in the account, and in the files where those have the tunnel.

The account's other rules stay as they are, also those that the files do not have: one may be of a `dev`
that runs now. `trailboss plan` shows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from trailboss.develop.files import RULES, Files
from trailboss.develop.tunnels import LOCAL, Rule, Tunnel, put_rule, read_rules, remove_rule
from trailboss.errors import TrailbossError

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.plan.wanted import Resource


async def keep_rule(
    cloud: Cloud, tunnel: Tunnel, rule: Rule, files: Files | None, *, force: bool = False
) -> bool:
    """Let `rule.hostname` lead to `rule.service` for good; False when it did already.

    Raises: as `put_rule`; then the files are as they were.
    """
    from trailboss.config.resources import put_back

    owner = files.tunnel(tunnel.name) if files else None
    if files is None or owner is None:
        return await put_rule(cloud, tunnel, rule, force=force)
    before = await _declare(cloud, tunnel, rule, files, owner)
    try:
        changed = await put_rule(cloud, tunnel, rule, force=force)
    except TrailbossError:
        put_back(before)
        raise
    files.tell(before)
    if changed or before:
        await _claim(cloud, tunnel, files, owner)
        return True
    return False


async def _claim(cloud: Cloud, tunnel: Tunnel, files: Files, owner: Resource) -> None:
    """Make the rules ours, where the account has no others than the files."""
    known, found = files.rules(owner), await read_rules(cloud, tunnel)
    if known is not None and [_table(one) for one in found] == _named(known.spec.ingress):
        await files.settle(cloud, RULES, known.key)


def _named(rules: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rules without the last one, which takes everything else."""
    return [dict(one) for one in rules if one.get("hostname")]


async def _declare(cloud: Cloud, tunnel: Tunnel, rule: Rule, files: Files, owner: Resource) -> Any:
    known = files.rules(owner)
    if known is not None:
        rules = [dict(one) for one in known.spec.ingress]
    else:
        others = await read_rules(cloud, tunnel)
        rules = [_table(one) for one in others if not LOCAL.match(one.service)]
    mine = _table(rule)
    places = [(one.get("hostname"), one.get("path", "")) for one in rules]
    if (place := (rule.hostname, rule.path)) in places:
        rules[places.index(place)] = mine
    else:
        rules.insert(0, mine)
    return files.declare(RULES, known.key if known else owner.key, {"tunnel": owner.key, "ingress": rules})


async def drop_rule(cloud: Cloud, tunnel: Tunnel, hostname: str, files: Files | None) -> bool:
    """Take the rule of `hostname` away, out of the files too; False when there was none.

    Raises: as `Files.drop` and `remove_rule`.
    """
    owner = files.tunnel(tunnel.name) if files else None
    known = files.rules(owner) if files and owner else None
    if files is not None and known is not None:
        left = [dict(one) for one in known.spec.ingress if one.get("hostname") != hostname]
        if _named(left):
            files.tell(files.declare(RULES, known.key, {"ingress": left}))
        else:
            files.drop([known])
    return await remove_rule(cloud, tunnel, hostname)


def _table(rule: Rule) -> dict[str, Any]:
    """A rule as the files have it."""
    from trailboss.resources.tunnel_configuration import KIND

    read = KIND.from_wire({"tunnel_id": "", "config": {"ingress": [rule.as_wire()]}})
    return dict(read.ingress[0])
