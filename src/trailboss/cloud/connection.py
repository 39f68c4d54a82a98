"""A running sandbox's connection file: how everybody but the command line finds the sandbox."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from trailboss.errors import SandboxError
from trailboss.toolchain.folders import data_root
from trailboss.values import Secret


@dataclass(frozen=True, slots=True)
class Connection:
    """What `connection.json` says: `api_url` ends in /client/v4, `edge_url` is where Workers answer."""

    name: str
    pid: int
    api_url: str
    edge_url: str
    account_id: str
    token: Secret


def sandbox_root(environ: Mapping[str, str]) -> Path:
    """The folder of all sandboxes: `TRAILBOSS_SANDBOX_HOME`, else the user's data folder."""
    override = environ.get("TRAILBOSS_SANDBOX_HOME")
    if override:
        return Path(override)
    return data_root() / "sandbox"


def read_connection(name: str, environ: Mapping[str, str]) -> Connection:
    """The connection of the running sandbox `name`.

    Raises:
        SandboxError: TB5901 it is not running, TB5902 its connection file cannot be read.
    """
    import json

    file = sandbox_root(environ) / name / "connection.json"
    start = "trailboss sandbox start" + ("" if name == "default" else f" --name {name}")
    try:
        found = _parse(json.loads(file.read_bytes()))
    except (FileNotFoundError, NotADirectoryError):
        raise SandboxError(
            "TB5901", f"the sandbox '{name}' is not running", hint=f"Start it with `{start}`."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SandboxError(
            "TB5902",
            f"the sandbox's connection file {file} cannot be read ({type(error).__name__})",
            hint=f"Stop the sandbox and start it again: `{start}`.",
        ) from None
    if not is_alive(found.pid):
        raise SandboxError(
            "TB5901",
            f"the sandbox '{name}' is not running: its process {found.pid} is gone",
            hint=f"Start it with `{start}`; its data is still there.",
        )
    return found


def running_connections(environ: Mapping[str, str]) -> Iterator[Connection]:
    """Every sandbox of this user that is running now."""
    root = sandbox_root(environ)
    for file in sorted(root.glob("*/connection.json")) if root.is_dir() else ():
        try:
            yield read_connection(file.parent.name, environ)
        except SandboxError:  # not running: exactly what we leave out
            continue


def is_alive(pid: int) -> bool:
    """Whether a process with this id exists, whoever owns it."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError) as error:
        return isinstance(error, PermissionError)
    return True


def _parse(data: dict[str, object]) -> Connection:
    pid = data["pid"]
    if not isinstance(pid, int):
        raise TypeError("pid")
    text = {key: data[key] for key in ("name", "api_url", "edge_url", "account_id", "token")}
    if not all(isinstance(value, str) and value for value in text.values()):
        raise TypeError("connection")
    return Connection(
        name=str(text["name"]),
        pid=pid,
        api_url=str(text["api_url"]).rstrip("/"),
        edge_url=str(text["edge_url"]).rstrip("/"),
        account_id=str(text["account_id"]),
        token=Secret(str(text["token"])),
    )
