"""The CORS rules of an R2 bucket, all of them as one resource. Source: API reference 6.2.

The first rule that fits a request decides, so their order counts. A bucket starts without any.
"""

from __future__ import annotations

import contextlib
import re
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
    snake,
    unknown_keys,
)

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

METHODS = ("GET", "PUT", "POST", "DELETE", "HEAD")
LONGEST_AGE = 86_400  # seconds
KEYS = ("id", "allowed", "expose_headers", "max_age_seconds")
ALLOWED = ("origins", "methods", "headers")
_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^/\s]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class R2BucketCORS:
    """What a file may want: rules with `allowed` (`origins`, `methods`, `headers`), `expose_headers`,
    `max_age_seconds` and an `id`."""

    bucket: str | Ref = field(metadata=IDENTITY | to("r2_bucket"))
    jurisdiction: str = field(default=DEFAULT, metadata=IDENTITY)
    rules: tuple[Mapping[str, Any], ...] = field(default=(), metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedR2BucketCORS:
    """The rules of one bucket, in their order."""

    bucket: str = field(metadata=IDENTITY)
    jurisdiction: str = field(default=DEFAULT, metadata=IDENTITY)
    rules: tuple[Mapping[str, Any], ...] = field(default=(), metadata=MUTABLE)


class R2BucketCORSKind(Basis):
    """The kind `r2_bucket_cors`."""

    name = "r2_bucket_cors"
    spec = R2BucketCORS
    permissions = Permissions("Workers R2 Storage Read", "Workers R2 Storage Write")

    def problems(self, spec: R2BucketCORS) -> Iterable[str]:
        if not spec.rules:
            yield "it has no rules; a bucket without the resource has none either"
        for number, rule in enumerate(spec.rules, 1):
            yield from _rule_problems(snake(rule), f"rule {number}")

    def scope_of(self, spec: R2BucketCORS) -> tuple[Any, ...]:
        return (spec.bucket, spec.jurisdiction)

    def handle(self, observed: ObservedR2BucketCORS) -> str:
        return observed.bucket

    def differs(self, spec: R2BucketCORS, observed: ObservedR2BucketCORS) -> tuple[Difference, ...]:
        return subset_differs(replace(spec, rules=_normal(spec.rules)), observed)

    def to_wire(self, spec: R2BucketCORS) -> dict[str, Any]:
        return {"rules": camel(_normal(spec.rules))}

    def from_wire(self, data: Mapping[str, Any]) -> ObservedR2BucketCORS:
        rules = _normal(data.get("rules") or ())
        return ObservedR2BucketCORS(str(data["bucket"]), str(data["jurisdiction"]), rules)

    async def list(
        self, cloud: Cloud, like: R2BucketCORS | None = None
    ) -> AsyncIterator[ObservedR2BucketCORS]:
        assert like is not None
        data: Mapping[str, Any] = {}
        with contextlib.suppress(NotFound):  # no rules, or no bucket
            data = await cloud.get(_path(cloud, like), headers=jurisdiction_headers(like.jurisdiction))
        if data.get("rules"):
            yield self.from_wire({**data, "bucket": like.bucket, "jurisdiction": like.jurisdiction})

    async def create(self, cloud: Cloud, spec: R2BucketCORS) -> ObservedR2BucketCORS:
        headers = jurisdiction_headers(spec.jurisdiction)
        await cloud.put(_path(cloud, spec), json=self.to_wire(spec), headers=headers)
        return ObservedR2BucketCORS(str(spec.bucket), spec.jurisdiction, _normal(spec.rules))

    async def update(
        self, cloud: Cloud, spec: R2BucketCORS, observed: ObservedR2BucketCORS
    ) -> ObservedR2BucketCORS:
        return await self.create(cloud, spec) if self.differs(spec, observed) else observed

    async def delete(self, cloud: Cloud, observed: ObservedR2BucketCORS) -> None:
        path = bucket_path(cloud, observed.bucket, "cors")
        with contextlib.suppress(NotFound):
            await cloud.delete(path, headers=jurisdiction_headers(observed.jurisdiction))


def _normal(rules: Iterable[Any]) -> tuple[Mapping[str, Any], ...]:
    """Rules as Cloudflare shows them, in snake_case: methods in capitals, nothing empty."""
    return tuple(_whole(snake(rule)) for rule in rules)


def _whole(rule: dict[str, Any]) -> dict[str, Any]:
    allowed = {name: value for name, value in (rule.get("allowed") or {}).items() if value != []}
    if isinstance(allowed.get("methods"), list):
        allowed["methods"] = [str(method).upper() for method in allowed["methods"]]
    kept = {name: value for name, value in rule.items() if value not in ([], "")}
    return {**kept, "allowed": allowed}


def _rule_problems(rule: Any, place: str) -> Iterator[str]:
    yield from unknown_keys(rule, KEYS, place)
    allowed = rule.get("allowed") if isinstance(rule, Mapping) else None
    if not isinstance(allowed, Mapping):
        yield f"{place} has no table `allowed`"
        return
    yield from unknown_keys(allowed, ALLOWED, f"{place}, allowed,")
    for name in ("origins", "methods"):
        if not isinstance(allowed.get(name), list) or not allowed[name]:
            yield f"{place} allows no {name}"
            return
    for method in allowed["methods"]:
        if str(method).upper() not in METHODS:
            yield f"{place} allows the method '{method}'; it may be {', '.join(METHODS)}"
    for origin in allowed["origins"]:
        if not _ORIGIN.fullmatch(str(origin)):
            yield f"{place} allows the origin '{origin}'; an origin is https://host without a path, or *"
    age = rule.get("max_age_seconds", 0)
    if not isinstance(age, int) or not 0 <= age <= LONGEST_AGE:
        yield f"{place}: max_age_seconds is {age}; Cloudflare allows {LONGEST_AGE}"


def _path(cloud: Cloud, spec: R2BucketCORS) -> str:
    return bucket_path(cloud, str(spec.bucket), "cors")


KIND = R2BucketCORSKind()
