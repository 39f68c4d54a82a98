"""`trailboss release …`: a rollout that is under way, from any machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from trailboss.cli.declare import command, worker_name
from trailboss.cli.run import Run
from trailboss.errors import RefusedError

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.release.rollout.control import Found
    from trailboss.release.rollout.policy import Policy

why_option = click.option("--message", "-m", default="", help="Why; kept with the deployment.")


@command("trailboss release status --env production", "trailboss release status --json")
@worker_name
def status(run: Run, name: str | None) -> None:
    """Show the rollout that is under way, or how the last one ended: versions, shares, evidence, who is at
    it, and whether that one is still alive.
    """
    from trailboss.release.rollout.control import find, picture_of

    scripts, policy = _subject(run, name)

    async def look(cloud: Cloud) -> Any:
        return picture_of(await find(cloud, scripts), policy, cloud)

    from trailboss.cli import rollouts

    picture = run.call(look)
    run.result(picture, lambda output: rollouts.shown(output, picture))


@command("trailboss release watch --env production", "trailboss release watch --every 10s --json")
@worker_name
@click.option("--every", default="5s", show_default=True, metavar="TIME", help="How often to look.")
def watch(run: Run, name: str | None, every: str) -> int:
    """Follow a rollout from here until it is over, without taking part in it.

    The evidence shown is what its deployer saved last. The exit status is how it ended: 0 promoted, 4 rolled
    back or aborted, 1 held or abandoned. With --json there is one line per change.
    """
    from trailboss.cli.rollouts import Viewer
    from trailboss.release.rollout.following import follow
    from trailboss.release.rollout.spans import seconds

    scripts, policy = _subject(run, name)
    viewer = Viewer(run.output)
    show = run.output.event if run.output.as_json else viewer
    try:
        last = run.call(lambda cloud: follow(cloud, scripts, policy, show, every=seconds(every)))
    finally:
        viewer.close()
    return {"promoted": 0, "rolled-back": 4, "aborted": 4}.get(last.phase, 1)


@command("trailboss release resume --env production", "trailboss release resume --bake 1m --yes")
@worker_name
@click.option("--bake", metavar="TIME", help="Least time in each step from now on.")
@click.option("--force", is_flag=True, help="Take it from a deployer that is still at it.")
def resume(run: Run, name: str | None, bake: str | None, force: bool) -> int:
    """Go on with a rollout that was paused or held, or whose deployer died, until it is over.

    The step it stands at begins anew; the evidence gathered so far is kept. Promoted, its routes, schedules,
    queue consumers and settings are written from the project here, where the version was made of it; so
    they are when the deployer died after its last step.
    """
    from trailboss.cli import rollouts
    from trailboss.release.rollout import resuming
    from trailboss.release.rollout.control import find

    scripts, policy = _subject(run, name, bake)
    viewer = rollouts.Viewer(run.output)

    async def go(cloud: Cloud) -> Any:
        found = await find(cloud, scripts)
        return await resuming.resume(
            cloud,
            found,
            policy,
            addresses=await _addresses(run, cloud, found),
            environment=run.project.environment.name,
            project=run.project,
            force=force,
            confirm=run.confirm(),
            show=viewer,
        )

    try:
        done = run.call(go)
    finally:
        viewer.close()
    run.result(done, lambda output: rollouts.ended(output, done))
    return int(done.exit_status)


async def _addresses(run: Run, cloud: Cloud, found: Found) -> dict[str, str | None]:
    from trailboss.release.rollout.addresses import address_of
    from trailboss.release.triggers import read_record

    settings = {worker.name: worker.raw for worker in run.project.workers}
    return {name: address_of(await read_record(cloud, name), settings.get(name, {})) for name in found.order}


@command('trailboss release pause --message "looking into it"', "trailboss release pause --env production")
@worker_name
@why_option
def pause(run: Run, name: str | None, message: str) -> None:
    """Keep the traffic as it is split now, until somebody resumes, promotes or aborts."""
    from trailboss.release.rollout.control import pause as stop

    _change(run, name, lambda cloud, found: stop(cloud, found, message), "is paused")


@command('trailboss release abort --message "wrong branch" --yes', "trailboss release abort --env production")
@worker_name
@why_option
def abort(run: Run, name: str | None, message: str) -> None:
    """Give all traffic back to the version before, now. Always possible while the rollout is not over."""
    from trailboss.release.rollout.control import abort as back

    question = "Give all traffic back to the version before?"
    _change(run, name, lambda cloud, found: back(cloud, found, message), "is aborted", question)


@command(
    "trailboss release promote --yes", "trailboss release promote --full --message hotfix --env production"
)
@worker_name
@why_option
@click.option("--full", is_flag=True, help="To 100 % at once, not only to the next step.")
def promote(run: Run, name: str | None, message: str, full: bool) -> None:
    """Go to the next step without waiting for proof. Who did it, and why, is kept with the deployment.

    At 100 % the routes, schedules, queue consumers and settings of the project here are written, too.
    """
    from trailboss.release.rollout.afterwards import warnings_of, write_rest
    from trailboss.release.rollout.control import promote as forward

    async def go(cloud: Cloud, found: Found) -> Found:
        after = await forward(cloud, found, full=full, why=message)
        if after.state.phase.over:  # whoever drove it may be gone
            rest = await write_rest(run.project, cloud, after, confirm=run.confirm())
            for warning in warnings_of(rest):
                run.output.warn(warning)
        return after

    _change(run, name, go, "is promoted by hand", "Give the new version more traffic without proof?")


@command("trailboss release counter --env production --yes", "trailboss release counter --remove")
@worker_name
@click.option("--remove", "gone", is_flag=True, help="Do not count this Worker any more.")
def counter(run: Run, name: str | None, gone: bool) -> None:
    """Deploy a small Tail Worker that counts every request by version, and make this Worker report to it.

    Rollouts read it with `evidence = "analytics-engine"`: exact, and still there when a deployer dies. It
    costs what a Tail Worker and Analytics Engine cost, so it asks first.
    """
    from trailboss.cli import views
    from trailboss.release import counter as counting

    script = run.script(name)
    run.announce(script)
    if not gone:
        ask = run.confirm()
        question = f'Deploy the Tail Worker "{counting.NAME}", and let "{script}" report every request to it?'
        if ask is None or not ask(question):
            raise RefusedError(
                "TB4417", "No counter was deployed", hint="It takes a yes: on a terminal, or --yes."
            )
    verb = counting.remove if gone else counting.install
    done = run.call(lambda cloud: verb(cloud, script))
    said = f"{script} is counted by {done.counter}" if done.installed else f"{script} is not counted any more"
    hint = f'[release] evidence = "analytics-engine", dataset = "{done.dataset}"'
    run.result(done, lambda output: views.tick(output, f"{said}.  {hint if done.installed else ''}".rstrip()))


def _sure(run: Run, question: str) -> None:
    ask = run.confirm()
    if ask is not None and not ask(question):
        raise RefusedError("TB4409", "Nothing was changed", hint="You answered no.")


def _change(run: Run, name: str | None, verb: Any, said: str, question: str = "") -> None:
    from trailboss.cli import views
    from trailboss.release.rollout.control import find, picture_of

    scripts, policy = _subject(run, name)
    if question:
        _sure(run, question)

    async def go(cloud: Cloud) -> Any:
        return picture_of(await verb(cloud, await find(cloud, scripts)), policy, cloud)

    picture = run.call(go)
    text = f"Rollout {picture.id} {said}: the new version has {picture.share:g} % of the traffic"
    run.result(picture, lambda output: views.tick(output, text))


def _subject(run: Run, name: str | None, bake: str | None = None) -> tuple[tuple[str, ...], Policy]:
    """The Workers' names, and the policy here: the project's, else a canary's."""
    from trailboss.release.rollout.choosing import Flags, choose

    scripts = (run.script(name),) if name is not None else tuple(one.name for one in run.workers())
    run.announce(", ".join(scripts))
    policy = choose(run.project, Flags(bake=bake)) or choose(run.project, Flags(strategy="canary", bake=bake))
    assert policy is not None
    return scripts, policy
