"""`ssh`: the system's ssh to a machine behind a tunnel, and the lines for ssh_config that do the same."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trailboss.develop.access import ensure_authority, find_authority
from trailboss.develop.certificates_ssh import Identity, short_lived
from trailboss.develop.reach import Wanted, Way, prepare, proxy_command
from trailboss.errors import BuildError

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

BEGIN, END = "# >>> trailboss {host}", "# <<< trailboss {host}"


@dataclass(frozen=True, slots=True)
class Wish:
    """Which machine, and how; `arguments` go to ssh as they are, behind the host name."""

    wanted: Wanted
    user: str | None = None
    arguments: tuple[str, ...] = ()
    short_lived: bool | None = None
    """Whether Access is to sign a certificate; None: where it has an authority for this host name."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Everything is there: the command line for ssh, and what is needed to make it."""

    way: Way
    proxy: str
    authority: str | None
    """The public key that the machine's sshd has to trust for short-lived certificates."""


async def make_ready(cloud: Cloud, wish: Wish, environ: Mapping[str, str]) -> Ready:
    """Make sure of tunnel, rule, record, Access application, and authority where one is wanted.

    Raises:
        BuildError: TB3615 there is no ssh here, and those of `reach.prepare`.
    """
    if shutil.which("ssh") is None:
        raise BuildError("TB3615", "there is no ssh on the PATH", hint="Install the OpenSSH client.")
    way = await prepare(cloud, wish.wanted, environ)
    authority = None
    if wish.short_lived:
        authority = await ensure_authority(cloud, way.application)
    elif wish.short_lived is None and way.can_sign and not way.application.made:
        authority = await find_authority(cloud, way.application)
    return Ready(way, proxy_command(way, cloud.target.name), authority)


async def connect(cloud: Cloud, wish: Wish, environ: Mapping[str, str]) -> tuple[Ready, Identity | None]:
    """`make_ready`, and the short-lived certificate when one is wanted."""
    ready = await make_ready(cloud, wish, environ)
    identity = await short_lived(ready.way) if ready.authority is not None else None
    return ready, identity


def run_ssh(ready: Ready, wish: Wish, identity: Identity | None, environ: Mapping[str, str]) -> int:
    """The system's ssh on this terminal until it ends; its exit status.

    A certificate and its key are in a folder of their own, which goes with the session.
    """
    with ExitStack() as stack:
        options = ["-o", f"ProxyCommand={ready.proxy}"]
        if identity is not None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trailboss-ssh-")))
            options += identity.write(folder)
        if wish.user:
            options += ["-l", wish.user]
        command = ["ssh", *options, ready.way.place.hostname, *wish.arguments]
        return _foreground(command, {**environ, **ready.way.visitor.environ})


def _foreground(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """The terminal is the program's: a Ctrl-C is for it, and not for us."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        done = subprocess.run(command, env=dict(environ), check=False, preexec_fn=_heed_interrupts)
    finally:
        signal.signal(signal.SIGINT, before)
    return done.returncode if done.returncode >= 0 else 128 - done.returncode


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def stanza(ready: Ready, wish: Wish) -> str:
    """The lines of ssh_config for this host; they hold no secret."""
    host = ready.way.place.hostname
    lines = [BEGIN.format(host=host)]
    certificates = ready.authority is not None and ready.way.cloudflared is not None
    if certificates:
        assert ready.way.cloudflared is not None
        lines.append(f'Match host {host} exec "{ready.way.cloudflared.path} access ssh-gen --hostname %h"')
    else:
        lines.append(f"Host {host}")
    lines.append(f"  ProxyCommand {ready.proxy}")
    if wish.user:
        lines.append(f"  User {wish.user}")
    if certificates:
        lines += [
            "  IdentityFile ~/.cloudflared/%h-cf_key",
            "  CertificateFile ~/.cloudflared/%h-cf_key-cert.pub",
        ]
    return "\n".join([*lines, END.format(host=host), ""])


def write_stanza(file: Path, host: str, text: str) -> bool:
    """Put the lines into an ssh_config, in place of those that are there; False when it has them already.

    They come first: ssh takes the first value it finds.
    """
    before = file.read_text() if file.exists() else ""
    begin, end = BEGIN.format(host=host), END.format(host=host)
    head, found, rest = before.partition(f"{begin}\n")
    if found:
        inside, closed, tail = rest.partition(f"{end}\n")
        after = head + text + (tail if closed else inside)
    else:
        after = text + ("\n" + before if before else "")
    if after == before:
        return False
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    staging = file.with_name(f".{file.name}.{os.getpid()}")
    staging.write_text(after)
    staging.chmod(file.stat().st_mode & 0o777 if file.exists() else 0o600)
    staging.replace(file)
    return True
