"""Bundle a Worker with wrangler's own bundler: one dry run, no API call."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trailboss.build import failures, multipart
from trailboss.build.multipart import Part
from trailboss.build.normalise import portable
from trailboss.build.spare import Spares, is_wanted
from trailboss.build.subject import Subject, check_entry
from trailboss.build.wrangler import Output, Stop, Wrangler, environment, run, with_compiled
from trailboss.errors import BuildError
from trailboss.toolchain.folders import with_programs


@dataclass(frozen=True, slots=True)
class Bundle:
    """What one dry run gave: the form parts except `metadata`, that metadata, and esbuild's own account.

    `inputs` maps each source esbuild read to what it imports; it is empty when nothing was bundled.
    """

    parts: tuple[Part, ...]
    metadata: Mapping[str, Any]
    inputs: Mapping[str, Mapping[str, Any]]
    warnings: tuple[str, ...]


def bundle(
    subject: Subject,
    wrangler: Wrangler,
    *,
    environ: Mapping[str, str],
    progress: Callable[[str], None] = lambda _: None,
    stop: Stop | None = None,
) -> Bundle:
    """Run wrangler's bundler over `subject`.

    Raises:
        BuildError: TB3101-TB3104 what wrangler reported, TB3105 it did not start, TB3106 it left no form.
    """
    check_entry(subject)
    progress(f"bundling {subject.name} with wrangler {wrangler.version}")
    with tempfile.TemporaryDirectory(prefix="trailboss-build-") as folder:
        scratch = Path(folder)
        variables = environment(scratch / "logs", environ)
        if subject.build_command is None:  # the project's own programs do not fill a cache of ours
            variables = with_compiled(variables)
        else:
            variables = with_programs(variables, subject.base)
        warm = subject.build_command is None and is_wanted(environ)
        output = _run(
            wrangler,
            _arguments(subject, scratch),
            cwd=subject.base,
            env=variables,
            stop=stop,
            spares=Spares(wrangler, subject.base, variables) if warm else None,
        )
        if output.status != 0:
            raise failures.failure(output, subject.base)
        return collect(subject, wrangler, scratch, failures.warnings(output))


def _run(
    wrangler: Wrangler,
    arguments: list[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stop: Stop | None,
    spares: Spares | None,
) -> Output:
    """Run wrangler: a spare that waits for this, else one from the start, which also says what is wrong."""
    output = spares.run(arguments, stop) if spares is not None else None
    if output is None or output.status != 0:
        output = run(wrangler, arguments, cwd=cwd, env=env, stop=stop)
    if spares is not None and output.status == 0:
        spares.leave_one()
    return output


def _arguments(subject: Subject, scratch: Path) -> list[str]:
    arguments = ["deploy"]
    if subject.options.script is not None:
        arguments.append(str(subject.main))
    arguments.append("--dry-run")
    if not subject.redirected:
        # An empty --env is wrangler's spelling of "the top level", also against CLOUDFLARE_ENV.
        arguments += ["--config", str(subject.config), "--env", subject.wrangler_environment]
    arguments += ["--outfile", str(scratch / "form"), "--metafile", str(scratch / "meta.json")]
    if subject.assets_directory is not None:
        # Assets are hashed here, once and with a memory; wrangler would hash them all each time.
        empty = scratch / "assets"
        empty.mkdir()
        arguments += ["--assets", str(empty)]
    if subject.settings.get("containers"):
        arguments += ["--containers-rollout", "none"]
    return arguments + subject.options.build_arguments()


def collect(subject: Subject, wrangler: Wrangler, scratch: Path, warnings: tuple[str, ...] = ()) -> Bundle:
    """Read what a dry run left in `scratch`: `form` and, unless nothing was bundled, `meta.json`.

    Raises:
        BuildError: TB3106 there is no usable form.
    """
    form = scratch / "form"
    if not form.exists():
        raise BuildError(
            "TB3106",
            f"wrangler {wrangler.version} ended well but wrote no upload form",
            hint="Trailboss needs `deploy --dry-run --outfile`; use wrangler 4.20 or newer in this project.",
        )
    parts = portable(multipart.parse(form.read_bytes()), wrangler, subject.base)
    fields = {part.name: part for part in parts if part.filename is None}
    if "metadata" not in fields:
        raise BuildError("TB3106", "wrangler's dry run form has no metadata", hint="Use the pinned wrangler.")
    meta = scratch / "meta.json"
    inputs = json.loads(meta.read_bytes())["inputs"] if meta.exists() else {}
    code = tuple(part for part in parts if part.filename is not None)
    return Bundle(code, json.loads(fields["metadata"].content), inputs, warnings)
