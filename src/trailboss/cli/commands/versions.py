"""`trailboss versions …`: upload, list, view, deploy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from trailboss.cli.building import build_flags, build_options, chosen, read_secrets_file, write_outdir
from trailboss.cli.declare import Elsewhere, command, worker_name
from trailboss.cli.ledger import record
from trailboss.cli.output import Output, table
from trailboss.cli.run import Run

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.config import Worker
    from trailboss.release.versions import SplitResult, VersionList, VersionView


@command(
    'trailboss versions upload --message "try a new greeting"',
    "trailboss versions upload --env production --preview-alias next --json",
)
@build_flags
@click.option("--preview-alias", metavar="NAME", help="A name for its preview address.")
def upload(run: Run, preview_alias: str | None, **flags: Any) -> int:
    """Build and upload a version that takes no traffic yet, and print its preview address.

    `versions deploy` gives it traffic. Routes, domains and schedules stay as they are.
    """
    from trailboss.cli import reports
    from trailboss.release.outcomes import DeployOptions
    from trailboss.release.upload import upload_version

    if not run.project.workers and (flags["path"] or flags["assets"]):
        raise Elsewhere("there is no configuration file here: the whole command goes to wrangler")
    worker = _one(run, flags)
    script = flags.get("rename") or worker.name
    run.announce(script)
    building = build_options(flags)
    options = DeployOptions(
        build=building,
        message=flags["message"],
        tag=flags["tag"],
        alias=preview_alias,
        secrets=read_secrets_file(run, flags["secrets_file"]),
        keep_vars=bool(flags["keep_vars"]),
        dry_run=flags["dry_run"],
        force=flags["force"],
        confirm=run.confirm(),
    )
    done = run.call(lambda cloud: upload_version(worker, cloud, options, progress=run.output.progress))
    write_outdir((worker,), building, flags["outdir"])
    if not flags["dry_run"]:
        record(
            "version-upload",
            worker_name=done.worker,
            version_id=done.version_id,
            preview_url=done.preview_url,
            preview_alias_url=done.alias_url,
            wrangler_environment=run.project.environment.name,
        )
    run.result(done, lambda output: reports.one(output, done))
    return 0 if done.ok else 1


def _one(run: Run, flags: dict[str, Any]) -> Worker:
    """The one Worker to upload."""
    found = chosen(run, flags)
    return found[0] if len(found) == 1 else run.worker(flags["name"])


@command("trailboss versions list", "trailboss versions list --env production --json")
@worker_name
@click.option(
    "--limit", type=click.IntRange(1, 100), default=10, show_default=True, help="How many, newest first."
)
def listing(run: Run, name: str | None, limit: int) -> None:
    """Show the latest versions that can be deployed, and which of them take traffic.

    A version is an upload with its bindings and secrets. Any of its names works in other commands: v12,
    the id or its beginning, the git commit, the tag, `latest`, `previous`. The project's other environments
    are asked which of these artifacts had all their traffic. In JSON the order is wrangler's, oldest first.
    """
    from trailboss.cli import views, wire

    script = run.script(name)
    run.announce(script)
    found, proved = run.call(lambda cloud: _listed(run, cloud, script))
    shown = found.versions[:limit]
    document = [{**wire.version(one), "proved": proved.get(one.id, ())} for one in reversed(shown)]
    run.result(document, lambda output: views.versions(output, shown, proved))


async def _listed(run: Run, cloud: Cloud, script: str) -> tuple[VersionList, dict[str, tuple[str, ...]]]:
    """The versions, and by id the environments that proved them; without other environments nobody is
    asked."""
    from trailboss.release.versions import list_versions

    found = await list_versions(cloud, script)
    key = next((worker.key for worker in run.project.workers if worker.name == script), None)
    if key is None or len(run.project.environments) < 2:
        return found, {}
    from trailboss.cli.commands.deploy import target_of
    from trailboss.release.history import proved_by, read_proofs

    proofs, _ = await read_proofs(run.project, cloud, target_of(run), run.environ)
    return found, {one.id: proved_by(one, found.versions, proofs, key) for one in found.versions}


@command("trailboss versions view v12", "trailboss versions view previous --env production")
@click.argument("version", metavar="VERSION")
@worker_name
def view(run: Run, version: str, name: str | None) -> None:
    """Show everything about one version: bindings, names of secrets, compatibility, who made it and from
    what.
    """
    from trailboss.release.versions import view_version

    script = run.script(name)
    run.announce(script)
    found = run.call(lambda cloud: view_version(cloud, script, version))
    run.result(_document(found), lambda output: _show(output, found))


def _document(found: VersionView) -> dict[str, Any]:
    from trailboss.cli import wire

    secrets = [{"name": secret, "type": "secret_text"} for secret in found.secrets]
    bindings = [{"name": item.name, "type": item.type, "detail": item.detail} for item in found.bindings]
    runtime = {
        "compatibility_date": found.compatibility_date,
        "compatibility_flags": list(found.compatibility_flags),
        "migration_tag": found.migration_tag,
    }
    return {
        "worker": found.worker,
        **wire.version(found.version),
        "resources": {
            "script": {"handlers": list(found.handlers)},
            "script_runtime": runtime,
            "bindings": [*bindings, *secrets],
        },
        "startup_time_ms": found.startup_time_ms,
    }


def _show(output: Output, found: VersionView) -> None:
    from trailboss.cli.words_for import age, percent

    version = found.version
    flags = " ".join(found.compatibility_flags)
    facts = (
        ("Version", f"{version.label}  {version.id}"),
        ("Traffic", percent(version.share) if version.share is not None else "none"),
        (
            "Made",
            f"{version.created} ({age(version.created)}) by {version.author or 'unknown'}, {version.source}",
        ),
        ("Message", version.message),
        ("Tag", version.tag),
        ("Alias", version.alias),
        ("Git", version.git_sha),
        ("Digest", version.digest),
        ("Compatibility", " ".join(part for part in (found.compatibility_date, flags) if part)),
        ("Handlers", ", ".join(found.handlers)),
        ("Start-up", f"{found.startup_time_ms} ms" if found.startup_time_ms is not None else None),
        ("Migration", found.migration_tag),
        ("Secrets", ", ".join(found.secrets)),
    )
    output.show(table((), [[output.style(name, "2", output.out), text] for name, text in facts if text]))
    if found.bindings:
        output.line()
        output.show(table(("binding", "type", ""), [[b.name, b.type, b.detail] for b in found.bindings]))


@command("trailboss versions deploy v12", "trailboss versions deploy v12@90 v13@10 --env production")
@click.argument("specs", nargs=-1, metavar="VERSION[@PERCENT]...")
@click.option("--version-id", "ids", multiple=True, metavar="ID", help="Version to deploy; may repeat.")
@click.option(
    "--percentage", "shares", multiple=True, type=float, help="Its share; in the order of --version-id."
)
@click.option(
    "--version-tag", "tags", multiple=True, metavar="TAG[@PERCENT]", help="Version to deploy, by tag."
)
@click.option("--message", help="Why; kept on the deployment.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--force", is_flag=True, help="Also when secrets changed since the version was made.")
@worker_name
def deploy(
    run: Run,
    *,
    specs: tuple[str, ...],
    ids: tuple[str, ...],
    shares: tuple[float, ...],
    tags: tuple[str, ...],
    message: str | None,
    dry_run: bool,
    force: bool,
    name: str | None,
) -> None:
    """Choose which versions take which share of the traffic: one version, or two that come to 100 %.

    A version without a percentage takes what is left. 0 % is allowed: such a version answers only to the
    version-override header. The Worker's code does not change; nothing is built or uploaded.
    """
    from trailboss.release.versions import deploy_versions

    script = run.script(name)
    run.announce(script)
    wanted = [*specs, *_with_shares(ids, shares), *tags]
    if dry_run:
        _plan(run, script, wanted)
        return
    done = run.call(
        lambda cloud: deploy_versions(
            cloud,
            script,
            wanted,
            message=message,
            force=force,
            confirm=run.confirm(),
            progress=run.output.progress,
        )
    )
    run.result(_split_document(done), lambda output: _show_split(output, done))


def _with_shares(ids: tuple[str, ...], shares: tuple[float, ...]) -> list[str]:
    padded = [*shares, *[None] * (len(ids) - len(shares))]
    return [name if share is None else f"{name}@{share:g}" for name, share in zip(ids, padded, strict=False)]


def _plan(run: Run, script: str, wanted: list[str]) -> None:
    """What `versions deploy` would do: every name resolved, nothing written."""
    from trailboss.release.naming import resolve
    from trailboss.release.reading import read_catalogue
    from trailboss.release.splits import read_splits

    splits = read_splits(wanted)
    catalogue = run.call(lambda cloud: read_catalogue(cloud, script))
    found = [(resolve(split.name, catalogue), split.percentage) for split in splits]
    document = {
        "worker": script,
        "dry_run": True,
        "versions": [{"version_id": version.id, "percentage": share} for version, share in found],
    }
    lines = ["Would deploy:", *(f"  {version.label}  {version.id}  {share:g} %" for version, share in found)]
    run.result(document, lambda output: output.line("\n".join(lines)))


def _split_document(done: SplitResult) -> dict[str, Any]:
    from trailboss.cli import wire

    before = wire.deployment(done.before) if done.before else None
    return {
        "worker": done.worker,
        "changed": done.changed,
        "before": before,
        "deployment": wire.deployment(done.deployment),
    }


def _show_split(output: Output, done: SplitResult) -> None:
    from trailboss.cli import views

    said = (
        "Traffic is split as asked"
        if done.changed
        else "Nothing to do: the traffic is split like this already"
    )
    if len(done.deployment.versions) == 1 and done.changed:
        said = f"All traffic goes to {views.name(done.deployment.versions[0])}"
    views.tick(output, said)
    views.split(output, done.deployment)
