"""Which secrets go up with each Worker's version, and whether any that it requires is nowhere.

Decided for all Workers before anything is built, so that one error names everything that is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trailboss.errors import CloudError, SecretError
from trailboss.release import paths
from trailboss.release.reading import read_deployments
from trailboss.release.secret_marks import Keeping, read_marks, worker_id
from trailboss.release.together import together
from trailboss.values import Secret

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.release.passing import Pass


class Shipment(dict[str, Secret]):
    """Secrets for an upload: its own items go to every Worker, as wrangler's `--secrets-file` means it.

    `offered` are those of `[secrets] file`: each Worker gets what it requires of them, or all when it is the
    only one of its project (`alone`) and requires none by name. `required` is needed by every Worker.
    `keeping` says how fingerprints are made."""

    def __init__(
        self,
        given: Mapping[str, Secret] | None = None,
        *,
        offered: Mapping[str, Secret] | None = None,
        required: Iterable[str] = (),
        alone: bool = True,
        keeping: Keeping | None = None,
    ) -> None:
        super().__init__(given or {})
        self.offered = dict(offered or {})
        self.required = tuple(required)
        self.alone = alone
        self.keeping = keeping or Keeping()
        self.concerned = bool(self or self.offered or self.required)
        """Whether the Worker is known to have secrets, even when none has to go up this time."""

    def needed(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The names that a Worker with these settings requires."""
        own = (settings.get("secrets") or {}).get("required") or ()
        return tuple(dict.fromkeys((*own, *self.required)))

    def for_worker(self, settings: Mapping[str, Any]) -> dict[str, Secret]:
        """What of `offered` a Worker with these settings gets, beside what is given to all."""
        needed = self.needed(settings)
        everything = self.alone and not (settings.get("secrets") or {}).get("required")
        variables = settings.get("vars") or {}
        return {
            name: value
            for name, value in self.offered.items()
            if name not in self and name not in variables and (everything or name in needed)
        }

    def with_items(self, more: Mapping[str, Secret]) -> Shipment:
        """The same, with `more` as items of its own and nothing on offer."""
        made = Shipment({**more, **self}, required=self.required, alone=self.alone, keeping=self.keeping)
        made.concerned = self.concerned
        return made


async def prepare(passes: Sequence[Pass]) -> list[Pass]:
    """Each Worker's deploy with the secrets that go up with it.

    What `[secrets] file` offers is left out where the version with all the traffic has exactly these values,
    by its fingerprints: then nothing has to be uploaded for them. Without an account nothing is compared.

    Raises SecretError TB7014: secrets that are required and neither given nor in the account; all of them,
    of all Workers."""
    ready = await together(*(_prepared(now) for now in passes))
    absent = {now.name: names for now, names in ready if names}
    if absent:
        raise _missing(absent)
    return [now for now, _ in ready]


async def _prepared(now: Pass) -> tuple[Pass, tuple[str, ...]]:
    """A Worker's pass, and the names it lacks. No call when it requires nothing and is offered nothing."""
    given = now.options.secrets
    shipment = given if isinstance(given, Shipment) else Shipment(given)
    needed, offered = shipment.needed(now.settings), shipment.for_worker(now.settings)
    shipment.concerned |= bool(needed)
    if now.cloud is None:
        return _shipping(now, shipment, offered), ()
    variables = now.settings.get("vars") or {}
    open_names = [n for n in needed if n not in shipment and n not in offered and n not in variables]
    if open_names:
        there = await names_there(now.cloud, now.name)
        absent = tuple(name for name in open_names if name not in there)
        if absent:
            return now, absent
    if (
        offered
        and not shipment
        and not now.options.force
        and await _live_has(now.cloud, now.name, offered, shipment)
    ):
        offered = {}
    return _shipping(now, shipment, offered), ()


def _shipping(now: Pass, shipment: Shipment, offered: Mapping[str, Secret]) -> Pass:
    return replace(now, options=replace(now.options, secrets=shipment.with_items(offered)))


async def names_there(cloud: Cloud, name: str) -> frozenset[str]:
    """The names of a Worker's secrets; none where there is no such Worker. One call."""
    try:
        wire = await cloud.get(paths.script(cloud, name, "secrets"))
    except CloudError as error:
        if paths.is_missing(error):
            return frozenset()
        raise
    return frozenset(str(item.get("name")) for item in wire or ())


async def _live_has(cloud: Cloud, name: str, offered: Mapping[str, Secret], shipment: Shipment) -> bool:
    """Whether the version with all the traffic has these values, as far as fingerprints tell."""
    import asyncio

    try:
        deployments, worker = await together(read_deployments(cloud, name), worker_id(cloud, name))
        whole = deployments[0].whole if deployments else None
        marks = await read_marks(cloud, worker, whole) if whole else None
    except CloudError:
        return False  # whatever it is: the deploy itself meets it again, and says it
    key = shipment.keeping.key
    if marks is None or not shipment.keeping.on:
        return False
    same = marks.with_values({}, key)
    return await asyncio.to_thread(same.of, offered, key) == {
        name: print_ for name, print_ in same.prints.items() if name in offered
    }


def _missing(absent: Mapping[str, Sequence[str]]) -> SecretError:
    count = sum(map(len, absent.values()))
    said = "; ".join(f"{worker}: {', '.join(names)}" for worker, names in absent.items())
    return SecretError(
        "TB7014",
        f"{count} required {'secret is' if count == 1 else 'secrets are'} not in the account and not given: "
        f"{said}",
        hint="Put them into the file of `[secrets] file`, give --secrets-file, or use `secret bulk`.",
    )
