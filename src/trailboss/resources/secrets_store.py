"""Stores of the Secrets Store. Source: API reference 6.8; an account has one in the open beta.

Deleting a store deletes its secrets, which nobody can read back.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.errors import CloudError, NotFound
from trailboss.resources.marks import IDENTITY, NAMED, SERVER_SET
from trailboss.resources.protocol import Basis, Permissions
from trailboss.resources.refusals import taken

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


CONFLICT = 409  # the product's codes do not tell a taken name from a full account


@dataclass(frozen=True, slots=True)
class SecretsStore:
    """What a file may want of a store. The secrets in it are no resources: their values are not in files."""

    name: str = field(metadata=IDENTITY | NAMED)


@dataclass(frozen=True, slots=True)
class ObservedSecretsStore:
    """A store of the account; `id` is 32 hex digits."""

    name: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)


class SecretsStoreKind(Basis):
    """The kind `secrets_store`."""

    name = "secrets_store"
    spec = SecretsStore
    holds_data = True
    permissions = Permissions("Secrets Store Read", "Secrets Store Write")

    def problems(self, spec: SecretsStore) -> Iterable[str]:
        if not spec.name:
            yield "the name is empty"

    def to_wire(self, spec: SecretsStore) -> dict[str, Any]:
        return {"name": spec.name}

    def from_wire(self, data: Mapping[str, Any]) -> ObservedSecretsStore:
        return ObservedSecretsStore(str(data["name"]), str(data["id"]))

    async def list(
        self, cloud: Cloud, like: SecretsStore | None = None
    ) -> AsyncIterator[ObservedSecretsStore]:
        async for item in cloud.pages(_path(cloud), per_page=100):
            yield self.from_wire(item)

    async def create(self, cloud: Cloud, spec: SecretsStore) -> ObservedSecretsStore:
        try:
            return self.from_wire(await cloud.post(_path(cloud), json=self.to_wire(spec)))
        except CloudError as error:
            if error.status != CONFLICT:
                raise
            raise taken(error, "Use the store that exists, or choose another name.") from error

    async def update(
        self, cloud: Cloud, spec: SecretsStore, observed: ObservedSecretsStore
    ) -> ObservedSecretsStore:
        return observed

    async def delete(self, cloud: Cloud, observed: ObservedSecretsStore) -> None:
        with contextlib.suppress(NotFound):
            await cloud.delete(f"{_path(cloud)}/{observed.id}")


def _path(cloud: Cloud) -> str:
    return f"{cloud.account}/secrets_store/stores"


KIND = SecretsStoreKind()
