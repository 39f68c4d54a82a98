"""What the account has of each kind: listed once, only when asked, and made when missing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from trailboss.errors import AlreadyExists, CloudError, PermissionDenied, PlanError, Unavailable
from trailboss.resources.marks import identity_of
from trailboss.resources.protocol import Kind

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

ATTEMPTS = 2
Pair = tuple[Kind[Any, Any], Any]


def lacks(error: PermissionDenied, group: str) -> None:
    """Says in `error` which permission group the token needs."""
    error.hint = (
        f"The token needs the permission group '{group}'; `trailboss token permissions` lists them all."
    )


class Holdings:
    """The account's resources by kind and scope, for the length of one plan."""

    def __init__(self, cloud: Cloud, progress: Callable[[str], None] = lambda _: None) -> None:
        self._cloud = cloud
        self._progress = progress
        self._lists: dict[tuple[Any, ...], asyncio.Task[list[Any]]] = {}

    async def read(self, wanted: Iterable[Pair]) -> None:
        """Read the lists that `find` will need for `wanted`, all at the same time.

        A list that cannot be read raises where it is needed, and not here.
        """
        lists = {self._place(kind, spec): self._listing(kind, spec) for kind, spec in wanted}
        await asyncio.gather(*lists.values(), return_exceptions=True)

    async def all(self, kind: Kind[Any, Any], like: Any, *, again: bool = False) -> Sequence[Any]:
        """Everything of the kind in the scope of `like`; `again` asks the account anew."""
        if again:
            self._lists.pop(self._place(kind, like), None)
        return await self._listing(kind, like)

    async def find(self, kind: Kind[Any, Any], spec: Any, *, again: bool = False) -> Any:
        """The observed resource with `spec`'s identity, or None; `again` asks the account anew."""
        wanted = identity_of(spec)
        found = await self.all(kind, spec, again=again)
        return next((one for one in found if identity_of(one) == wanted), None)

    def _place(self, kind: Kind[Any, Any], spec: Any) -> tuple[Any, ...]:
        return (kind.name, *kind.scope_of(spec))

    def _listing(self, kind: Kind[Any, Any], spec: Any) -> asyncio.Task[list[Any]]:
        place = self._place(kind, spec)
        if place not in self._lists:
            self._lists[place] = asyncio.ensure_future(self._list(kind, spec))
        return self._lists[place]

    async def _list(self, kind: Kind[Any, Any], spec: Any) -> list[Any]:
        try:
            return [observed async for observed in kind.list(self._cloud, spec)]
        except PermissionDenied as error:
            lacks(error, kind.permissions_for(spec).read)
            raise

    async def have(self, kind: Kind[Any, Any], spec: Any) -> tuple[Any, bool]:
        """The resource with `spec`'s identity, and whether it was made now.

        Raises:
            CloudError: it could be neither found nor made.
            PlanError: TB6109 a binding alone says too little to make it.
        """
        found = await self.find(kind, spec)
        if found is not None:
            return found, False
        if kind.binding is not None and not kind.binding.makes:
            raise PlanError(
                "TB6109",
                f"neither the files nor the account have the {kind.name} '{identity_of(spec)[0]}' that a "
                "binding stands for",
                hint=f"Declare [resources.{kind.name}.<key>] with the binding's name as its key.",
            )
        self._progress(f"making {kind.name} {identity_of(spec)[0]}")
        observed, created = await self._make(kind, spec, ATTEMPTS, tried=False)
        (await self._listing(kind, spec)).append(observed)
        return observed, created

    async def _make(self, kind: Kind[Any, Any], spec: Any, attempts: int, *, tried: bool) -> tuple[Any, bool]:
        """Create it, and look when it is not known whether that worked.

        Names are unique, so a second attempt after a lost answer cannot make two. `tried` is whether an
        earlier attempt of ours may have made it.
        """
        try:
            return await kind.create(self._cloud, spec), True
        except (AlreadyExists, Unavailable) as error:
            failure: CloudError = error
        doubtful = isinstance(failure, Unavailable)
        if doubtful and not getattr(failure, "effect_unknown", False):
            raise failure
        found = await self.find(kind, spec, again=True)
        if found is not None:
            return found, doubtful or tried
        if attempts == 1:
            raise failure
        return await self._make(kind, spec, attempts - 1, tried=doubtful or tried)
