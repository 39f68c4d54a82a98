"""`trailboss watch`: a guard that stays after the release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from trailboss.cli.declare import command, worker_name
from trailboss.cli.run import Run
from trailboss.errors import UsageError

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.release.burn import BurnWindow
    from trailboss.release.guarded import Guarded, Watch
    from trailboss.release.telling import Recipient

_STATUS = {"rolled-back": 4, "burning": 1, "not-the-release": 1, "cannot": 1}


@command(
    "trailboss watch --env production --objective 99.9", "trailboss watch --for 30m --no-rollback --json"
)
@worker_name
@click.option("--worker", multiple=True, metavar="WORKER", help="Only this Worker; may repeat.")
@click.option(
    "--objective",
    type=float,
    default=99.9,
    show_default=True,
    metavar="PERCENT",
    help="Requests that must not fail.",
)
@click.option("--for", "length", metavar="TIME", help="How long; without it until interrupted.")
@click.option(
    "--trial", default="5m", show_default=True, metavar="TIME", help="How long blame may take to decide."
)
@click.option(
    "--burn", multiple=True, metavar="LONG/SHORT/RATE", help="Windows, such as 1h/5m/14.4; may repeat."
)
@click.option("--rollback/--no-rollback", default=True, help="--no-rollback only tells.")
def watch(
    run: Run,
    name: str | None,
    *,
    worker: tuple[str, ...],
    objective: float,
    length: str | None,
    trial: str,
    burn: tuple[str, ...],
    rollback: bool,
) -> int:
    """Guard all Workers of the project: count requests as they happen, and act when an error budget burns too
    fast in a long and a short window.

    A burn alone blames nobody. Half of the traffic is given to the version before, at random; only when the
    new one is certainly worse does all of it go back, for every Worker that was released with it. The exit
    status is 4 then, and 1 when something else is to blame. [notifications] are told.
    """
    from trailboss.release.guarded import Watch as Asked
    from trailboss.release.rollout.choosing import Flags, choose
    from trailboss.release.rollout.spans import seconds

    if not 0 < objective < 100:
        raise UsageError("TB9439", f"{objective:g} is no objective.", hint="For example: --objective 99.9")
    scripts = _subject(run, (*worker, *((name,) if name else ())))
    policy = choose(run.project) or choose(run.project, Flags(strategy="canary"))
    assert policy is not None
    asked = Asked(policy, objective / 100, **_windows(burn), trial=seconds(trial), rollback=rollback)
    last = _guard(run, scripts, asked, seconds(length) if length else None)
    return _STATUS.get(last.alarm.value, 0)


def _subject(run: Run, names: tuple[str, ...]) -> tuple[str, ...]:
    """The Workers' names in the account: those that were named, else all of the project."""
    scripts = tuple(run.script(one) for one in names) or tuple(one.name for one in run.workers())
    run.announce(", ".join(scripts))
    return tuple(dict.fromkeys(scripts))


def _guard(run: Run, scripts: tuple[str, ...], asked: Watch, seconds: float | None) -> Guarded:
    """Guard, show what happens, and tell who wants to know."""
    import asyncio

    from trailboss.release.telling import notify
    from trailboss.release.watching import watch_all

    recipients = _recipients(run)
    place = run.project.environment.name, str(run.project.root)
    told: list[Guarded] = []
    sent: list[asyncio.Task[tuple[str, ...]]] = []

    def show(one: Guarded) -> None:
        told.append(one)
        if run.output.as_json:
            run.output.event(one)
        else:
            run.output.note(f"  {one.worker}: {one.text}")

    def tell(one: Guarded) -> None:
        show(one)
        sent.append(asyncio.create_task(notify(recipients, one, *place)))

    async def go(cloud: Cloud) -> Guarded:
        try:
            return await watch_all(cloud, scripts, asked, tell, seconds=seconds)
        finally:
            for lines in await asyncio.gather(*sent):
                for line in lines:
                    run.output.warn(line)

    last = run.call(go)
    if not told:
        show(last)
    return last


def _recipients(run: Run) -> tuple[Recipient, ...]:
    """`[notifications]`, with addresses that are references resolved by one question."""
    if not run.project.settings.notifications:
        return ()
    from trailboss.release.rollout.tables import NotificationsTable
    from trailboss.release.telling import GRAVE, Recipient

    found = run.project.section("notifications", NotificationsTable).root
    urls = run.values({name: one.url for name, one in found.items() if one.url is not None})
    return tuple(
        Recipient(name, urls.get(name), one.run, GRAVE if one.alarms is None else tuple(one.alarms))
        for name, one in found.items()
    )


def _windows(burn: tuple[str, ...]) -> dict[str, Any]:
    """The keyword of `Watch` for --burn; nothing where it was not given."""
    return {"windows": tuple(_window(text) for text in burn)} if burn else {}


def _window(text: str) -> BurnWindow:
    from trailboss.release.burn import BurnWindow
    from trailboss.release.rollout.spans import seconds

    try:
        long, short, rate = text.split("/")
        return BurnWindow(seconds(long), seconds(short), float(rate))
    except ValueError:
        raise UsageError(
            "TB9440", f'"{text}" is no burn window.', hint="For example: --burn 1h/5m/14.4"
        ) from None
