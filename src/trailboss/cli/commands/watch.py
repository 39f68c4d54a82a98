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
    from trailboss.release.watching import Guarded

_STATUS = {"rolled-back": 4, "burning": 1, "not-the-release": 1, "cannot": 1}


@command(
    "trailboss watch --env production --objective 99.9", "trailboss watch --for 30m --no-rollback --json"
)
@worker_name
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
    objective: float,
    length: str | None,
    trial: str,
    burn: tuple[str, ...],
    rollback: bool,
) -> int:
    """Count requests as they happen, and act when the error budget burns too fast in a long and a short
    window.

    A burn alone blames nobody. Half of the traffic is given to the version before, at random; only when the
    new one is certainly worse does all of it go back. The exit status is 4 then, and 1 when something
    else is to blame.
    """
    from trailboss.release.rollout.choosing import Flags, choose
    from trailboss.release.rollout.spans import seconds
    from trailboss.release.watching import Watch
    from trailboss.release.watching import watch as guard

    if not 0 < objective < 100:
        raise UsageError("TB9439", f"{objective:g} is no objective.", hint="For example: --objective 99.9")
    script = run.script(name)
    run.announce(script)
    policy = choose(run.project) or choose(run.project, Flags(strategy="canary"))
    assert policy is not None
    asked = Watch(policy, objective / 100, **_windows(burn), trial=seconds(trial), rollback=rollback)
    told: list[Guarded] = []

    def tell(one: Guarded) -> None:
        told.append(one)
        if run.output.as_json:
            run.output.event(one)
        else:
            run.output.note(f"  {one.worker}: {one.text}")

    async def go(cloud: Cloud) -> Guarded:
        return await guard(cloud, script, asked, tell, seconds=seconds(length) if length else None)

    last = run.call(go)
    if not told:
        tell(last)
    return _STATUS.get(last.alarm.value, 0)


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
