"""Metadata indexes of a Vectorize index. Source: API reference 6.4.

Vectors written before one exists are not indexed by it. Cloudflare takes both writes at once and makes them
visible later, so they are waited for: a plan right afterwards would otherwise want them again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.errors import AlreadyExists, CloudError, NotFound, PlanError
from trailboss.resources.marks import IDENTITY, REPLACE, Ref, to
from trailboss.resources.protocol import Basis, Permissions

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

TYPES = ("string", "number", "boolean")
GONE = 40024  # the property has no metadata index
PATIENCE = 120.0  # seconds until a write must be visible
SHORTEST, LONGEST = 0.1, 3.0  # seconds between two looks


@dataclass(frozen=True, slots=True)
class VectorizeMetadataIndex:
    """What a file may want: `index` is the key of a vectorize_index, `type` 'string', 'number', 'boolean'."""

    index: str | Ref = field(metadata=IDENTITY | to("vectorize_index"))
    property_name: str = field(metadata=IDENTITY)
    type: str = field(default="string", metadata=REPLACE)


@dataclass(frozen=True, slots=True)
class ObservedVectorizeMetadataIndex:
    """A metadata index; it has no id of its own."""

    index: str = field(metadata=IDENTITY)
    property_name: str = field(metadata=IDENTITY)
    type: str = field(default="string", metadata=REPLACE)


class VectorizeMetadataIndexKind(Basis):
    """The kind `vectorize_metadata_index`."""

    name = "vectorize_metadata_index"
    spec = VectorizeMetadataIndex
    permissions = Permissions("Vectorize Read", "Vectorize Write")

    def problems(self, spec: VectorizeMetadataIndex) -> Iterable[str]:
        if spec.type not in TYPES:
            yield f"type is '{spec.type}'; it may be {', '.join(TYPES)}"
        if not spec.property_name:
            yield "property_name is empty"

    def scope_of(self, spec: VectorizeMetadataIndex) -> tuple[Any, ...]:
        return (spec.index,)

    def handle(self, observed: ObservedVectorizeMetadataIndex) -> str:
        return observed.property_name

    def to_wire(self, spec: VectorizeMetadataIndex) -> dict[str, Any]:
        return {"propertyName": spec.property_name, "indexType": spec.type}

    def from_wire(self, data: Mapping[str, Any]) -> ObservedVectorizeMetadataIndex:
        return ObservedVectorizeMetadataIndex(
            str(data["index"]), str(data["propertyName"]), str(data.get("indexType") or "string").lower()
        )

    async def list(
        self, cloud: Cloud, like: VectorizeMetadataIndex | None = None
    ) -> AsyncIterator[ObservedVectorizeMetadataIndex]:
        assert like is not None
        for found in await _read(cloud, str(like.index)):
            yield found

    async def create(self, cloud: Cloud, spec: VectorizeMetadataIndex) -> ObservedVectorizeMetadataIndex:
        index = str(spec.index)
        try:
            await cloud.post(f"{_path(cloud, index)}/create", json=self.to_wire(spec))
        except AlreadyExists:  # it may have been made a moment ago, and not show yet
            await _settled(cloud, index, spec.property_name, wanted=True)
            raise
        return (await _settled(cloud, index, spec.property_name, wanted=True))[0]

    async def update(
        self, cloud: Cloud, spec: VectorizeMetadataIndex, observed: ObservedVectorizeMetadataIndex
    ) -> ObservedVectorizeMetadataIndex:
        return observed

    async def delete(self, cloud: Cloud, observed: ObservedVectorizeMetadataIndex) -> None:
        body = {"propertyName": observed.property_name}
        try:
            await cloud.post(f"{_path(cloud, observed.index)}/delete", json=body, idempotent=True)
        except NotFound:
            return
        except CloudError as error:
            if not error.has_code(GONE):
                raise
            return
        await _settled(cloud, observed.index, observed.property_name, wanted=False)


async def _read(cloud: Cloud, index: str) -> list[ObservedVectorizeMetadataIndex]:
    pages = cloud.pages(f"{_path(cloud, index)}/list", style="single", key="metadataIndexes")
    try:
        return [KIND.from_wire({**item, "index": index}) async for item in pages]
    except NotFound:  # no such index, so it has none of these
        return []


async def _settled(
    cloud: Cloud, index: str, name: str, *, wanted: bool
) -> list[ObservedVectorizeMetadataIndex]:
    """What the list shows of `name`, once that is as wanted. Raises PlanError TB6111 when it never is."""
    waited, pause = 0.0, SHORTEST
    while True:
        found = [one for one in await _read(cloud, index) if one.property_name == name]
        if bool(found) == wanted:
            return found
        if waited >= PATIENCE:
            raise PlanError(
                "TB6111",
                f"Cloudflare took a change of metadata index '{name}' of '{index}', and after "
                f"{PATIENCE:.0f} s does not show it yet",
                hint="Run the same command again in a few minutes; nothing is done twice.",
            )
        await cloud.pause(pause)
        waited += pause
        pause = min(pause * 2, LONGEST)


def _path(cloud: Cloud, index: str) -> str:
    from trailboss.cloud import segment

    return f"{cloud.account}/vectorize/v2/indexes/{segment(index)}/metadata_index"


KIND = VectorizeMetadataIndexKind()
