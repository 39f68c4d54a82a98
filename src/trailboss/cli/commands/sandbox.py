"""`trailboss sandbox start|stop|status|reset|env`: the emulated account on this machine."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import click

from trailboss.cli.declare import command
from trailboss.cli.output import Output, table
from trailboss.cli.run import Run
from trailboss.cli.shells import SHELLS
from trailboss.cli.words_for import plural, size
from trailboss.errors import UsageError

if TYPE_CHECKING:
    from trailboss.sandbox.identity import Connection
    from trailboss.sandbox.process import Status

sandbox_name = click.option(
    "--name", default="", metavar="SANDBOX", help="Which sandbox; else TRAILBOSS_SANDBOX, else default."
)


@command("trailboss sandbox start", "trailboss sandbox start --name ci --port 0 --edge-port 0 --json")
@sandbox_name
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8400, show_default=True, help="API; 0 takes any free."
)
@click.option(
    "--edge-port",
    type=click.IntRange(0, 65535),
    default=8480,
    show_default=True,
    help="Workers; 0 takes any free.",
)
@click.option("--foreground", is_flag=True, help="Stay until Ctrl-C, then stop the sandbox.")
@click.option("--reset", is_flag=True, help="Begin with an empty account.")
@click.option(
    "--strict", is_flag=True, help="Check every request and reply against Cloudflare's published types."
)
def start(
    run: Run, *, name: str, port: int, edge_port: int, foreground: bool, reset: bool, strict: bool
) -> None:
    """Start the sandbox: an emulated Cloudflare account with the real API in front of the real runtime.

    Its data stays from one start to the next. Starting one that runs already only says where it is.
    """
    from trailboss.sandbox import process
    from trailboss.sandbox.paths import folder_of

    began = time.monotonic()
    already = process.is_running(folder_of(name)) and not reset
    connection = process.start(
        name, port=port, edge_port=edge_port, reset=reset, strict=strict, progress=run.output.progress
    )
    seconds = round(time.monotonic() - began, 3)
    document = {**_public(connection), "running": True, "already_running": already, "seconds": seconds}
    run.result(document, lambda output: _show_started(output, connection, already, seconds))
    if foreground:
        _stay(run, name)


def _public(connection: Connection) -> dict[str, Any]:
    """Everything of the connection but its secrets."""
    names = (
        "name",
        "pid",
        "api_url",
        "edge_url",
        "edge_port",
        "account_id",
        "subdomain",
        "version",
        "started_at",
    )
    return {field: getattr(connection, field) for field in names}


def _show_started(output: Output, connection: Connection, already: bool, seconds: float) -> None:
    from trailboss.cli import views

    how = "is running already" if already else f"is ready ({seconds:.1f} s)"
    views.tick(output, f"Sandbox {output.style(connection.name, '1', output.out)} {how}")
    _show_places(output, connection)
    suffix = "" if connection.name == "default" else f":{connection.name}"
    output.line()
    output.line(f"  trailboss deploy --target sandbox{suffix}")
    only = "" if connection.name == "default" else f" --name {connection.name}"
    output.line(f'  eval "$(trailboss sandbox env{only})"   for wrangler and every other tool')


def _show_places(output: Output, connection: Connection, *more: tuple[str, str]) -> None:
    rows = (
        ("API", connection.api_url),
        ("Workers", f"http://<worker>.{connection.subdomain}.workers.localhost:{connection.edge_port}"),
        ("Account", connection.account_id),
        *more,
    )
    output.show(table((), [["", output.style(name, "2", output.out), value] for name, value in rows]))


def _stay(run: Run, name: str) -> None:
    """Until the sandbox ends, or somebody ends us: then it is stopped too."""
    import fcntl
    import signal

    from trailboss.sandbox import process
    from trailboss.sandbox.paths import folder_of

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    run.output.note("Ctrl-C stops it.")
    try:
        with folder_of(name).lock.open("a+") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH)  # the daemon holds it for as long as it lives
    except KeyboardInterrupt:
        process.stop(name)
        raise


@command("trailboss sandbox stop", "trailboss sandbox stop --name ci")
@sandbox_name
def stop(run: Run, name: str) -> None:
    """Stop the sandbox. Its data stays; `sandbox reset` is what empties it."""
    from trailboss.cli import views
    from trailboss.sandbox import process
    from trailboss.sandbox.paths import folder_of

    shown = folder_of(name).root.name
    run.output.progress("stopping the sandbox")
    was_running = process.stop(name)
    said = f"Sandbox {shown} is stopped" if was_running else f"Nothing to do: sandbox {shown} was not running"
    run.result({"name": shown, "was_running": was_running}, lambda output: views.tick(output, said))


@command("trailboss sandbox status", "trailboss sandbox status --json")
@sandbox_name
def status(run: Run, name: str) -> int:
    """Show whether the sandbox runs, where it is, and what is in it. The exit status is 1 when it does
    not run.
    """
    from trailboss.sandbox import process

    found = process.status(name)
    public = _public(found.connection) if found.connection else {}
    document = {
        **public,
        "name": found.name,
        "running": found.running,
        "log": found.log,
        "details": found.details,
    }
    run.result(document, lambda output: _show_status(output, found))
    return 0 if found.running else 1


def _show_status(output: Output, found: Status) -> None:
    name = output.style(found.name, "1", output.out)
    if found.connection is None:
        output.line(f"Sandbox {name} is not running. Start it with `trailboss sandbox start`.")
        return
    details = found.details
    if details is None:
        output.line(
            f"Sandbox {name} runs (process {found.connection.pid}) but does not answer. Its log: {found.log}"
        )
        return
    dot = output.style("●", "32;1", output.out)
    output.line(f"{dot} Sandbox {name}: {plural(details['workers'], 'Worker')}, up {_for(details['uptime'])}")
    clock = details.get("clock") or {}
    rows = [("Memory", _memory(details.get("memory")))]
    rows += [("Faults", str(details["faults"]))] if details.get("faults") else []
    rows += (
        [("Clock", f"{clock['now']}{' (stopped)' if clock.get('frozen') else ''}")] if _moved(clock) else []
    )
    _show_places(output, found.connection, *rows)


def _moved(clock: dict[str, Any]) -> bool:
    return bool(clock.get("frozen") or clock.get("offset"))


def _memory(memory: dict[str, int] | None) -> str:
    parts = {name: count for name, count in (memory or {}).items() if count and name != "total"}
    each = ", ".join(f"{name} {size(count)}" for name, count in parts.items())
    return f"{size(sum(parts.values()))} ({each})"


def _for(seconds: float) -> str:
    for limit, unit, divisor in ((120, "s", 1), (7200, "min", 60), (172_800, "h", 3600)):
        if seconds < limit:
            return f"{seconds / divisor:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"


@command("trailboss sandbox reset --yes", "trailboss sandbox reset --name ci --yes")
@sandbox_name
def reset(run: Run, name: str) -> None:
    """Empty the account: Workers, data, secrets, clock and faults. Address, account id and token stay."""
    from trailboss.cli import views
    from trailboss.errors import RefusedError
    from trailboss.sandbox import process
    from trailboss.sandbox.paths import folder_of

    shown = folder_of(name).root.name
    ask = run.confirm()
    if ask is not None and not ask(f"Empty sandbox {shown}?"):
        raise RefusedError("TB9013", f"sandbox {shown} was not emptied", hint="You answered no.")
    running = process.reset(name)
    document = {"name": shown, "running": running}
    run.result(document, lambda output: views.tick(output, f"Sandbox {shown} is empty"))


@command(
    'eval "$(trailboss sandbox env --s3)"',
    "trailboss sandbox env --shell dotenv > .env.sandbox",
    'eval "$(trailboss sandbox env --unset)"',
)
@sandbox_name
@click.option(
    "--shell",
    "--format",
    "shell",
    type=click.Choice(list(SHELLS)),
    default="sh",
    show_default=True,
    help="How to write the variables.",
)
@click.option("--s3", is_flag=True, help="Also the AWS_ variables for R2's S3 interface.")
@click.option("--unset", is_flag=True, help="The lines that take the variables away again.")
def env(run: Run, name: str, shell: str, s3: bool, unset: bool) -> None:
    """Print the variables that point Trailboss, wrangler, the official SDKs and every other Cloudflare tool
    at the running sandbox; with --s3 also tools for S3.

    wrangler reads CLOUDFLARE_API_BASE_URL and the SDKs CLOUDFLARE_BASE_URL: both are set. The token and the
    keys are the sandbox's own and open nothing else.
    """
    from trailboss.cli.shells import CLOUDFLARE, S3, UNSET, setting, unsetting, variables

    as_json = run.output.as_json or shell == "json"
    if unset and (as_json or shell not in UNSET):
        raise UsageError(
            "TB9046", "a document cannot take variables away", hint=f"--shell {', '.join(UNSET)} can."
        )
    if unset:
        lines = unsetting(shell, (*CLOUDFLARE, *(S3 if s3 else ())))
    else:
        said = variables(_running(name), s3=s3)
        if as_json:
            run.output.document(said)
            return
        lines = setting(shell, said, os.environ)
    for line in lines:
        run.output.line(line)


def _running(name: str) -> Connection:
    from trailboss.errors import SandboxError
    from trailboss.sandbox import process

    found = process.status(name).connection
    if found is None:
        raise SandboxError(
            "TB5901", "the sandbox is not running", hint="Start it with `trailboss sandbox start`."
        )
    return found
