"""`trailboss ssh`, `trailboss ssh config`: a machine behind a tunnel."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trailboss.cli.declare import command
from trailboss.cli.output import Output
from trailboss.cli.run import Run
from trailboss.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from trailboss.develop.ssh import Ready, Wish

_OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("--host", "machine"), {"metavar": "NAME", "help": "A machine of [ssh.hosts] in trailboss.toml."}),
    (("--tunnel",), {"metavar": "NAME", "help": "The tunnel; made when there is none."}),
    (("--hostname",), {"metavar": "HOST", "help": "The public host name at the tunnel."}),
    (
        ("--service",),
        {"metavar": "URL", "help": "Where sshd is, seen from the connector (ssh://localhost:22)."},
    ),
    (("--user", "-l"), {"metavar": "NAME", "help": "The user to log in as."}),
    (
        ("--short-lived/--no-short-lived",),
        {"default": None, "help": "Log in with a certificate that Access signs, or never."},
    ),
)


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    for spellings, settings in reversed(_OPTIONS):
        function = click.option(*spellings, **settings)(function)
    return function


@command(
    "trailboss ssh --env development --tunnel ssh-access-development --hostname ssh.dev.example.com",
    "trailboss ssh --host build -- -L 8080:localhost:80 uptime",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- SSH ARGUMENT]...")
@_options
def ssh(run: Run, arguments: tuple[str, ...], **asked: Any) -> int:
    """Open an ssh session on a machine behind a tunnel.

    Tunnel, rule, DNS record and an Access application in front are made where they are missing. What stands
    behind `--` goes to the system's ssh. Access lets in who is named: `emails` under [ssh], the service token
    of CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET, else you. The machine itself runs the connector.
    """
    from trailboss.develop.ssh import connect, run_ssh

    wish = _wish(run, asked, arguments)
    run.announce(wish.wanted.hostname)
    environ = _environ(run)
    ready, identity = run.call(lambda cloud: connect(cloud, wish, environ))
    _say_authority(run, ready)
    return run_ssh(ready, wish, identity, environ)


@command(
    "trailboss ssh config --tunnel ssh-access-development --hostname ssh.dev.example.com",
    "trailboss ssh config --host build --write",
)
@_options
@click.option("--write", is_flag=True, help="Put the lines into ~/.ssh/config, in place of earlier ones.")
@click.option("--file", metavar="FILE", help="Another file than ~/.ssh/config.")
def config(run: Run, write: bool, file: str | None, **asked: Any) -> None:
    """Print the lines for ~/.ssh/config with which ssh, scp, rsync and editors find the machine by name."""
    from trailboss.develop.ssh import make_ready, stanza, write_stanza

    wish = _wish(run, asked, ())
    run.announce(wish.wanted.hostname)
    environ = _environ(run)
    ready = run.call(lambda cloud: make_ready(cloud, wish, environ))
    _say_authority(run, ready)
    text, host = stanza(ready, wish), ready.way.place.hostname
    path = Path(file) if file else Path.home() / ".ssh" / "config"
    changed = write_stanza(path, host, text) if write else False
    document = {"hostname": host, "config": text, "file": str(path) if write else None, "changed": changed}
    run.result(document, lambda output: _show(output, document))


def _show(output: Output, document: dict[str, Any]) -> None:
    from trailboss.cli import views

    if document["file"] is None:
        output.line(document["config"].rstrip())
        return
    done = "has the lines now" if document["changed"] else "has the lines already"
    views.tick(output, f"{document['file']} {done}: ssh {document['hostname']}")


def _say_authority(run: Run, ready: Ready) -> None:
    if ready.authority is not None and not run.output.as_json:
        run.output.note(f"  sshd has to trust (TrustedUserCAKeys): {ready.authority}")


def _environ(run: Run) -> dict[str, str]:
    """The process's variables over those of the dotenv files: a service token may be a reference there."""
    wanted = ("CF_ACCESS_CLIENT_ID", "CF_ACCESS_CLIENT_SECRET", "CF_ACCESS_TOKEN")
    return {**{name: run.environ[name] for name in wanted if name in run.environ}, **os.environ}


def _wish(run: Run, asked: dict[str, Any], arguments: tuple[str, ...]) -> Wish:
    """What flags and `[ssh]` ask for; a flag wins.

    Raises:
        UsageError: TB9468 no such machine, TB9469 tunnel or host name is missing.
    """
    from trailboss.cli.developing import files_of
    from trailboss.develop.reach import Wanted
    from trailboss.develop.settings import SshSettings
    from trailboss.develop.ssh import Wish

    settings = run.project.section("ssh", SshSettings)
    machine = asked["machine"]
    if machine is not None and machine not in settings.hosts:
        known = ", ".join(settings.hosts) or "none"
        raise UsageError(
            "TB9468", f"there is no machine '{machine}' under [ssh.hosts]", hint=f"There are: {known}."
        )
    host = settings.hosts[machine] if machine is not None else settings
    tunnel, hostname = asked["tunnel"] or host.tunnel, asked["hostname"] or host.hostname
    if not tunnel or not hostname:
        missing = "--hostname" if tunnel else "--tunnel"
        raise UsageError(
            "TB9469", f"{missing} is missing", hint="Give it, or write it under [ssh] in trailboss.toml."
        )
    service, emails = asked["service"] or host.service, tuple(host.emails or settings.emails)
    return Wish(
        Wanted(tunnel, hostname, service, "ssh://localhost:22", emails, files=files_of(run, "ssh")),
        asked["user"] or host.user,
        arguments,
        host.short_lived_certificates if asked["short_lived"] is None else asked["short_lived"],
    )
