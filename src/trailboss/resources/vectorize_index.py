"""Vectorize indexes (v2). Source: API reference 6.4; nothing of an index can be changed, only made anew.

A new one is empty: what was in the old one has to be written again.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound, PlanError
from trailboss.resources.marks import (
    CREATION,
    IDENTITY,
    NAMED,
    REPLACE,
    UNSET,
    Difference,
    Mark,
    Unset,
    differences,
    set_fields,
)
from trailboss.resources.names import choice_problems, name_problems, range_problems
from trailboss.resources.protocol import Basis, BindingForm, Permissions, Tagged

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


PRESETS = {
    "@cf/baai/bge-small-en-v1.5": 384,
    "@cf/baai/bge-base-en-v1.5": 768,
    "@cf/baai/bge-large-en-v1.5": 1024,
    "openai/text-embedding-ada-002": 1536,
    "cohere/embed-multilingual-v2.0": 768,
}
"""Preset -> the length of its vectors; there may be others."""


@dataclass(frozen=True, slots=True)
class VectorizeIndex:
    """What a file may want of an index: dimensions with a metric, or the preset of a model.

    `metric` is 'cosine', 'euclidean' or 'dot-product'. Cloudflare does not show a preset; one of another
    length than the index has makes a new index.
    """

    name: str = field(metadata=IDENTITY | NAMED)
    dimensions: int | Unset = field(default=UNSET, metadata=REPLACE)
    metric: str | Unset = field(default=UNSET, metadata=REPLACE)
    preset: str | Unset = field(default=UNSET, metadata=CREATION)
    description: str | Unset = field(default=UNSET, metadata=REPLACE)


@dataclass(frozen=True, slots=True)
class ObservedVectorizeIndex:
    """An index of the account."""

    name: str = field(metadata=IDENTITY)
    dimensions: int = field(default=0, metadata=REPLACE)
    metric: str = field(default="cosine", metadata=REPLACE)
    description: str = field(default="", metadata=REPLACE)


class VectorizeIndexKind(Basis):
    """The kind `vectorize_index`."""

    name = "vectorize_index"
    spec = VectorizeIndex
    ownership = Tagged("vectorize_index")
    holds_data = True
    permissions = Permissions("Vectorize Read", "Vectorize Write")
    binding = BindingForm(
        ("vectorize",), "vectorize", "index_name", given=None, title="index_name", said=("index_name",)
    )

    def problems(self, spec: VectorizeIndex) -> Iterable[str]:
        rule = "1 to 64 of a-z, 0-9, - and _, beginning with a letter"
        yield from name_problems(spec.name, r"[a-z][a-z0-9_-]{0,63}", rule)
        yield from range_problems(dimensions=(spec.dimensions, 1, 1536))
        yield from choice_problems(metric=(spec.metric, ("cosine", "euclidean", "dot-product")))

    def from_binding(self, title: str, entry: Mapping[str, Any]) -> VectorizeIndex | None:
        """An index needs a size: without `dimensions` or `preset` beside the binding there is no spec."""
        dimensions, preset = entry.get("dimensions"), entry.get("preset")
        if preset:
            return VectorizeIndex(title, preset=str(preset))
        if dimensions:
            return VectorizeIndex(title, int(dimensions), str(entry.get("metric") or "cosine"))
        return None

    def handle(self, observed: ObservedVectorizeIndex) -> str:
        return observed.name

    def differs(self, spec: VectorizeIndex, observed: ObservedVectorizeIndex) -> tuple[Difference, ...]:
        found, length = differences(spec, observed), PRESETS.get(str(spec.preset), observed.dimensions)
        if length == observed.dimensions:
            return found
        return (*found, Difference("preset", Mark.REPLACE, spec.preset, f"{observed.dimensions} dimensions"))

    def to_wire(self, spec: VectorizeIndex) -> dict[str, Any]:
        config = set_fields(dimensions=spec.dimensions, metric=spec.metric, preset=spec.preset)
        if not spec.preset and len(config) != 2:
            raise PlanError(
                "TB6101",
                f"the Vectorize index '{spec.name}' has no size",
                hint="Give `dimensions` and `metric`, or the `preset` of an embedding model.",
            )
        return {"name": spec.name, **set_fields(description=spec.description or UNSET), "config": config}

    def from_wire(self, data: Mapping[str, Any]) -> ObservedVectorizeIndex:
        config = data.get("config") or {}
        return ObservedVectorizeIndex(
            str(data["name"]),
            int(config.get("dimensions") or 0),
            str(config.get("metric") or "cosine"),
            str(data.get("description") or ""),
        )

    async def list(
        self, cloud: Cloud, like: VectorizeIndex | None = None
    ) -> AsyncIterator[ObservedVectorizeIndex]:
        async for item in cloud.pages(_path(cloud), style="single"):
            yield self.from_wire(item)

    async def create(self, cloud: Cloud, spec: VectorizeIndex) -> ObservedVectorizeIndex:
        return self.from_wire(await cloud.post(_path(cloud), json=self.to_wire(spec)))

    async def update(
        self, cloud: Cloud, spec: VectorizeIndex, observed: ObservedVectorizeIndex
    ) -> ObservedVectorizeIndex:
        return observed

    async def delete(self, cloud: Cloud, observed: ObservedVectorizeIndex) -> None:
        from trailboss.cloud import segment

        with contextlib.suppress(NotFound):
            await cloud.delete(f"{_path(cloud)}/{segment(observed.name)}")


def _path(cloud: Cloud) -> str:
    return f"{cloud.account}/vectorize/v2/indexes"


KIND = VectorizeIndexKind()
