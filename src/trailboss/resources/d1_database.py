"""D1 databases. Source: API reference 5; the name is unique in an account, deletion cannot be undone.

Where it lives is chosen when it is made; of the rest only read replication can be changed. Its tables are the
matter of another kind, `d1_migrations`.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound
from trailboss.resources.marks import (
    CREATION,
    IDENTITY,
    MUTABLE,
    NAMED,
    REPLACE,
    SERVER_SET,
    UNSET,
    Difference,
    Unset,
    differences,
    set_fields,
)
from trailboss.resources.names import JURISDICTIONS, LOCATIONS, choice_problems, name_problems
from trailboss.resources.protocol import Basis, BindingForm, Permissions, Tagged

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


@dataclass(frozen=True, slots=True)
class D1Database:
    """What a file may want of a database; `read_replication` is 'auto' or 'disabled'.

    `jurisdiction` is where the data has to stay (eu, us or fedramp), `primary_location_hint` where the
    database had better be (wnam, enam, weur, eeur, apac, oc).
    """

    name: str = field(metadata=IDENTITY | NAMED)
    jurisdiction: str | Unset | None = field(default=UNSET, metadata=REPLACE)
    primary_location_hint: str | Unset = field(default=UNSET, metadata=CREATION)
    read_replication: str | Unset = field(default=UNSET, metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedD1Database:
    """A database of the account; `uuid` has hyphens. `read_replication` is None where it is not shown: the
    published list of databases does not have it, so what the file says is sent when the file changes."""

    name: str = field(metadata=IDENTITY)
    uuid: str = field(metadata=SERVER_SET)
    jurisdiction: str | None = field(default=None, metadata=REPLACE)
    read_replication: str | None = field(default=None, metadata=MUTABLE)


class D1DatabaseKind(Basis):
    """The kind `d1_database`."""

    name = "d1_database"
    spec = D1Database
    ownership = Tagged("d1_database")
    holds_data = True
    permissions = Permissions("D1 Read", "D1 Write")
    binding = BindingForm(("d1_databases",), "d1", "id", given="database_id", title="database_name")

    def problems(self, spec: D1Database) -> Iterable[str]:
        yield from name_problems(spec.name, r"[\w.-]{1,64}", "1 to 64 letters, digits, dots, - and _")
        yield from choice_problems(
            jurisdiction=(spec.jurisdiction, JURISDICTIONS),
            primary_location_hint=(spec.primary_location_hint, LOCATIONS),
            read_replication=(spec.read_replication, ("auto", "disabled")),
        )

    def from_binding(self, title: str, entry: Mapping[str, Any]) -> D1Database:
        return D1Database(title, jurisdiction=entry.get("jurisdiction") or UNSET)

    def handle(self, observed: ObservedD1Database) -> str:
        return observed.uuid

    def differs(self, spec: D1Database, observed: ObservedD1Database) -> tuple[Difference, ...]:
        return tuple(
            change
            for change in differences(spec, observed)
            if change.field != "read_replication" or change.found is not None
        )

    def to_wire(self, spec: D1Database) -> dict[str, Any]:
        return set_fields(
            name=spec.name,
            jurisdiction=spec.jurisdiction or UNSET,
            primary_location_hint=spec.primary_location_hint,
        )

    def from_wire(self, data: Mapping[str, Any]) -> ObservedD1Database:
        replication = data.get("read_replication")
        return ObservedD1Database(
            str(data["name"]),
            str(data["uuid"]),
            data.get("jurisdiction"),
            None if replication is None else str(replication.get("mode", "disabled")),
        )

    async def list(self, cloud: Cloud, like: D1Database | None = None) -> AsyncIterator[ObservedD1Database]:
        async for item in cloud.pages(_path(cloud), per_page=1000):
            yield self.from_wire(item)

    async def create(self, cloud: Cloud, spec: D1Database) -> ObservedD1Database:
        return self.from_wire(await cloud.post(_path(cloud), json=self.to_wire(spec)))

    async def update(
        self, cloud: Cloud, spec: D1Database, observed: ObservedD1Database
    ) -> ObservedD1Database:
        if not any(change.field == "read_replication" for change in differences(spec, observed)):
            return observed
        body = {"read_replication": {"mode": spec.read_replication}}
        # Setting a mode twice is setting it once, so a lost answer may be repeated.
        changed = await cloud.patch(f"{_path(cloud)}/{observed.uuid}", json=body, idempotent=True)
        return self.from_wire(changed)

    async def delete(self, cloud: Cloud, observed: ObservedD1Database) -> None:
        with contextlib.suppress(NotFound):
            await cloud.delete(f"{_path(cloud)}/{observed.uuid}")


def _path(cloud: Cloud) -> str:
    return f"{cloud.account}/d1/database"


KIND = D1DatabaseKind()
