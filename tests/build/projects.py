"""Projects made for one test."""

from __future__ import annotations

from pathlib import Path

from trailboss.config import Project, Worker


def make(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def load(folder: Path) -> Worker:
    return Project.load(folder, environment="", environ={}).worker()
