"""wrangler's flags for a build and an upload, declared once for `deploy` and `versions upload`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from trailboss.errors import UsageError

if TYPE_CHECKING:
    from trailboss.build import Options
    from trailboss.cli.run import Run
    from trailboss.config import Worker
    from trailboss.release.secret_shipping import Shipment

Function = TypeVar("Function", bound=Callable[..., Any])

_FLAGS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("--name",), {"metavar": "WORKER", "help": "Worker to act on, or a name for it."}),
    (("--message",), {"help": "What this version is about; kept on it."}),
    (("--tag",), {"help": "A tag for this version."}),
    (("--bundle/--no-bundle",), {"default": None, "help": "--no-bundle uploads the files as they are."}),
    (("--outdir",), {"metavar": "FOLDER", "help": "Also write what is uploaded there."}),
    (("--compatibility-date",), {"metavar": "DATE", "help": "Overrides the configuration."}),
    (
        ("--compatibility-flags", "--compatibility-flag"),
        {"multiple": True, "metavar": "FLAG", "help": "Overrides the configuration; may repeat."},
    ),
    (("--latest",), {"is_flag": True, "help": "Use the newest compatibility date there is."}),
    (("--assets",), {"metavar": "FOLDER", "help": "Static assets to serve."}),
    (("--var",), {"multiple": True, "metavar": "NAME:VALUE", "help": "A variable; may repeat."}),
    (("--define",), {"multiple": True, "metavar": "NAME:CODE", "help": "Replaced in the code; may repeat."}),
    (("--alias",), {"multiple": True, "metavar": "MODULE:FILE", "help": "Another file for a module."}),
    (("--jsx-factory",), {"metavar": "NAME", "help": "Function called for each JSX element."}),
    (("--jsx-fragment",), {"metavar": "NAME", "help": "Function called for each JSX fragment."}),
    (("--tsconfig",), {"metavar": "FILE", "help": "TypeScript configuration to use."}),
    (("--minify/--no-minify",), {"default": None, "help": "Make the code smaller."}),
    (
        ("--upload-source-maps/--no-upload-source-maps",),
        {"default": None, "help": "Send source maps along, for readable stacks."},
    ),
    (("--dry-run",), {"is_flag": True, "help": "Check everything, change nothing."}),
    (
        ("--secrets-file",),
        {"metavar": "FILE", "help": "Secrets that ship with the version (dotenv or JSON)."},
    ),
    (
        ("--keep-vars/--no-keep-vars",),
        {"default": None, "help": "Keep variables that were set in the dashboard."},
    ),
    (("--force",), {"is_flag": True, "help": "Upload even when the account has exactly this."}),
)


def build_flags(function: Function) -> Function:
    """Declare wrangler's build flags on a command; they arrive together as the argument `flags`."""
    for spellings, settings in reversed(_FLAGS):
        name = spellings[0].split("/")[0].lstrip("-").replace("-", "_")
        function = click.option(*spellings, name, **settings)(function)
    return click.argument("path", required=False, metavar="[PATH]")(function)


def build_options(flags: dict[str, Any]) -> Options:
    """The build room's options from the flags.

    Raises:
        UsageError: TB9030 a pair that is not NAME:VALUE.
    """
    from trailboss.build import Options

    path, assets = flags["path"], flags["assets"]
    if path is not None and Path(path).is_dir():
        path, assets = None, path
    return Options(
        name=flags.get("rename"),
        script=Path(path) if path else None,
        assets=Path(assets) if assets else None,
        minify=flags["minify"],
        bundle=flags["bundle"],
        keep_vars=flags["keep_vars"],
        upload_source_maps=flags["upload_source_maps"],
        var=pairs(flags["var"], "--var"),
        define=pairs(flags["define"], "--define"),
        alias=pairs(flags["alias"], "--alias"),
        compatibility_date=flags["compatibility_date"],
        compatibility_flags=flags["compatibility_flags"] or None,
        latest=flags["latest"],
        tsconfig=Path(flags["tsconfig"]) if flags["tsconfig"] else None,
        jsx_factory=flags["jsx_factory"],
        jsx_fragment=flags["jsx_fragment"],
        dry_run=flags["dry_run"],
    )


def write_outdir(workers: tuple[Worker, ...], options: Options, folder: str | None) -> None:
    """What is uploaded, as files under their module names; with several Workers a folder for each.

    The build is in the cache by now. Other files that are there stay, as with wrangler's `--outdir`.
    """
    if folder is None:
        return
    from trailboss.build import build

    for worker in workers:
        place = Path(folder) if len(workers) == 1 else Path(folder) / worker.name
        for module in build(worker, options).modules:
            parts = [part for part in Path(module.name).parts if part not in ("..", "/")]
            path = place.joinpath(*parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(module.data)


def pairs(values: Iterable[str], option: str) -> dict[str, str]:
    """`NAME:VALUE` as wrangler reads it: everything after the first colon is the value.

    Raises:
        UsageError: TB9030.
    """
    found = {}
    for value in values:
        name, colon, text = value.partition(":")
        if not colon or not name:
            raise UsageError("TB9030", f'{option} "{name}" has no value', hint=f"{option} NAME:VALUE")
        found[name] = text
    return found


def read_secrets_file(run: Run, file: str | None) -> Shipment:
    """The secrets that ship with the version: `--secrets-file`, and the project's own."""
    from trailboss.cli.shipping import shipment

    return shipment(run, file)


def chosen(run: Run, flags: dict[str, Any]) -> tuple[Worker, ...]:
    """The Workers to build: those of the project; with `--name` the one called so, or the only one under
    that name.
    """
    name = flags["name"]
    workers = run.workers()
    if name is None:
        return workers
    matching = tuple(worker for worker in workers if name in (worker.key, worker.name, worker.top_level_name))
    if matching or len(workers) > 1:
        return matching or run.workers(name)
    flags["rename"] = run.script(name)
    return workers
