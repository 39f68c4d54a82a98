"""Give a resource to each binding that names none: keep the deployed one, find one by its name, or make one.

Follows wrangler 4.164 outside a terminal (cloudflare-api-core section 9.9): the configuration is never
written, and a resource the configuration does not name is called `<script>-<binding>`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailboss.build.existing import Existing, deployed_bindings
from trailboss.build.metadata.bindings import PROVISIONED, Bindings, inherited
from trailboss.build.metadata.table import Fields
from trailboss.build.products import PRODUCTS, Product
from trailboss.errors import AlreadyExists, CloudError, PermissionDenied

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Provisioned:
    """`bindings` with every resource named or inherited; `made` are the bindings whose resource is new;
    `unchecked` those the token may not look at, which are sent as they are."""

    bindings: Bindings
    made: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


async def provision(
    cloud: Cloud,
    script: str,
    bindings: Bindings,
    existing: Existing,
    *,
    resources: Mapping[str, str],
    progress: Callable[[str], None] = lambda _: None,
) -> Provisioned:
    """Complete `bindings`. `resources` maps binding names to resources the caller already made or knows.

    Raises:
        CloudError: a resource could not be looked up or made.
    """
    filled: Bindings = {}
    made: list[str] = []
    unchecked: list[str] = []
    deployed = existing.bindings if existing.exists else ()
    for name, (kind, fields) in bindings.items():
        filled[name] = (kind, fields)
        product = PRODUCTS.get(kind)
        if name in resources and product is not None:
            filled[name] = (kind, {**fields, PROVISIONED[kind]: resources[name]})
        elif product is not None and not (product.by_id and fields.get(PROVISIONED[kind])):
            if deployed is None:
                deployed = await deployed_bindings(cloud, script)
            before = next(
                (row for row in deployed if (row.get("name"), row.get("type")) == (name, kind)), None
            )
            try:
                known = await _known(cloud, product, kind, fields, before)
                if known is None:
                    title = str(fields.get(product.name) or _title(script, name))
                    progress(f"making {kind} {title}")
                    known = await _make(cloud, product, kind, fields, title)
                    made.append(name)
            except PermissionDenied:
                unchecked.append(name)
                known = None if fields.get(product.name) else inherited(kind, fields)
            filled[name] = known or (kind, fields)
    return Provisioned(filled, tuple(made), tuple(unchecked))


def _title(script: str, binding: str) -> str:
    return f"{script}-{binding.lower().replace('_', '-')}"


async def _known(
    cloud: Cloud, product: Product, kind: str, fields: Fields, before: Row | None
) -> tuple[str, Fields] | None:
    """The binding as it is to be sent when its resource exists; None when it must be made."""
    wanted = fields.get(product.name)
    field = PROVISIONED[kind]
    if before is not None and await product.same(cloud, before, fields):
        if kind == "r2_bucket" and wanted:
            return kind, fields
        if any(fields.get(key) is not None for key in product.sent_along):
            return kind, {**fields, field: before[product.wire]}
        return inherited(kind, fields)
    found = await product.find(cloud, str(wanted), fields) if wanted else None
    return None if found is None else (kind, {**fields, field: found})


async def _make(cloud: Cloud, product: Product, kind: str, fields: Fields, title: str) -> tuple[str, Fields]:
    """Make the resource; one of its name that turns out to exist is taken, so an interrupted run goes on."""
    try:
        identifier: str | None = await product.make(cloud, title, fields)
    except CloudError as error:
        taken = isinstance(error, AlreadyExists) or getattr(error, "effect_unknown", False)
        identifier = await product.find(cloud, title, fields) if taken else None
        if identifier is None:
            raise
    return kind, {**fields, PROVISIONED[kind]: identifier}
