"""The lifecycle rules of an R2 bucket, all of them as one resource. Source: API reference 6.2.

Every new bucket has one rule of Cloudflare's that aborts uploads left unfinished for a week. A bucket with
that rule alone counts as having none of ours, and gets it back when ours go. A list in the file replaces it.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound
from trailboss.resources.marks import IDENTITY, MUTABLE, Difference, Ref, subset_differs, to
from trailboss.resources.protocol import Basis, Permissions
from trailboss.resources.r2_parts import (
    DEFAULT,
    bucket_path,
    camel,
    jurisdiction_headers,
    moment,
    snake,
    unknown_keys,
)

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

MOST_RULES = 1000
WEEK = 604_800  # seconds
DEFAULT_RULE = {
    "id": "Default Multipart Abort Rule",
    "enabled": True,
    "conditions": {"prefix": ""},
    "abort_multipart_uploads_transition": {"condition": {"type": "Age", "max_age": WEEK}},
}
DELETE, ABORT = "delete_objects_transition", "abort_multipart_uploads_transition"
MOVE = "storage_class_transitions"
KEYS = ("id", "enabled", "conditions", DELETE, ABORT, MOVE)
Rule = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class R2BucketLifecycle:
    """What a file may want: rules with an `id` and at least one transition.

    `conditions.prefix` chooses objects (all without it), a transition's `condition` has `max_age` in seconds
    or a `date`; objects move to `storage_class` 'InfrequentAccess'.
    """

    bucket: str | Ref = field(metadata=IDENTITY | to("r2_bucket"))
    jurisdiction: str = field(default=DEFAULT, metadata=IDENTITY)
    rules: tuple[Mapping[str, Any], ...] = field(default=(), metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedR2BucketLifecycle:
    """The rules of one bucket, by id."""

    bucket: str = field(metadata=IDENTITY)
    jurisdiction: str = field(default=DEFAULT, metadata=IDENTITY)
    rules: tuple[Mapping[str, Any], ...] = field(default=(), metadata=MUTABLE)


class R2BucketLifecycleKind(Basis):
    """The kind `r2_bucket_lifecycle`."""

    name = "r2_bucket_lifecycle"
    spec = R2BucketLifecycle
    permissions = Permissions("Workers R2 Storage Read", "Workers R2 Storage Write")

    def problems(self, spec: R2BucketLifecycle) -> Iterable[str]:
        if len(spec.rules) > MOST_RULES:
            yield f"there are {len(spec.rules)} rules; Cloudflare allows {MOST_RULES}"
        names = [rule.get("id") for rule in spec.rules if isinstance(rule, Mapping)]
        for name in sorted({str(name) for name in names if names.count(name) > 1}):
            yield f"two rules have the id '{name}'"
        for number, rule in enumerate(spec.rules, 1):
            yield from _rule_problems(snake(rule), f"rule {number}")

    def scope_of(self, spec: R2BucketLifecycle) -> tuple[Any, ...]:
        return (spec.bucket, spec.jurisdiction)

    def handle(self, observed: ObservedR2BucketLifecycle) -> str:
        return observed.bucket

    def differs(self, spec: R2BucketLifecycle, observed: ObservedR2BucketLifecycle) -> tuple[Difference, ...]:
        return subset_differs(replace(spec, rules=_normal(spec.rules)), observed)

    def to_wire(self, spec: R2BucketLifecycle) -> dict[str, Any]:
        return {"rules": camel(_normal(spec.rules))}

    def from_wire(self, data: Mapping[str, Any]) -> ObservedR2BucketLifecycle:
        rules = _normal(data.get("rules") or ())
        return ObservedR2BucketLifecycle(str(data["bucket"]), str(data["jurisdiction"]), rules)

    async def list(
        self, cloud: Cloud, like: R2BucketLifecycle | None = None
    ) -> AsyncIterator[ObservedR2BucketLifecycle]:
        assert like is not None
        found = await self._read(cloud, like)
        if found is not None and (_is_somebodys(found.rules) or not self.differs(like, found)):
            yield found

    async def _read(self, cloud: Cloud, like: R2BucketLifecycle) -> ObservedR2BucketLifecycle | None:
        headers = jurisdiction_headers(like.jurisdiction)
        with contextlib.suppress(NotFound):
            data = await cloud.get(_path(cloud, like), headers=headers)
            return self.from_wire({**data, "bucket": like.bucket, "jurisdiction": like.jurisdiction})
        return None

    async def create(self, cloud: Cloud, spec: R2BucketLifecycle) -> ObservedR2BucketLifecycle:
        headers = jurisdiction_headers(spec.jurisdiction)
        await cloud.put(_path(cloud, spec), json=self.to_wire(spec), headers=headers)
        return ObservedR2BucketLifecycle(str(spec.bucket), spec.jurisdiction, _normal(spec.rules))

    async def update(
        self, cloud: Cloud, spec: R2BucketLifecycle, observed: ObservedR2BucketLifecycle
    ) -> ObservedR2BucketLifecycle:
        return await self.create(cloud, spec) if self.differs(spec, observed) else observed

    async def delete(self, cloud: Cloud, observed: ObservedR2BucketLifecycle) -> None:
        usual = R2BucketLifecycle(observed.bucket, observed.jurisdiction, (DEFAULT_RULE,))
        with contextlib.suppress(NotFound):
            await self.create(cloud, usual)


def _normal(rules: Iterable[Any]) -> tuple[Rule, ...]:
    """Rules as Cloudflare shows them, in snake_case: complete, by id."""
    whole = [{"enabled": True, "conditions": {"prefix": ""}, **_dated(snake(rule))} for rule in rules or ()]
    return tuple(sorted(whole, key=lambda rule: str(rule.get("id"))))


def _dated(rule: dict[str, Any]) -> dict[str, Any]:
    """The rule without empty transitions, each condition with its type and its date in one spelling."""
    filled = {name: value for name, value in rule.items() if value not in ({}, [])}
    for transition in _transitions(filled):
        condition = transition.get("condition")
        if isinstance(condition, dict):
            condition.setdefault("type", "Date" if "date" in condition else "Age")
            if "date" in condition:
                condition["date"] = moment(condition["date"])
    return filled


def _transitions(rule: Rule) -> Iterator[dict[str, Any]]:
    for found in (rule.get(DELETE), rule.get(ABORT), *(rule.get(MOVE) or ())):
        if isinstance(found, dict):
            yield found


def _is_somebodys(rules: Iterable[Rule]) -> bool:
    """Whether there is a rule beside the one of every new bucket, whatever its name."""
    known = {name: value for name, value in DEFAULT_RULE.items() if name != "id"}
    return any({name: value for name, value in rule.items() if name != "id"} != known for rule in rules)


def _rule_problems(rule: Any, place: str) -> Iterator[str]:
    yield from unknown_keys(rule, KEYS, place)
    if not isinstance(rule, Mapping):
        return
    if not rule.get("id"):
        yield f"{place} has no id"
    found = list(_transitions(rule))
    if not found:
        yield f"{place} does nothing: give {DELETE}, {ABORT} or {MOVE}"
    for transition in found:
        condition = transition.get("condition")
        given = set(condition) - {"type"} if isinstance(condition, Mapping) else set()
        if given not in ({"max_age"}, {"date"}):
            yield f"{place}: the condition of a transition has `max_age` in seconds or a `date`"
    for transition in rule.get(MOVE) or ():
        if isinstance(transition, Mapping) and transition.get("storage_class") != "InfrequentAccess":
            yield f"{place}: objects can move to the storage_class 'InfrequentAccess' only"


def _path(cloud: Cloud, spec: R2BucketLifecycle) -> str:
    return bucket_path(cloud, str(spec.bucket), "lifecycle")


KIND = R2BucketLifecycleKind()
