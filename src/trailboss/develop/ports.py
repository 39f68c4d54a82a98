"""Whether a port can be listened on, and who has it when it cannot."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from pathlib import Path

from trailboss.errors import UsageError

EVERYWHERE = ("*", "0.0.0.0", "::", "")  # noqa: S104 - what a user may write, not what we listen on


def need_port(port: int, address: str = "localhost", *, what: str = "--port") -> None:
    """Return when `port` is free on `address`.

    Raises:
        UsageError: TB9460 it is taken, TB9461 it cannot be listened on for another reason.
    """
    for family, kind, place in _places(port, address):
        problem = _bind(family, kind, place)
        if problem == errno.EADDRINUSE:
            holder = owner(port)
            raise UsageError(
                "TB9460",
                f"port {port} is taken" + (f" by {holder}" if holder else ""),
                hint=f"Stop that process, or choose another port with {what}.",
            )
        if problem == errno.EADDRNOTAVAIL and family == socket.AF_INET:
            raise _no_address(address)
        if problem == errno.EACCES and family == socket.AF_INET:
            raise UsageError(
                "TB9461",
                f"listening on port {port} needs rights that this user does not have",
                hint=f"Choose another port with {what}, above 1023.",
            )


def is_taken(port: int, address: str = "localhost") -> bool:
    """Whether somebody listens on `port` of `address`.

    Raises:
        UsageError: TB9461 `address` is no address of this machine.
    """
    return any(
        _bind(family, kind, place) == errno.EADDRINUSE for family, kind, place in _places(port, address)
    )


def free_port() -> int:
    """A port of the loopback address nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _places(port: int, address: str) -> list[tuple[int, int, tuple[object, ...]]]:
    """Family, kind and address of every socket that listening there means."""
    host = "" if address in EVERYWHERE else address
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE if not host else 0
        )
    except OSError as error:
        raise _no_address(address) from error
    return [(family, kind, place) for family, kind, _, _, place in found]


def _no_address(address: str) -> UsageError:
    hint = "--ip takes an address that this machine has, or localhost."
    return UsageError("TB9461", f"{address} is no address of this machine", hint=hint)


def _bind(family: int, kind: int, place: tuple[object, ...]) -> int:
    """0, or why not (errno). SO_REUSEADDR: what only waits out its last connections is free."""
    try:
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(place)
            probe.listen(1)
    except OSError as error:
        return error.errno or errno.EINVAL
    return 0


def is_served(port: int) -> bool:
    """Whether anybody listens on `port`, asked without a connection; True where the system does not tell."""
    tables = [table for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")) if table.is_file()]
    return not tables or any(_listening(table, port) for table in tables)


def owner(port: int) -> str:
    """`node (pid 123)`: who listens on `port`, where the system tells (Linux, own processes); else ""."""
    inodes = {inode for table in ("tcp", "tcp6") for inode in _listening(Path("/proc/net") / table, port)}
    if not inodes:
        return ""
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name.isdigit() and any(
                str(handle.readlink()) in wanted for handle in (process / "fd").iterdir()
            ):
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return ""


def _listening(table: Path, port: int) -> list[str]:
    """The inodes of sockets in state LISTEN (0A); see proc_net_tcp(5)."""
    try:
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
    except OSError:
        return []
    return [row[9] for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port]
