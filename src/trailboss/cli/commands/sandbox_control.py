"""`trailboss sandbox seed|snapshot|restore|clock|faults|journal`: thin commands over the sandbox's
control plane.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from trailboss.cli.commands.sandbox import sandbox_name
from trailboss.cli.declare import command
from trailboss.cli.output import table
from trailboss.cli.run import Run
from trailboss.errors import SandboxError, UsageError

EVERYTHING = 100_000
"""More entries than a journal holds: the newest are at its end."""


def _control(name: str, method: str, path: str, body: Any = None) -> Any:
    """One call; a sandbox that is not there or does not answer is an error."""
    from trailboss.sandbox import process

    connection = process.status(name).connection
    if connection is None:
        raise SandboxError(
            "TB5901", "the sandbox is not running", hint="Start it with `trailboss sandbox start`."
        )
    result = process.control(connection, method, path, body)
    if result is None:
        raise SandboxError("TB5903", "the sandbox does not answer", hint="Stop it and start it again.")
    return result


def _read(file: str) -> Any:
    text = sys.stdin.read() if file == "-" else Path(file).read_text()
    try:
        return json.loads(text)
    except ValueError as error:
        raise UsageError("TB9014", f"{file} is not JSON: {error}") from None


@command("trailboss sandbox seed account.json", "trailboss sandbox seed - < account.json")
@click.argument("file", metavar="FILE")
@sandbox_name
def seed(run: Run, file: str, name: str) -> None:
    """Fill the account from a JSON file (`-` is standard input): one key per product, plus `ids` for
    steady identifiers.
    """
    from trailboss.cli import views

    planted = _control(name, "POST", "seed", _read(file))
    run.result(planted, lambda output: views.tick(output, f"Planted {', '.join(planted) or 'nothing'}"))


@command("trailboss sandbox snapshot before-migration", "trailboss sandbox snapshot --list")
@click.argument("snapshot", required=False, metavar="[SNAPSHOT]")
@click.option("--list", "listing", is_flag=True, help="Show the snapshots there are.")
@sandbox_name
def snapshot(run: Run, snapshot: str | None, listing: bool, name: str) -> None:
    """Save the whole account under a name (`default` when none is given)."""
    from trailboss.cli import views
    from trailboss.cli.words_for import age, size

    if listing:
        found = _control(name, "GET", "snapshot")
        rows = [[item["name"], size(item["bytes"]), age(item["taken"])] for item in found]
        run.result(found, lambda output: output.show(table(("snapshot", "size", "taken"), rows, right=(1,))))
        return
    done = _control(name, "POST", "snapshot", {"name": snapshot or "default"})
    said = f"Saved as {done['name']} ({size(done['bytes'])})"
    run.result(done, lambda output: views.tick(output, said))


@command("trailboss sandbox restore before-migration", "trailboss sandbox restore --yes")
@click.argument("snapshot", required=False, metavar="[SNAPSHOT]")
@sandbox_name
def restore(run: Run, snapshot: str | None, name: str) -> None:
    """Return the whole account to a saved state (`default` when none is named)."""
    from trailboss.cli import views

    done = _control(name, "POST", "restore", {"name": snapshot or "default"})
    run.result(done, lambda output: views.tick(output, f"Restored {snapshot or 'default'}"))


@command("trailboss sandbox clock --advance 3600", "trailboss sandbox clock --freeze")
@click.option(
    "--advance", type=float, metavar="SECONDS", help="Jump ahead; crons and expiries in between happen."
)
@click.option("--freeze", is_flag=True, help="Stop time here.")
@click.option("--run", "unfreeze", is_flag=True, help="Let it run on from where it stands.")
@click.option("--reset", is_flag=True, help="Back to real time.")
@sandbox_name
def clock(run: Run, *, advance: float | None, freeze: bool, unfreeze: bool, reset: bool, name: str) -> None:
    """Show the sandbox's time, or move it. Without an option nothing changes."""
    change: dict[str, Any] = {"reset": True} if reset else {}
    change |= {"advance": advance} if advance is not None else {}
    change |= {"freeze": freeze} if freeze or unfreeze else {}
    found = _control(name, "PUT", "clock", change) if change else _control(name, "GET", "clock")
    stopped = " (stopped)" if found.get("frozen") else ""
    run.result(found, lambda output: output.line(f"{found['now']}{stopped}"))


@command(
    "trailboss sandbox faults --effect status --status 429 --path '*/workers/*' --times 2",
    "trailboss sandbox faults --clear",
)
@click.option(
    "--effect",
    type=click.Choice(["status", "latency", "drop-before", "drop-after", "stale", "truncate"]),
    help="Add a rule that does this.",
)
@click.option("--method", default="*", show_default=True, help="Only requests with this method.")
@click.option("--path", default="*", show_default=True, help="Only these paths, a glob below /client/v4.")
@click.option(
    "--probability", type=click.FloatRange(0, 1), default=1.0, show_default=True, help="How often, 0 to 1."
)
@click.option("--times", type=click.IntRange(1), help="How many times; else for ever.")
@click.option(
    "--status", type=click.IntRange(400, 599), default=500, show_default=True, help="HTTP status to answer."
)
@click.option("--latency-ms", type=float, default=0.0, help="Milliseconds to wait.")
@click.option("--seconds", type=float, default=0.0, help="How long `stale` reads last.")
@click.option("--clear", is_flag=True, help="Take all rules away.")
@sandbox_name
def faults(run: Run, effect: str | None, clear: bool, name: str, **rule: Any) -> None:
    """Make the sandbox's API fail on purpose: show the rules, add one, or take them all away."""
    found = _control(name, "DELETE" if clear else "GET", "faults")
    if effect is not None:
        kept = [{key: value for key, value in item.items() if key != "hits"} for item in found]
        found = _control(name, "PUT", "faults", [*kept, {"effect": effect, **rule}])
    rows = [
        [item["effect"], item["method"], item["path"], f"{item['probability']:g}", str(item["hits"])]
        for item in found
    ]
    headings = ("effect", "method", "path", "probability", "hits")
    shown = table(headings, rows, right=(3, 4)) if rows else "No faults: the API behaves."
    run.result(found, lambda output: output.show(shown))


@command("trailboss sandbox journal", "trailboss sandbox journal --match /workers/scripts --json")
@click.option("--match", default="", metavar="TEXT", help="Only requests with this in their path.")
@click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="Only the newest of them."
)
@click.option("--since", type=int, default=0, metavar="ID", help="Only after this entry.")
@click.option("--clear", is_flag=True, help="Forget them.")
@sandbox_name
def journal(run: Run, *, match: str, limit: int, since: int, clear: bool, name: str) -> None:
    """Show the API requests the sandbox has seen, oldest first."""
    query = urlencode({"match": match, "limit": EVERYTHING, "since": since})
    found = _control(name, "DELETE", "journal") if clear else _control(name, "GET", f"journal?{query}")
    found = found[-limit:]
    rows = [
        [
            str(item.get("id", "")),
            str(item.get("status", "")),
            str(item.get("method", "")),
            str(item.get("path", "")),
        ]
        for item in found
    ]
    shown = table(("id", "status", "method", "path"), rows, right=(0, 1)) if rows else "No requests yet."
    run.result(found, lambda output: output.show(shown))
