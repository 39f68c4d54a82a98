"""What an R2 bucket tells one queue. Source: API reference 6.2.

A PUT adds rules and a rule cannot be changed, so an update removes what is not wanted and adds what lacks.
One queue and one bucket make one resource; what other queues are told stays as it is.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound
from trailboss.resources.lookups import queue_id
from trailboss.resources.marks import IDENTITY, MUTABLE, SERVER_SET, Difference, Ref, differences, to
from trailboss.resources.protocol import Basis, Permissions
from trailboss.resources.r2_parts import DEFAULT, jurisdiction_headers, snake, unknown_keys

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

ACTIONS = ("PutObject", "CopyObject", "DeleteObject", "CompleteMultipartUpload", "LifecycleDeletion")
EVENTS = {  # wrangler's words
    "object-create": ("PutObject", "CopyObject", "CompleteMultipartUpload"),
    "object-delete": ("DeleteObject", "LifecycleDeletion"),
}
MOST_RULES = 100
KEYS = ("actions", "prefix", "suffix", "description")
Rule = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class R2EventNotification:
    """What a file may want: rules with `actions` ('PutObject', …, or 'object-create', 'object-delete'),
    `prefix`, `suffix` and `description`."""

    bucket: str | Ref = field(metadata=IDENTITY | to("r2_bucket"))
    queue: str | Ref = field(metadata=IDENTITY | to("queue"))
    jurisdiction: str = field(default=DEFAULT, metadata=IDENTITY)
    rules: tuple[Mapping[str, Any], ...] = field(default=(), metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedR2EventNotification:
    """What the queue is told; `rule_ids` are in the order of `rules`."""

    bucket: str = field(metadata=IDENTITY)
    queue: str = field(metadata=IDENTITY)
    jurisdiction: str = field(default=DEFAULT, metadata=IDENTITY)
    queue_id: str = field(default="", metadata=SERVER_SET)
    rules: tuple[Mapping[str, Any], ...] = field(default=(), metadata=MUTABLE)
    rule_ids: tuple[str, ...] = field(default=(), metadata=SERVER_SET)


class R2EventNotificationKind(Basis):
    """The kind `r2_event_notification`."""

    name = "r2_event_notification"
    spec = R2EventNotification
    permissions = Permissions("Workers R2 Storage Read", "Workers R2 Storage Write")

    def problems(self, spec: R2EventNotification) -> Iterable[str]:
        if not spec.rules:
            yield "it has no rules, so the queue would be told nothing"
        if len(spec.rules) > MOST_RULES:
            yield f"there are {len(spec.rules)} rules; Cloudflare allows {MOST_RULES} for a bucket"
        faults = [text for number, rule in enumerate(spec.rules, 1) for text in _rule_problems(rule, number)]
        yield from faults
        pairs = () if faults else combinations(enumerate(map(_normal, spec.rules), 1), 2)
        for (first, one), (second, other) in pairs:
            if _overlap(one, other):
                yield f"rules {first} and {second} overlap: one event would fit both, which R2 refuses"

    def scope_of(self, spec: R2EventNotification) -> tuple[Any, ...]:
        return (spec.bucket, spec.jurisdiction)

    def handle(self, observed: ObservedR2EventNotification) -> str:
        return f"{observed.bucket}/{observed.queue}"

    def differs(
        self, spec: R2EventNotification, observed: ObservedR2EventNotification
    ) -> tuple[Difference, ...]:
        return differences(replace(spec, rules=_sorted(spec.rules)), observed)

    def to_wire(self, spec: R2EventNotification) -> dict[str, Any]:
        return {"rules": list(_sorted(spec.rules))}

    def from_wire(self, data: Mapping[str, Any]) -> ObservedR2EventNotification:
        rules = sorted(data.get("rules") or (), key=lambda rule: _order(_normal(rule)))
        return ObservedR2EventNotification(
            str(data["bucket"]),
            str(data.get("queueName") or ""),
            str(data["jurisdiction"]),
            str(data["queueId"]),
            tuple(_normal(rule) for rule in rules),
            tuple(str(rule.get("ruleId") or "") for rule in rules),
        )

    async def list(
        self, cloud: Cloud, like: R2EventNotification | None = None
    ) -> AsyncIterator[ObservedR2EventNotification]:
        assert like is not None
        data: Mapping[str, Any] = {}
        with contextlib.suppress(NotFound):  # nobody is told anything, or there is no bucket
            headers = jurisdiction_headers(like.jurisdiction)
            data = await cloud.get(_path(cloud, str(like.bucket)), headers=headers)
        for item in data.get("queues") or ():
            yield self.from_wire({**item, "bucket": like.bucket, "jurisdiction": like.jurisdiction})

    async def create(self, cloud: Cloud, spec: R2EventNotification) -> ObservedR2EventNotification:
        """Raises NotFound TB2304 when there is no such queue."""
        return await self._add(cloud, spec, await queue_id(cloud, str(spec.queue)), _sorted(spec.rules))

    async def update(
        self, cloud: Cloud, spec: R2EventNotification, observed: ObservedR2EventNotification
    ) -> ObservedR2EventNotification:
        if not self.differs(spec, observed):
            return observed
        lacking, surplus = list(_sorted(spec.rules)), []
        for rule, name in zip(observed.rules, observed.rule_ids, strict=True):
            if rule in lacking:
                lacking.remove(rule)
            else:
                surplus.append(name)
        if surplus:  # first, for a new rule may overlap with an old one
            await self._remove(cloud, observed, surplus)
        return await self._add(cloud, spec, observed.queue_id, lacking)

    async def delete(self, cloud: Cloud, observed: ObservedR2EventNotification) -> None:
        with contextlib.suppress(NotFound):
            await self._remove(cloud, observed)

    async def _add(
        self, cloud: Cloud, spec: R2EventNotification, queue: str, rules: Iterable[Rule]
    ) -> ObservedR2EventNotification:
        path = f"{_path(cloud, str(spec.bucket))}/queues/{queue}"
        headers, body = jurisdiction_headers(spec.jurisdiction), {"rules": list(rules)}
        if body["rules"]:  # sent twice, it would be there twice
            await cloud.put(path, json=body, headers=headers, idempotent=False)
        data = await cloud.get(path, headers=headers)
        place = {"bucket": spec.bucket, "jurisdiction": spec.jurisdiction, "queueId": queue}
        return self.from_wire({**data, **place, "queueName": spec.queue})

    async def _remove(
        self, cloud: Cloud, observed: ObservedR2EventNotification, rules: Iterable[str] | None = None
    ) -> None:
        path = f"{_path(cloud, observed.bucket)}/queues/{observed.queue_id}"
        more = {} if rules is None else {"json": {"ruleIds": list(rules)}}
        await cloud.delete(path, headers=jurisdiction_headers(observed.jurisdiction), **more)


def _normal(rule: Any) -> Rule:
    """A rule in Cloudflare's words: actions in their order, nothing empty, no id."""
    table = snake(rule)
    given = [action for name in table.get("actions") or () for action in EVENTS.get(name, (name,))]
    actions = sorted(set(given), key=lambda name: (ACTIONS.index(name) if name in ACTIONS else 9, name))
    texts = {name: table[name] for name in KEYS[1:] if table.get(name)}
    return {"actions": actions, **texts}


