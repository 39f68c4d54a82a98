"""`trailboss secret status|rotate`: do the secrets that run have the vault's values, and new values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from trailboss.cli.commands.secret import chosen_value, value_from
from trailboss.cli.declare import command, worker_name
from trailboss.cli.output import Output, table
from trailboss.cli.run import Run
from trailboss.cli.words_for import percent, plural
from trailboss.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from trailboss.release.secret_rotate import Rotation
    from trailboss.release.secret_shipping import Shipment
    from trailboss.release.secret_status import SecretStatus
    from trailboss.secrets import SecretsFile
    from trailboss.values import Secret

_MARKS = {
    "matches": ("✓", "32"),
    "differs": ("✗", "31;1"),
    "missing": ("✗", "31;1"),
    "unknown": ("?", "33"),
    "unlisted": ("·", "2"),
}


@command(
    "trailboss secret status --env production", "trailboss secret status secrets.json --exit-code --json"
)
@click.argument("file", required=False, metavar="[FILE]")
@click.option("--exit-code", is_flag=True, help="End with status 3 unless everything is known to match.")
@worker_name
def status(run: Run, file: str | None, exit_code: bool, name: str | None) -> int:
    """Say whether the secrets of what runs have the values of FILE, or of the environment's own file.

    No value is stored or shown: fingerprints are compared, which Trailboss keeps when it writes secrets. What
    was written by something else is unknown.
    """
    from trailboss.release.secret_status import status as compare

    script = run.script(name)
    source, waiting = _source(run, file)
    run.announce(script)
    values = _values(waiting)
    offer = _offer(run, values if file is None else {})
    settings = _settings(run, script)
    wanted = values if file is not None else offer.for_worker(settings)
    found = run.call(
        lambda cloud: compare(
            cloud,
            script,
            wanted,
            required=offer.needed(settings),
            key=offer.keeping.key,
            progress=run.output.progress,
        )
    )
    document = {"source": str(source) if source else None, **_fields(found)}
    run.result(document, lambda output: _show_status(output, found, source))
    return 3 if exit_code and not found.in_sync else 0


def _source(run: Run, file: str | None) -> tuple[Path | None, SecretsFile | None]:
    """The file with the values, read and waiting: FILE, `[secrets] file`, or `.env.<environment>`."""
    from pathlib import Path

    from trailboss.cli.shipping import is_secret, project_file, read_file

    usual = run.project.root / f".env.{run.project.environment.name}"
    path = Path(file) if file is not None else project_file(run) or (usual if usual.is_file() else None)
    if path is None:
        return None, None
    waiting = read_file(run, path)
    waiting.expect(is_secret)
    return path, waiting


def _values(waiting: SecretsFile | None) -> dict[str, Secret]:
    from trailboss.cli.shipping import is_secret

    found = waiting.values(is_secret) if waiting else {}
    return {name: value for name, value in found.items() if value is not None}


def _offer(run: Run, values: dict[str, Secret]) -> Shipment:
    from trailboss.cli.shipping import keeping
    from trailboss.release.secret_shipping import Shipment

    alone = len(run.project.workers) <= 1
    return Shipment(offered=values, required=run.secrets.required, alone=alone, keeping=keeping(run))


def _settings(run: Run, script: str) -> dict[str, Any]:
    """The Worker's configuration; an empty one for a Worker that is not in the project."""
    return next((worker.raw for worker in run.project.workers if worker.name == script), {})


def _fields(found: SecretStatus) -> dict[str, Any]:
    return {"worker": found.worker, "in_sync": found.in_sync, "versions": found.versions}


