"""Where a sandbox lives on disk: one folder per sandbox name."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from trailboss.errors import SandboxError

DEFAULT_NAME = "default"


def sandbox_home() -> Path:
    """The folder of all sandboxes: `TRAILBOSS_SANDBOX_HOME`, else the user's data folder."""
    override = os.environ.get("TRAILBOSS_SANDBOX_HOME")
    if override:
        return Path(override)
    import platformdirs

    return Path(platformdirs.user_data_dir("trailboss", appauthor=False)) / "sandbox"


@dataclass(frozen=True, slots=True)
class Folder:
    """The paths of one sandbox below `root`."""

    root: Path

    @property
    def connection(self) -> Path:
        """How others reach the running sandbox; exists only while it runs."""
        return self.root / "connection.json"

    @property
    def lock(self) -> Path:
        """Held (flock) by the running daemon for as long as it lives."""
        return self.root / "lock"

    @property
    def log(self) -> Path:
        """What the daemon and the side-car say."""
        return self.root / "daemon.log"

    @property
    def identity(self) -> Path:
        """Account id, token and subdomain: the same over restarts."""
        return self.root / "identity.json"

    @property
    def state(self) -> Path:
        """Everything a reset deletes and a snapshot keeps."""
        return self.root / "state"

    @property
    def database(self) -> Path:
        """The control plane's SQLite file."""
        return self.state / "account.sqlite"

    @property
    def blobs(self) -> Path:
        """Module and asset bytes, named by their SHA-256."""
        return self.state / "blobs"

    @property
    def assets(self) -> Path:
        """One folder per asset set: hard links into `blobs` under the paths they are served at."""
        return self.state / "assets"

    @property
    def data(self) -> Path:
        """The side-car's folder: KV, D1, R2, Durable Objects, Workflows."""
        return self.state / "data"

    @property
    def snapshots(self) -> Path:
        """Tar files of `state`, by name."""
        return self.root / "snapshots"

    @property
    def journal(self) -> Path:
        """The request journal's SQLite file."""
        return self.root / "journal.sqlite"


def folder_of(name: str = "", home: Path | None = None) -> Folder:
    """The folder of sandbox `name` (else `TRAILBOSS_SANDBOX`, else "default").

    Raises:
        SandboxError: TB5001 when the name could not be a folder name.
    """
    name = name or os.environ.get("TRAILBOSS_SANDBOX") or DEFAULT_NAME
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", name):
        raise SandboxError(
            "TB5001",
            f"{name!r} cannot name a sandbox",
            hint="Use at most 63 letters, digits, dots, dashes and underscores; a letter or digit first.",
        )
    return Folder((home or sandbox_home()) / name)
