"""A whole environment taken away: what is its own in the account, then its Workers, and at last its files.

The account says what is its own: tags, markers and claims. What it adopted stays. Stopped anywhere, the
files still name the environment, and the same command goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailboss.cli import plans
from trailboss.cli.applying import carry_out, result_of
from trailboss.cli.run import Run
from trailboss.errors import RefusedError

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.plan.owner import Owner
    from trailboss.plan.register import Expiry
    from trailboss.plan.wanted import Wanted
    from trailboss.release.delete import Usage


@dataclass(frozen=True, slots=True)
class Removed:
    """What went: resources as in an apply's `changed`, and Workers by name."""

    resources: tuple[dict[str, str], ...]
    workers: tuple[str, ...]


def remove(run: Run, want: Wanted, *, confirm: bool, force: bool, wait: float = 0.0) -> Removed:
    """Everything of the environment that `want` is of; `want` itself wants nothing any more.

    Raises:
        RefusedError: TB9066 the account has no resource tags, so that nobody can say what is whose;
            TB9067 a Worker is used from outside or holds data, and nobody confirmed; as `carry_out`.
    """
    usages = run.call(lambda cloud: _usages(cloud, sorted(want.scripts)))
    outside = {name: _reasons(found, want.scripts) for name, found in usages.items()}
    asked = run.confirm() is not None and not plans.is_production(run.project)
    if not (confirm or force or asked) and any(outside.values()):
        lines = [f'"{name}": {reason}' for name, reasons in outside.items() for reason in reasons]
        raise RefusedError(
            "TB9067", "\n".join(["nothing was deleted:", *lines]), hint="Confirm it with --confirm."
        )
    done = carry_out(run, want, doing="environments delete", confirm=confirm, wait=wait)
    if done.plan.untagged:
        raise RefusedError(
            "TB9066",
            f"this account refuses resource tags ({done.plan.untagged}): what belongs to {want.owner} cannot "
            "be told, and nothing was deleted",
            hint="Delete it by hand, and the environment with --keep-resources.",
        )
    names = tuple(usages)
    if names:
        _agree(run, names, already=confirm or force or bool(done.done))
    run.call(lambda cloud: _workers(cloud, names, run))
    run.call(lambda cloud: _forget(cloud, want.owner))
    changed = result_of(done)["changed"]
    assert isinstance(changed, list)
    return Removed(tuple(changed), names)


def expiries(run: Run) -> dict[Owner, Expiry]:
    """The environments of the target's account that have an end; none where it refuses tags."""
    from trailboss.errors import PermissionDenied
    from trailboss.plan.register import Register

    async def read(cloud: Cloud) -> dict[Owner, Expiry]:
        try:
            return (await Register.read(cloud)).expiries()
        except PermissionDenied as error:
            run.output.warn(f"the account's tags cannot be read ({error.message}): only the files count")
            return {}

    return run.call(read)


def _agree(run: Run, names: tuple[str, ...], *, already: bool) -> None:
    ask = run.confirm()
    if already or ask is None:
        return
    if not ask(f"Delete {', '.join(names)}? This cannot be undone."):
        raise RefusedError("TB9060", "nothing was changed")


async def _usages(cloud: Cloud, names: list[str]) -> dict[str, Usage]:
    from trailboss.release.delete import read_usage

    found = {name: await read_usage(cloud, name) for name in names}
    return {name: usage for name, usage in found.items() if usage is not None}


def _reasons(usage: Usage, own: frozenset[str]) -> list[str]:
    """Why somebody would miss it; what its own environment does with it goes with it."""
    users = [text for text in usage.users if not any(f"Worker {name} " in text for name in own)]
    return [*users, *(f"the data of its Durable Objects {name} would be lost" for name in usage.storage)]


async def _workers(cloud: Cloud, names: tuple[str, ...], run: Run) -> None:
    from trailboss.release.delete import delete_worker

    for name in names:
        await delete_worker(cloud, name, force=True, progress=run.output.progress)


async def _forget(cloud: Cloud, owner: Owner) -> None:
    """At last the note of when it was to end."""
    from trailboss.plan.register import Expiry, Register, with_expiry

    register = await Register.read(cloud)
    if owner in register.expiries():
        await register.change(lambda values: with_expiry(values, owner, Expiry("")))
