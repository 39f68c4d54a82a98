"""Who the emulated account is, and the file that tells others how to reach it."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trailboss.errors import SandboxError


@dataclass(frozen=True, slots=True)
class Identity:
    """What stays the same over restarts and resets of one sandbox."""

    name: str
    account_id: str
    token: str
    token_id: str
    user_id: str
    subdomain: str

    @property
    def s3_secret(self) -> str:
        """R2's rule: the S3 secret is the SHA-256 of the API token, in hex."""
        return hashlib.sha256(self.token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection file: everything a client needs to use the running sandbox."""

    name: str
    pid: int
    api_url: str
    control_url: str
    edge_url: str
    edge_port: int
    account_id: str
    token: str
    subdomain: str
    s3: dict[str, str]
    version: str
    started_at: str


def load_identity(path: Path, name: str) -> Identity:
    """The identity in `path`, made on first use.

    Raises:
        SandboxError: TB5005 when the file is there and unreadable.
    """
    if path.exists():
        return Identity(**read_state(path))
    identity = Identity(
        name=name,
        account_id=secrets.token_hex(16),
        token=secrets.token_urlsafe(30).replace("-", "x").replace("_", "y"),
        token_id=secrets.token_hex(16),
        user_id=secrets.token_hex(16),
        subdomain=name.lower().replace(".", "-").replace("_", "-") if name != "default" else "sandbox",
    )
    write_private(path, asdict(identity))
    return identity


def read_state(path: Path) -> dict[str, Any]:
    """The JSON object in a file of ours.

    Raises:
        SandboxError: TB5005 when it is not one.
    """
    try:
        value = json.loads(path.read_text())
        if isinstance(value, dict):
            return value
    except (OSError, ValueError):
        pass
    raise SandboxError(
        "TB5005",
        f"the sandbox's file {path} cannot be read",
        hint="Run `trailboss sandbox start --reset` to begin with an empty sandbox.",
    )


def write_private(path: Path, value: dict[str, Any]) -> None:
    """Write JSON in one step, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        json.dump(value, handle, indent=1)
    staging.replace(path)
