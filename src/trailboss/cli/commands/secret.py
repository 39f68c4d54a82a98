"""`trailboss secret …`: values come from a hidden prompt, standard input or a file; never from the
command line.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from trailboss.cli.declare import command, worker_name
from trailboss.cli.output import Output, table
from trailboss.cli.run import Run
from trailboss.cli.words_for import plural
from trailboss.errors import RefusedError, UsageError
from trailboss.values import Secret

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from trailboss.cloud import Cloud
    from trailboss.release.secret import SecretChange

value_from = click.option(
    "--value-from",
    "source",
    metavar="REFERENCE",
    help="Where the value is: op://vault/item/field or '${NAME}'.",
)


@command("trailboss secret put API_KEY", "trailboss secret put API_KEY --value-from op://Production/api/key")
@click.argument("key")
@value_from
@worker_name
def put(run: Run, key: str, source: str | None, name: str | None) -> None:
    """Set one secret. The value is asked for without showing it, or read from standard input when that is
    a pipe.

    A new version with the secret takes the traffic at once. A value is never taken from the command line;
    --value-from takes a reference to one.
    """
    from trailboss.release import secret

    script = run.script(name)
    run.announce(script)
    value = chosen_value(run, key, source)
    done = _written(
        run,
        script,
        {key: value},
        lambda cloud: secret.put(
            cloud, script, key, value, confirm=run.confirm(), progress=run.output.progress
        ),
    )
    run.result(done, lambda output: _show(output, done))


def chosen_value(run: Run, key: str, source: str | None) -> Secret:
    """The value: what the reference `source` stands for; else hidden from the terminal, or all of standard
    input without its last line break, as wrangler.

    Raises UsageError TB9080: `source` is no reference, so it may be the value itself."""
    from trailboss.secrets import asks

    if source is None:
        if sys.stdin.isatty():
            return Secret(run.output.ask(f"Value of {key}", hidden=True))
        return Secret(sys.stdin.read().rstrip())
    if not asks(source):
        raise UsageError(
            "TB9080",
            "--value-from takes a reference, and what was given is none",
            hint="Write op://vault/item/field or '${NAME}'; pipe a value into standard input.",
        )
    return run.value(source, "--value-from")


@command(
    "trailboss secret bulk .env.production --env production",
    "trailboss secret bulk --env staging < secrets.json",
)
@click.argument("file", required=False, metavar="[FILE]")
@worker_name
def bulk(run: Run, file: str | None, name: str | None) -> None:
    """Set many secrets in one call: all of them, or none.

    FILE is dotenv (KEY=value lines) or JSON ({"KEY": "value"}; null removes); without it standard input
    is read.
    """
    from trailboss.cli.shipping import read_file
    from trailboss.release import secret

    script = run.script(name)
    waiting = read_file(run, file)
    waiting.expect()
    run.announce(script)
    values = waiting.values()
    done = _written(
        run,
        script,
        values,
        lambda cloud: secret.bulk(cloud, script, values, confirm=run.confirm(), progress=run.output.progress),
    )
    run.result(done, lambda output: _show(output, done))


@command("trailboss secret list", "trailboss secret list --env production --format json")
@click.option(
    "--format", "kind", type=click.Choice(["json", "pretty"]), help="json is the default when piped."
)
@worker_name
def listing(run: Run, kind: str | None, name: str | None) -> None:
    """Show the names of the Worker's secrets. Cloudflare never gives a value back."""
    from trailboss.release import secret

    script = run.script(name)
    run.announce(script)
    found = run.call(lambda cloud: secret.list_secrets(cloud, script)).secrets
    as_json = run.output.as_json or kind == "json" or (kind is None and not run.output.out.isatty())
    if as_json:
        run.output.document(found)
    elif found:
        run.output.show(table(("secret", "type"), [[item.name, item.type] for item in found]))
    else:
        run.output.line(f'"{script}" has no secrets.')


@command("trailboss secret delete API_KEY", "trailboss secret delete API_KEY --env staging --yes")
@click.argument("key")
@worker_name
def delete(run: Run, key: str, name: str | None) -> None:
    """Remove one secret. A new version without it takes the traffic at once."""
    from trailboss.release import secret

    script = run.script(name)
    run.announce(script)
    ask = run.confirm()
    if ask is not None and not ask(f'Remove the secret {key} from "{script}"?'):
        raise RefusedError("TB9015", f"{key} was not removed", hint="You answered no.")
    done = _written(
        run,
        script,
        {key: None},
        lambda cloud: secret.delete(cloud, script, key, confirm=ask, progress=run.output.progress),
    )
    run.result(done, lambda output: _show(output, done))


def _written(
    run: Run,
    script: str,
    values: Mapping[str, Secret | None],
    write: Callable[[Cloud], Awaitable[SecretChange]],
) -> SecretChange:
    """Write, then keep the fingerprints of what was written."""
    from trailboss.cli.shipping import keeping
    from trailboss.release.secret_marks import newest, remember

    keep = keeping(run)

    async def go(cloud: Cloud) -> SecretChange:
        before = await newest(cloud, script) if keep.on else None
        done = await write(cloud)
        if done.added or done.set or done.removed:
            kept = await remember(cloud, script, values, before=before, keeping=keep)
            if kept.warning:
                run.output.warn(kept.warning)
            done = replace(
                done,
                changed=tuple(key for key in done.set if key in kept.other),
                unchanged=tuple(key for key in done.set if key in kept.same),
            )
        return done

    return run.call(go)


def _untold(done: SecretChange) -> tuple[str, ...]:
    """Written again, and nobody can tell whether the value is another."""
    return tuple(key for key in done.set if key not in done.changed and key not in done.unchanged)


def _show(output: Output, done: SecretChange) -> None:
    from trailboss.cli import views

    rows = [
        (mark, style, key, about)
        for keys, mark, style, about in (
            (done.added, "+", "32", "added"),
            (done.changed, "~", "33", "changed"),
            (_untold(done), "~", "33", "written again"),
            (done.unchanged, "=", "2", "unchanged"),
            (done.removed, "-", "31", "removed"),
            (done.absent, " ", "2", "was not there"),
        )
        for key in keys
    ]
    changed = len(done.added) + len(done.set) + len(done.removed)
    if changed:
        where = "on a new version that takes no traffic yet" if done.undeployed else "live now"
        views.tick(output, f'{plural(changed, "secret")} of "{done.worker}" written, {where}')
    else:
        views.tick(output, "Nothing to do")
    cells = [["", output.style(mark, style, output.out), key, about] for mark, style, key, about in rows]
    output.show(table((), cells))
    if done.created_worker:
        output.note(f'There was no Worker "{done.worker}": a draft holds the secrets until the first deploy.')
