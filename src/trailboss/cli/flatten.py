"""For an environment that lives in trailboss.toml: the configuration as we resolved it, in a file
wrangler can read.

wrangler knows nothing of trailboss.toml, so `--env staging` alone would give it a Worker without
inherited bindings, or no environment at all. It gets a flat configuration instead, in the project's own
`.wrangler` folder.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from trailboss.cli.words import Line
from trailboss.develop.flat import absolute

if TYPE_CHECKING:
    from trailboss.config import Project

_WORDS = """containers delete deploy deployments hyperdrive queues rollback secret tail triggers vectorize
versions workflows"""
IN_THE_ACCOUNT = frozenset(_WORDS.split())
"""Commands of wrangler's that always act on the account; others do when `--remote` says so.

What acts on this machine is left with the user's own file: local data and variables are in its folder."""


def flat_config(project: Project, line: Line) -> Path | None:
    """The file to hand to wrangler instead of `--env`; None when wrangler reads the project by itself as
    well.
    """
    if project.file is None or project.environment.name is None or "--config" in line.arguments:
        return None
    if "--remote" not in line.arguments and line.command[0] not in IN_THE_ACCOUNT:
        return None
    worker = project.here or (project.workers[0] if len(project.workers) == 1 else None)
    if worker is None or worker.redirected:
        return None
    if worker.declared and not worker.resolved.origins and worker.resolved.document.derived is None:
        return None
    file = worker.directory / ".wrangler" / "trailboss" / f"{project.environment.name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(absolute(worker), indent=2))
    return file


def is_unknown(project: Project, line: Line) -> bool:
    """Whether wrangler's own file has other environments and not this one, which it refuses. What acts on
    this machine then goes by the top level, as wrangler itself does where a file has no environments."""
    if project.file is None or project.environment.name is None or "--config" in line.arguments:
        return False
    worker = project.here or (project.workers[0] if len(project.workers) == 1 else None)
    if worker is None or worker.redirected or worker.declared:
        return False
    return bool(worker.resolved.document.data.get("env"))


def without_environment(arguments: list[str]) -> list[str]:
    """The arguments without `--env NAME`: a flat file has no environments."""
    kept: list[str] = []
    position = 0
    while position < len(arguments):
        word = arguments[position]
        if word == "--":
            return kept + arguments[position:]
        named = word in ("-e", "--env")
        if not named and not word.startswith(("-e=", "--env=")):
            kept.append(word)
        position += 2 if named else 1
    return kept
