"""Reset, snapshot and restore: the only places that replace the state folder under a running account."""

from __future__ import annotations

import asyncio
import re
import shutil
import tarfile
from pathlib import Path
from typing import Any

from trailboss.sandbox.box import Box
from trailboss.sandbox.products.invocations import collect
from trailboss.sandbox.refusals import ApiError, bad_request


async def reset(box: Box) -> None:
    """Empty the account. Runtime data goes only when there may be some, because that reloads the runtime."""
    box.faults.replace([])
    await collect(box)  # what was counted until now is of the account that goes
    box.ids.reset()
    box.clock.reset()
    box.tails.close_all()
    box.store.clear()
    for router in box.routers:
        for clean in router.cleaners:
            clean(box)
    async with box.runtime.exclusive():
        aside = _set_aside(box.folder.data)
    box.journal.clear()
    if aside is not None:
        box.spawn(asyncio.to_thread(shutil.rmtree, aside, True), "remove old data")


async def sweep(box: Box) -> None:
    """Delete blobs and asset folders that no version uses and that are older than this run.

    A reset leaves them, because the runtime may still hold a version it showed as a preview.
    """
    used = {module["sha256"] for version in box.store.all("version") for module in version["modules"]}
    used |= {asset["sha256"] for asset in box.store.all("asset")}
    sets = {version["assets"]["set"] for version in box.store.all("version") if version.get("assets")}
    await asyncio.to_thread(_delete_unused, box, used, sets)


def _delete_unused(box: Box, used: set[str], sets: set[str]) -> None:
    for blob in box.folder.blobs.glob("*/*"):
        if blob.name not in used and blob.stat().st_mtime < box.started:
            blob.unlink(missing_ok=True)
    for folder in box.folder.assets.iterdir():
        if folder.name not in sets and folder.stat().st_mtime < box.started:
            shutil.rmtree(folder, ignore_errors=True)


def _set_aside(folder: Path) -> Path | None:
    """Rename, because a rename is quick and a removal is not."""
    if not folder.exists():
        folder.mkdir(parents=True)
        return None
    aside = folder.with_name(f".gone-{folder.name}")
    number = 0
    while aside.exists():
        number += 1
        aside = folder.with_name(f".gone-{folder.name}-{number}")
    folder.rename(aside)
    folder.mkdir()
    return aside


def _file(box: Box, name: str) -> Path:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}", name):
        raise bad_request(f"{name!r} cannot name a snapshot")
    return box.folder.snapshots / f"{name}.tar"


def listed(box: Box) -> list[dict[str, Any]]:
    """Name, bytes and moment of each snapshot."""
    files = sorted(box.folder.snapshots.glob("*.tar"))
    return [
        {"name": f.stem, "bytes": f.stat().st_size, "taken": box.clock.iso(f.stat().st_mtime)} for f in files
    ]


async def take(box: Box, name: str) -> dict[str, Any]:
    """Write `state` to a tar file; requests to Workers wait meanwhile."""
    target = _file(box, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = target.with_suffix(".part")
    async with box.runtime.exclusive():
        box.store.checkpoint()
        await asyncio.to_thread(_pack, box.folder.state, staging)
    staging.replace(target)
    return {"name": name, "bytes": target.stat().st_size}


async def restore(box: Box, name: str) -> dict[str, Any]:
    """Replace `state` by what the tar file holds.

    Raises:
        ApiError: 404 when there is no such snapshot.
    """
    source = _file(box, name)
    if not source.exists():
        raise ApiError(404, 10404, f"there is no snapshot {name!r}")
    box.tails.close_all()
    async with box.runtime.exclusive():
        box.store.close()
        try:
            await asyncio.to_thread(_unpack, source, box.folder.state)
        finally:
            box.store.reopen()
    for router in box.routers:
        for clean in router.cleaners:
            clean(box)
    return {"name": name, "restored": True}


def _pack(state: Path, target: Path) -> None:
    with tarfile.open(target, "w") as tar:
        for entry in sorted(state.iterdir()):
            if not entry.name.startswith(".gone"):
                tar.add(entry, arcname=entry.name)


def _unpack(source: Path, state: Path) -> None:
    fresh = state.with_name("state.restoring")
    old = state.with_name("state.replaced")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh.mkdir()
    with tarfile.open(source) as tar:
        tar.extractall(fresh, filter="tar")
    state.rename(old)
    fresh.rename(state)
    shutil.rmtree(old, ignore_errors=True)
