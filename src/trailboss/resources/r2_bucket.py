"""R2 buckets. Source: API reference 6.2; a jurisdiction has names of its own.

A bucket with objects in it is not deleted: Cloudflare refuses that. Lifecycle, CORS and event notifications
are kinds of their own.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound, PermissionDenied
from trailboss.resources.marks import (
    CREATION,
    IDENTITY,
    MUTABLE,
    NAMED,
    UNSET,
    Unset,
    differences,
    set_fields,
)
from trailboss.resources.names import JURISDICTIONS, LOCATIONS, choice_problems, name_problems
from trailboss.resources.protocol import Basis, BindingForm, Permissions, Tagged, Use

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class R2Bucket:
    """What a file may want of a bucket; `storage_class` is 'Standard' or 'InfrequentAccess'.

    `jurisdiction` is default, eu, us, fedramp or fedramp-high; `location_hint` is where the bucket had better
    be (wnam, enam, weur, eeur, apac, oc).
    """

    name: str = field(metadata=IDENTITY | NAMED)
    jurisdiction: str = field(default="default", metadata=IDENTITY)
    location_hint: str | Unset = field(default=UNSET, metadata=CREATION)
    storage_class: str | Unset = field(default=UNSET, metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedR2Bucket:
    """A bucket of the account."""

    name: str = field(metadata=IDENTITY)
    jurisdiction: str = field(default="default", metadata=IDENTITY)
    storage_class: str = field(default="Standard", metadata=MUTABLE)


class R2BucketKind(Basis):
    """The kind `r2_bucket`."""

    name = "r2_bucket"
    spec = R2Bucket
    ownership = Tagged("r2_bucket")
    holds_data = True
    permissions = Permissions("Workers R2 Storage Read", "Workers R2 Storage Write")
    binding = BindingForm(
        ("r2_buckets",),
        "r2_bucket",
        "bucket_name",
        given=None,
        title="bucket_name",
        shared=("jurisdiction",),
        said=("bucket_name",),
    )

    def problems(self, spec: R2Bucket) -> Iterable[str]:
        rule = "3 to 63 of a-z, 0-9 and -, with a letter or digit at both ends"
        yield from name_problems(spec.name, r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", rule)
        yield from choice_problems(
            jurisdiction=(spec.jurisdiction, (DEFAULT, *JURISDICTIONS, "fedramp-high")),
            location_hint=(spec.location_hint, LOCATIONS),
            storage_class=(spec.storage_class, ("Standard", "InfrequentAccess")),
        )

    def from_binding(self, title: str, entry: Mapping[str, Any]) -> R2Bucket:
        return R2Bucket(title, entry.get("jurisdiction") or DEFAULT)

    def handle(self, observed: ObservedR2Bucket) -> str:
        return observed.name

    def to_wire(self, spec: R2Bucket) -> dict[str, Any]:
        return set_fields(
            name=spec.name, locationHint=spec.location_hint, storageClass=spec.storage_class or UNSET
        )

    def from_wire(self, data: Mapping[str, Any]) -> ObservedR2Bucket:
        return ObservedR2Bucket(
            str(data["name"]),
            str(data.get("jurisdiction") or DEFAULT),
            str(data.get("storage_class") or "Standard"),
        )

    async def list(self, cloud: Cloud, like: R2Bucket | None = None) -> AsyncIterator[ObservedR2Bucket]:
        place = like.jurisdiction if like else DEFAULT
        options: dict[str, Any] = {"params": {"per_page": 1000}, "headers": _headers(place)}
        async for item in cloud.pages(_path(cloud), style="cursor", key="buckets", **options):
            yield self.from_wire({**item, "jurisdiction": item.get("jurisdiction") or place})

    async def create(self, cloud: Cloud, spec: R2Bucket) -> ObservedR2Bucket:
        made = await cloud.post(_path(cloud), json=self.to_wire(spec), headers=_headers(spec.jurisdiction))
        return self.from_wire({**made, "jurisdiction": spec.jurisdiction})

    async def update(self, cloud: Cloud, spec: R2Bucket, observed: ObservedR2Bucket) -> ObservedR2Bucket:
        if not any(change.field == "storage_class" for change in differences(spec, observed)):
            return observed
        headers = {**_headers(spec.jurisdiction), "cf-r2-storage-class": str(spec.storage_class)}
        await cloud.patch(_one(cloud, observed), headers=headers, idempotent=True)
        return ObservedR2Bucket(observed.name, observed.jurisdiction, str(spec.storage_class))

    async def delete(self, cloud: Cloud, observed: ObservedR2Bucket) -> None:
        with contextlib.suppress(NotFound):
            await cloud.delete(_one(cloud, observed), headers=_headers(observed.jurisdiction))

    async def uses(self, cloud: Cloud, observed: ObservedR2Bucket) -> tuple[Use, ...]:
        """Objects: Cloudflare deletes no bucket that has any."""
        headers = _headers(observed.jurisdiction)
        found: Any = None
        with contextlib.suppress(NotFound, PermissionDenied):
            found = await cloud.get(
                f"{_one(cloud, observed)}/objects", params={"per_page": 1}, headers=headers
            )
        objects = found.get("objects") if isinstance(found, Mapping) else found
        return (Use("it holds objects"),) if objects else ()


def _path(cloud: Cloud) -> str:
    return f"{cloud.account}/r2/buckets"


def _one(cloud: Cloud, observed: ObservedR2Bucket) -> str:
    from trailboss.cloud import segment

    return f"{_path(cloud)}/{segment(observed.name)}"


def _headers(jurisdiction: str) -> dict[str, str]:
    return {} if jurisdiction == DEFAULT else {"cf-r2-jurisdiction": jurisdiction}


KIND = R2BucketKind()