def _show_status(output: Output, found: SecretStatus, source: Path | None) -> None:
    from trailboss.cli import views

    for version in found.versions:
        said = output.style(
            f"v{version.number}" if version.number else version.version_id[:8], "1", output.out
        )
        output.line(f"{said}  {percent(version.share)} of the traffic")
        cells = [
            [output.style(*_marked(str(one.state)), output.out), one.name, str(one.state), one.why]
            for one in version.secrets
        ]
        output.show(table((), cells) if cells else "  It has no secrets.")
        output.line()
    where = source.name if source else "no file: only names were compared"
    if found.in_sync:
        views.tick(output, f'"{found.worker}" has the values of {where}')
    elif found.in_sync is None:
        output.warn(f'Whether "{found.worker}" has the values of {where} is not known for every secret.')
    else:
        output.warn(
            f'"{found.worker}" does not have the values of {where}. `trailboss secret rotate` writes them.'
        )


def _marked(state: str) -> tuple[str, str]:
    return _MARKS[state]


@command(
    "trailboss secret rotate STRIPE_KEY --env production",
    "trailboss secret rotate STRIPE_KEY --value-from op://Production/stripe/key",
)
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option("--file", metavar="FILE", help="Where the new values are; else the environment's own file.")
@value_from
@worker_name
def rotate(
    run: Run, *, keys: tuple[str, ...], file: str | None, source: str | None, name: str | None
) -> None:
    """Give new values to every version that is live, and leave the traffic as it is, also while it is split.

    Values come from the file's lines for KEY (change them in the vault first), from --value-from, or, when
    no file has the one KEY, from the prompt or standard input. Without KEY: those that `secret status`
    cannot say match.
    """
    from trailboss.release.secret_rotate import rotate as turn

    script = run.script(name)
    if source is not None or (len(keys) == 1 and file is None and not _is_in_file(run, keys[0])):
        if len(keys) != 1:
            raise UsageError("TB9081", "--value-from is for one secret", hint="Name one KEY.")
        run.announce(script)
        values = {keys[0]: chosen_value(run, keys[0], source)}
    else:
        values = _from_file(run, script, keys, file)
    keeping = _offer(run, {}).keeping
    if not values:
        document = {"worker": script, "names": (), "versions": (), "warnings": ()}
        run.result(document, lambda output: _nothing(output, script))
        return
    done = run.call(lambda cloud: turn(cloud, script, values, keeping=keeping, progress=run.output.progress))
    run.result(done, lambda output: _show_rotation(output, done))


def _is_in_file(run: Run, key: str) -> bool:
    _, waiting = _source(run, None)
    return waiting is not None and key in waiting.wanted


def _from_file(run: Run, script: str, keys: tuple[str, ...], file: str | None) -> dict[str, Secret]:
    """The values of `keys`, or of everything that is not known to match."""
    path, waiting = _source(run, file)
    if waiting is None:
        raise UsageError("TB9082", "there is no file with the new values", hint="Name one with --file.")
    absent = [key for key in keys if waiting.wanted.get(key) is None]
    if absent:
        raise UsageError(
            "TB9083", f"{path} has no value for {', '.join(absent)}", hint="Add a line, or use --value-from."
        )
    run.announce(script)
    values = _values(waiting)
    if keys:
        return {key: values[key] for key in keys if key in values}
    return _not_matching(run, script, values)


def _not_matching(run: Run, script: str, values: dict[str, Secret]) -> dict[str, Secret]:
    from trailboss.release.secret_status import State
    from trailboss.release.secret_status import status as compare

    key = _offer(run, {}).keeping.key
    found = run.call(lambda cloud: compare(cloud, script, values, key=key))
    stale = {
        secret.name
        for version in found.versions
        for secret in version.secrets
        if secret.state in (State.DIFFERS, State.UNKNOWN)
    }
    return {name: value for name, value in values.items() if name in stale}


def _nothing(output: Output, script: str) -> None:
    from trailboss.cli import views

    views.tick(output, f'Nothing to do: every secret of "{script}" has the value of the file')


def _show_rotation(output: Output, done: Rotation) -> None:
    from trailboss.cli import views

    views.tick(
        output, f'{plural(len(done.names), "secret")} of "{done.worker}" rotated: {", ".join(done.names)}'
    )
    cells = [
        [one.before[:8], "→", f"v{one.number}", one.after[:8], percent(one.share)] for one in done.versions
    ]
    output.show(table((), cells))
    for text in done.warnings:
        output.warn(text)
