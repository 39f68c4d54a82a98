"""`trailboss dev`, `trailboss dev trust`: the development server."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from trailboss.cli.declare import Command, command
from trailboss.cli.output import Output
from trailboss.cli.run import Run
from trailboss.errors import UsageError

if TYPE_CHECKING:
    from trailboss.cli import developing
    from trailboss.config import Worker
    from trailboss.develop.session import Ended
    from trailboss.develop.setup import Wish
    from trailboss.develop.testing import Command as Command_
    from trailboss.develop.trust import Trust


@command(
    "trailboss dev --env development --port 8787 --local-protocol https",
    "trailboss dev --env testing --test --port 8788",
    "trailboss dev --tunnel agency-dev --hostname dev.example.com",
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[SCRIPT] [WRANGLER OPTION]...")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--ip", "address", metavar="ADDRESS", help="Address to listen on.")
@click.option("--local-protocol", "protocol", type=click.Choice(["http", "https"]), help="http or https.")
@click.option("--persist-to", metavar="FOLDER", help="Folder for local data.")
@click.option("--inspector-port", type=click.IntRange(0, 65535), help="Port for devtools.")
@click.option("--require-trusted", is_flag=True, help="With https: only with a certificate trusted here.")
@click.option("--tunnel", metavar="NAME", help="Make it public through this tunnel.")
@click.option("--hostname", metavar="HOST", help="The public host name at the tunnel.")
@click.option("--sandbox", is_flag=True, help="Deploy into the sandbox instead, again after every edit.")
@click.option("--quick-tunnel", is_flag=True, hidden=True, help="A quick tunnel.")
@click.option("--test", is_flag=True, help="Run the project's end-to-end tests against it, then end.")
def _dev(run: Run, words: tuple[str, ...], test: bool, sandbox: bool, **asked: Any) -> int:
    """Run the project's Workers on this machine, with hot reload, until Ctrl-C.

    This is wrangler's dev server, looked after. Every other option of `wrangler dev` is passed on, --host,
    --upstream-protocol, --compatibility-date, --var and --remote among them. All Workers of the project run,
    with the bindings of the environment. References in `.dev.vars` and `.env` are resolved in memory; nothing
    secret is written to a file. With --tunnel the server has a public host name while it runs.
    """
    from trailboss.cli import developing
    from trailboss.develop.setup import is_https

    public = developing.public_of(run, asked)
    if asked.pop("quick_tunnel"):
        words = (*words, "--tunnel")
    tests, limits = developing.tests_of(run) if test else (None, None)
    patience = limits.ready_timeout if limits else None
    if sandbox:
        return _status(_in_sandbox(run, words, tests, patience, public=public), test)
    workers = developing.workers_of(run)
    target = run.target if public else developing.target_of(run)
    wish = developing.wish_of(run, words, asked, target)
    developing.announce(run, workers, target)
    needs_trust = asked["require_trusted"] or developing.dev_settings(run).require_trusted
    if needs_trust or is_https(wish, workers):
        _see_to_trust(run, wish, workers, required=needs_trust)
    session = developing.session_of(run, wish, workers, tests, patience)
    ended = run.call(lambda cloud: session(cloud, public)) if public else run.wait(session(None, None))
    return _status(ended, test)


def _status(ended: Ended, test: bool) -> int:
    """Ctrl-C is the usual end of a session, but not of tests."""
    return 130 if test and ended.status is None else ended.status or 0


def _in_sandbox(
    run: Run,
    words: tuple[str, ...],
    tests: Command_ | None,
    patience: float | None,
    *,
    public: developing.Public | None,
) -> Ended:
    from trailboss.cli.sandboxed import pointed, serve_sandbox

    there = pointed(run, words)
    there.announce(", ".join(worker.name for worker in there.workers()))
    return there.call(lambda cloud: serve_sandbox(there, cloud, tests, patience, public))


class _Dev(Command):
    """`dev` takes wrangler's options as they are, also its `--tunnel` without a name (a quick tunnel)."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """A `--tunnel` that no name follows is wrangler's."""
        found = list(args)
        for number, word in enumerate(args):
            if word == "--tunnel" and (number + 1 == len(args) or args[number + 1].startswith("-")):
                found[number] = "--quick-tunnel"
        return super().parse_args(ctx, found)


def _as_wrangler(made: Command) -> Command:
    settings = {**made.context_settings, "ignore_unknown_options": True}
    found = _Dev(
        made.name, callback=made.callback, params=made.params, help=made.help, context_settings=settings
    )
    found.examples = made.examples
    return found


dev = _as_wrangler(_dev)


def _see_to_trust(run: Run, wish: Wish, workers: tuple[Worker, ...], *, required: bool) -> None:
    """Say, or at a terminal change, that this machine does not believe the server; nothing has started yet.

    Raises:
        UsageError: TB9485 it has to believe it; as `check`, for what would stop the start anyway.
    """
    from trailboss.develop.certificate import Pair
    from trailboss.develop.given_certificate import doubts_of, own_pair
    from trailboss.develop.setup import check
    from trailboss.develop.trust import how_without, install, is_trusted, stores, was_declined

    _, pair = check(wish, workers)
    own = own_pair(wish.words, wish.folder)
    if own is not None:
        if doubt := doubts_of(own, wish.address or "localhost"):
            _doubted(run, f"this machine does not trust {own.certificate}: {doubt}", "", required=required)
        return
    if pair is None:
        _doubted(run, "the server does not speak https", "Add --local-protocol https.", required=required)
        return
    root = Pair(pair.certificate.with_name("authority.pem"), pair.key.with_name("authority-key.pem"))
    if is_trusted(root):
        return
    ask, text = run.confirm(), "this machine does not trust the local certificate yet"
    if ask is not None and not was_declined(root):
        if not ask(_question(stores(root), "This machine does not trust the local certificate yet.")):
            was_declined(root, now=True)
        elif install(root).trusted:
            return
    hint = f"Run `trailboss dev trust`, or for single programs: {how_without(root)}"
    _doubted(run, text, hint, required=required)


def _doubted(run: Run, text: str, hint: str, *, required: bool) -> None:
    if required:
        raise UsageError("TB9485", text, hint=hint or "Give a certificate that is trusted, or none.")
    run.output.warn(f"{text}. {hint}" if hint else text)


@command("trailboss dev trust", "trailboss dev trust --print")
@click.option("--print", "only_print", is_flag=True, help="Say what would be run, and run nothing.")
def trust(run: Run, only_print: bool) -> int:
    """Make this machine believe the certificates of `dev --local-protocol https`.

    The authority behind them is made on this machine, for this user, and can speak for local names and
    private addresses only. Each store of trusted authorities is asked with its own tool, the system's with
    sudo.
    """
    from trailboss.develop.certificate import authority
    from trailboss.develop.trust import Trust, install, is_trusted, stores

    pair = authority()
    trusted = is_trusted(pair)
    ask = run.confirm()
    if only_print or trusted or ask is None or not ask(_question(stores(pair), "")):
        found = Trust(pair.certificate, trusted, stores(pair))
    else:
        found = install(pair)
    run.result(found, lambda output: _show(output, found))
    return 0 if found.trusted or only_print else 1


def _question(found: Any, why: str) -> str:
    lines = [f"  {shlex.join(store.command)}" for store in found if store.command]
    return f"{why} To trust it this is run:\n".lstrip() + "\n".join(lines) + "\nGo ahead?"


def _show(output: Output, found: Trust) -> None:
    from trailboss.cli import views

    if found.trusted:
        views.tick(output, f"This machine trusts {found.certificate}")
        return
    output.line(f"{found.certificate} is not trusted by this machine yet. Run:")
    for store in found.stores:
        output.line(f"  {store.name}: {shlex.join(store.command) if store.command else store.remark}")