def _order(rule: Rule) -> tuple[str, ...]:
    return (*(str(rule.get(name, "")) for name in KEYS[1:]), *rule["actions"])


def _sorted(rules: Iterable[Any]) -> tuple[Rule, ...]:
    return tuple(sorted(map(_normal, rules), key=_order))


def _overlap(one: Rule, other: Rule) -> bool:
    """Whether some event would fit both rules."""
    prefixes = sorted((one.get("prefix", ""), other.get("prefix", "")), key=len)
    suffixes = sorted((one.get("suffix", ""), other.get("suffix", "")), key=len)
    same = set(one["actions"]) & set(other["actions"])
    return bool(same) and prefixes[1].startswith(prefixes[0]) and suffixes[1].endswith(suffixes[0])


def _rule_problems(rule: Any, number: int) -> Iterator[str]:
    place = f"rule {number}"
    yield from unknown_keys(snake(rule), KEYS, place)
    if not isinstance(rule, Mapping):
        return
    actions = rule.get("actions")
    if not isinstance(actions, list | tuple) or not actions:
        yield f"{place} has no actions"
        return
    for name in actions:
        if name not in ACTIONS and name not in EVENTS:
            yield f"{place} has the action '{name}'; it may be {', '.join((*ACTIONS, *EVENTS))}"


def _path(cloud: Cloud, bucket: str) -> str:
    from trailboss.cloud import segment

    return f"{cloud.account}/event_notifications/r2/{segment(bucket)}/configuration"


KIND = R2EventNotificationKind()
