"""`ci init`: the pipeline's file for one service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trailboss.export import github, gitlab
from trailboss.export.generated import State, write
from trailboss.export.pipeline import Load, Pipeline, read_pipeline

if TYPE_CHECKING:
    from trailboss.config import Project


@dataclass(frozen=True, slots=True)
class CiInit:
    """What `ci init` did. `file` is relative to the repository's root; `stages` the environments in order,
    `secrets` the names the service has to be given, `approvals` environments somebody has to agree to."""

    service: str
    file: str
    state: State
    branch: str
    stages: tuple[str, ...]
    approvals: tuple[str, ...]
    secrets: tuple[str, ...]
    root: Path


SERVICES: dict[str, tuple[Callable[[Pipeline], str], Callable[[Pipeline], str]]] = {
    "github": (github.path, github.workflow),
    "gitlab": (gitlab.path, gitlab.pipeline_file),
}


def init(project: Project, load: Load, service: str, *, force: bool = False) -> CiInit:
    """Write the pipeline of `project` for `service` ("github" or "gitlab").

    Raises what `read_pipeline` and `generated.write` raise."""
    pipeline = read_pipeline(project, load)
    path, text = SERVICES[service]
    name = path(pipeline)
    done = write(pipeline.root / name, text(pipeline), force=force)
    titles = tuple(stage.title for stage in pipeline.stages)
    return CiInit(
        service=service,
        file=name,
        state=done.state,
        branch=pipeline.branch,
        stages=titles,
        approvals=titles[1:],
        secrets=tuple(dict.fromkeys(name for stage in pipeline.stages for name in stage.secrets)),
        root=pipeline.root,
    )
