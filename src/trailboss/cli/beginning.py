"""What an environment needs before its first Worker: a note of its end, its resources, its data.

The note is the first write. Whatever stops a command after it, `environments reap` finds what was made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.errors import RefusedError

if TYPE_CHECKING:
    from trailboss.cli.run import Run
    from trailboss.cloud import Cloud
    from trailboss.config import Project
    from trailboss.develop.seeding import Planted, Seed
    from trailboss.develop.settings import SeedSettings

WAIT = 180.0
"""Seconds to wait for the lock of a run that was killed on another machine: its lease ends in that time."""


def is_ephemeral(project: Project) -> bool:
    """Whether the files say that the environment ends by itself."""
    return "ephemeral" in _own(project)


def lasts(project: Project) -> bool:
    """Whether its end is a span, counted from the last apply or deploy, and no moment."""
    value = (project.tables.get("ephemeral") or {}).get("expires")
    return is_ephemeral(project) and "-" not in str(value or "")


def has_beginning(project: Project) -> bool:
    """Whether there is anything to do before its first Worker."""
    return is_ephemeral(project) or bool(_own(project).get("seed"))


def note_end(run: Run) -> str:
    """Write into the account when the environment ends, in ISO 8601; "" where it does not, or the account
    refuses tags."""
    from trailboss.plan.wanted import wanted

    want = wanted(run.project)
    if want.expires is None or not want.expires.until:
        return ""

    async def write(cloud: Cloud) -> str:
        from trailboss.errors import PermissionDenied
        from trailboss.plan.register import Register, with_expiry

        assert want.expires is not None
        try:
            register = await Register.read(cloud)
            await register.change(lambda values: with_expiry(values, want.owner, want.expires))
        except PermissionDenied as error:
            run.output.warn(
                f"this account refuses resource tags ({error.message}): {want.owner} will not end by itself"
            )
            return ""
        return want.expires.until

    return run.call(write)


def seeds_of(run: Run) -> tuple[Seed, ...]:
    """The seeds of the environment, checked.

    Raises:
        RefusedError: TB9073 it is protected. ConfigError: as `develop.seeding.read_seeds`.
    """
    from trailboss.develop.seeding import read_seeds

    settings = _settings(run.project)
    seeds = read_seeds(run.project, settings)
    if seeds and run.project.protected:
        raise RefusedError(
            "TB9073",
            f"{run.project.environment} is protected: no seed is written over its data",
            hint="Seeds are for environments that can be made again.",
            where=run.project.locate("protected"),
        )
    return seeds


def plant(run: Run, seeds: tuple[Seed, ...]) -> tuple[Planted, ...]:
    """Apply what was not applied yet."""
    if not seeds:
        return ()
    from trailboss.develop.seeding import plant as do

    tell, progress = run.output.warn, run.output.progress
    return run.call(lambda cloud: do(cloud, seeds, tell, progress))


def prepare(run: Run) -> tuple[Planted, ...]:
    """Before a deploy: the note of the end, and where there is data to begin with, resources with that."""
    seeds = seeds_of(run)
    note_end(run)
    if seeds:
        provide(run)
    return plant(run, seeds)


def provide(run: Run) -> None:
    """Make every resource the environment wants, and delete nothing."""
    from trailboss.plan.apply import Options, apply
    from trailboss.plan.plan import make, refuse
    from trailboss.plan.wanted import wanted

    want = wanted(run.project)

    async def work(cloud: Cloud) -> None:
        plan = await make(cloud, want)
        kept = ("create", "update", "adopt", "replace")
        todo = tuple(one.address for one in plan.pending if one.action in kept and not one.loses)
        if not todo:
            refuse(plan, approved=None, confirmed=True)
            return
        from trailboss.cli import plans

        options = Options(
            targets=todo,
            wait=WAIT,
            doing="preview",
            reveal=plans.revealer(run),
            tell=run.output.warn,
            step=plans.stepper(run.output),
        )
        await apply(cloud, want, options)

    run.call(work)


def _own(project: Project) -> dict[str, Any]:
    tables = project.tables.get("environments") or {}
    own: dict[str, Any] = tables.get(project.environment.name or "") or {}
    return own


def _settings(project: Project) -> SeedSettings:
    """`[environments.<name>.seed]`, else what is usual for ephemeral ones."""
    from trailboss.config.checks import validate
    from trailboss.develop.settings import EphemeralSettings, SeedSettings

    own = _own(project)
    if "seed" in own:
        return validate(SeedSettings, own["seed"], lambda *keys: project.locate("seed", *keys), "TB1202")
    return project.section("ephemeral", EphemeralSettings).seed if "ephemeral" in own else SeedSettings()
