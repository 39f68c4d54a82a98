"""The configuration as we resolved it for one environment, in a private folder where wrangler reads it.

wrangler knows nothing of trailboss.toml and its inherited bindings. The folder holds no secret.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trailboss.config import Worker

NAME = "wrangler.json"


def private_folder(worker: Worker, environment: str | None) -> Path:
    """This process's folder for `worker`, readable by this user only; made now.

    What sessions that were killed left behind goes: nothing in it is worth keeping.
    """
    place = worker.directory / ".wrangler" / "trailboss" / "dev" / (environment or "top")
    folder = place / f"{worker.key}.{os.getpid()}"
    for other in place.glob(f"{glob.escape(worker.key)}.*"):
        if other != folder and not _is_running(other.suffix[1:]):
            shutil.rmtree(other, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def _is_running(pid: str) -> bool:
    """Whether a process has that id; what is no id is left alone."""
    if not pid.isdigit():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def write_flat(worker: Worker, folder: Path, *, force: bool = False) -> Path:
    """Write the configuration in one step. What says so already is left alone, unless forced: wrangler reads
    everything again when the file changes.
    """
    file = folder / NAME
    text = json.dumps(absolute(worker), indent=2)
    if not force and file.is_file() and file.read_text() == text:
        return file
    staging = folder / f".{NAME}.{os.getpid()}"
    staging.write_text(text)
    staging.replace(file)
    return file


def connection_strings(worker: Worker) -> dict[str, str]:
    """Hyperdrive's local connection strings by the variable wrangler reads them from: they may hold a
    password, so they go there and not into a file.
    """
    found = {}
    for entry in worker.raw.get("hyperdrive") or ():
        if isinstance(entry.get("localConnectionString"), str):
            name = f"CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_{entry['binding']}"
            found[name] = entry["localConnectionString"]
    return found


def absolute(worker: Worker) -> dict[str, Any]:
    """The resolved configuration with its paths written out, and without what may be secret."""
    found: dict[str, Any] = json.loads(json.dumps(worker.raw, default=str))
    folder = worker.directory
    if worker.main is not None:
        found["main"] = str(worker.main)
    for key in ("base_dir", "tsconfig"):
        _write_out(found, key, folder)
    for table, key in (("assets", "directory"), ("site", "bucket")):
        if isinstance(found.get(table), dict):
            _write_out(found[table], key, folder)
    for key in ("wasm_modules", "text_blobs", "data_blobs"):
        for name in found.get(key) or ():
            _write_out(found[key], name, folder)
    for container in found.get("containers") or ():
        if (folder / str(container.get("image"))).exists():  # else it is an address in a registry
            _write_out(container, "image", folder)
    for database in found.get("d1_databases") or ():
        database["migrations_dir"] = str(folder / database.get("migrations_dir", "migrations"))
    for entry in found.get("hyperdrive") or ():
        entry.pop("localConnectionString", None)
    _build(found, folder)
    found["alias"] = {
        name: str(folder / target) if target.startswith(".") else target
        for name, target in (found.get("alias") or {}).items()
    }
    if not found["alias"]:
        del found["alias"]
    return found


def _build(found: dict[str, Any], folder: Path) -> None:
    """A custom build runs in the Worker's folder and watches there."""
    build = found.get("build")
    if not isinstance(build, dict) or not build.get("command"):
        return
    build["cwd"] = str(folder / build.get("cwd", "."))
    watched = build.get("watch_dir", "./src")
    names = [watched] if isinstance(watched, str) else watched
    build["watch_dir"] = [str(folder / name) for name in names]


def _write_out(table: dict[str, Any], key: str, folder: Path) -> None:
    if isinstance(table.get(key), str):
        table[key] = str(folder / table[key])
