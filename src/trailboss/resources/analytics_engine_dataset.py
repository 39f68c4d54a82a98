"""Analytics Engine datasets: what Workers write points to. Source: API reference 6.7.

Cloudflare has no call that makes or deletes one: a dataset comes to be with the first point that a Worker
writes through its binding, half a minute later, and ends three months after its last. So a plan never has
anything to do for one, and says how it stands: whether it has data, as the SQL API's `SHOW TABLES` tells.

Several Workers, environments and projects may write to the same dataset. Underscores are better in its name
than dashes, which SQL needs quotes for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.resources.marks import IDENTITY, NAMED
from trailboss.resources.names import name_problems
from trailboss.resources.protocol import Basis, Permissions, Shared

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

CONFIG = "analytics_engine_datasets"
GROUP = "Account Analytics Read"
LISTING = b"SHOW TABLES"


@dataclass(frozen=True, slots=True)
class AnalyticsEngineDataset:
    """What a file may want of a dataset."""

    name: str = field(metadata=IDENTITY | NAMED)


@dataclass(frozen=True, slots=True)
class ObservedAnalyticsEngineDataset:
    """A dataset that points were written to in the last three months."""

    name: str = field(metadata=IDENTITY)


class AnalyticsEngineDatasetKind(Basis):
    """The kind `analytics_engine_dataset`."""

    name = "analytics_engine_dataset"
    spec = AnalyticsEngineDataset
    ownership = Shared()
    holds_data = True
    is_setting = True
    permissions = Permissions(GROUP, GROUP)

    def problems(self, spec: AnalyticsEngineDataset) -> Iterable[str]:
        yield from name_problems(spec.name, r"[A-Za-z0-9_-]{1,96}", "1 to 96 letters, digits, - and _")

    def named(self, key: str, environment: str) -> str:
        """With underscores, as a binding's own dataset gets, unless the key has dashes already."""
        return f"{key}-{environment}" if "-" in key else f"{key}_{environment}".replace("-", "_")

    def standing(self, observed: ObservedAnalyticsEngineDataset | None) -> str:
        return "has data" if observed else "comes to be with the first point that is written to it"

    def from_worker(
        self, script: str, raw: Mapping[str, Any]
    ) -> Iterable[tuple[str, AnalyticsEngineDataset]]:
        """The datasets of its bindings; one without a name is called as the binding is."""
        for entry in raw.get(CONFIG) or ():
            name = entry.get("dataset") or entry.get("binding")
            if isinstance(name, str):
                yield name, AnalyticsEngineDataset(name)

    def handle(self, observed: ObservedAnalyticsEngineDataset) -> str:
        return observed.name

    def to_wire(self, spec: AnalyticsEngineDataset) -> dict[str, Any]:
        """Nothing is sent for it."""
        return {}

    def from_wire(self, data: Mapping[str, Any]) -> ObservedAnalyticsEngineDataset:
        return ObservedAnalyticsEngineDataset(str(data["dataset"]))

    async def list(
        self, cloud: Cloud, like: AnalyticsEngineDataset | None = None
    ) -> AsyncIterator[ObservedAnalyticsEngineDataset]:
        import msgspec

        path = f"{cloud.account}/analytics_engine/sql"
        answer = await cloud.raw("POST", path, content=LISTING, idempotent=True)
        for row in msgspec.json.decode(answer.body)["data"]:
            yield self.from_wire(row)

    async def create(self, cloud: Cloud, spec: AnalyticsEngineDataset) -> ObservedAnalyticsEngineDataset:
        """Nothing: writing to it makes it."""
        return ObservedAnalyticsEngineDataset(spec.name)

    async def update(
        self, cloud: Cloud, spec: AnalyticsEngineDataset, observed: ObservedAnalyticsEngineDataset
    ) -> ObservedAnalyticsEngineDataset:
        return observed

    async def delete(self, cloud: Cloud, observed: ObservedAnalyticsEngineDataset) -> None:
        """Nothing: its points expire, and it ends with the last of them."""


KIND = AnalyticsEngineDatasetKind()
