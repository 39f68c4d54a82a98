"""`trailboss tunnel create|list|info|delete|route|run`: Cloudflare Tunnels."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from trailboss.cli.declare import command
from trailboss.cli.output import Output, table
from trailboss.cli.run import Run
from trailboss.errors import AuthenticationError, RefusedError

if TYPE_CHECKING:
    from trailboss.develop.routing import Routed, Shown
    from trailboss.develop.tunnels import Rule, Tunnel


@command("trailboss tunnel create empathy-agency-tunnel", "trailboss tunnel create ssh-access --json")
@click.argument("name")
def create(run: Run, name: str) -> None:
    """Make a tunnel. Running it again changes nothing.

    It is written into trailboss.toml and made in the account. Its rules are kept at Cloudflare, so that any
    connector started with its token serves the same host names.
    """
    from trailboss.cli.developing import files_of
    from trailboss.develop.tunnels import ensure_tunnel

    run.announce("")
    files = files_of(run, "tunnel create")
    found, made = run.call(lambda cloud: ensure_tunnel(cloud, name, files))
    left_out = made and files is not None and not files.takes
    run.result({**_fields(found), "created": made}, lambda output: _made(output, found, made, left_out))


def _made(output: Output, found: Tunnel, made: bool, left_out: bool) -> None:
    from trailboss.cli import views

    views.tick(output, f"Tunnel {found.name} {'made' if made else 'is already there'}: {found.id}")
    if left_out:
        output.note(
            "  not in trailboss.toml, where each environment would get one; --env NAME writes it for one"
        )
    output.note(f"  Lead a host name to it: trailboss tunnel route {found.name} app.example.com --service …")


def _fields(found: Tunnel) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "status": found.status,
        "created_at": found.created_at,
        "connections": found.connections,
    }


@command("trailboss tunnel list", "trailboss tunnel list --json")
def listing(run: Run) -> None:
    """Show the tunnels of the account and whether they are connected."""
    from trailboss.develop.tunnels import list_tunnels

    run.announce("")
    found = run.call(list_tunnels)
    run.result([_fields(one) for one in found], lambda output: _show_list(output, found))


def _show_list(output: Output, found: list[Tunnel]) -> None:
    if not found:
        output.line("No tunnels.")
        return
    rows = [(one.name, one.status, str(one.connections), one.created_at[:10], one.id) for one in found]
    output.show(table(("name", "status", "connections", "created", "id"), rows, right=(2,)))


@command("trailboss tunnel info empathy-agency-tunnel", "trailboss tunnel info ssh-access --json")
@click.argument("name")
def info(run: Run, name: str) -> None:
    """Show one tunnel and the host names that lead to it."""
    from trailboss.develop.routing import show

    run.announce("")
    found = run.call(lambda cloud: show(cloud, name))
    document = {**_fields(found.tunnel), "rules": [_rule(rule) for rule in found.rules]}
    run.result(document, lambda output: _show_one(output, found))


def _rule(rule: Rule) -> dict[str, Any]:
    return {"hostname": rule.hostname, "path": rule.path or None, "service": rule.service}


def _show_one(output: Output, found: Shown) -> None:
    tunnel = found.tunnel
    output.line(f"{tunnel.name}  {tunnel.id}  {tunnel.status}")
    if not found.rules:
        output.line("No host name leads to it.")
        return
    rows = [(rule.hostname + rule.path, rule.service) for rule in found.rules]
    output.show(table(("host name", "service"), rows))


@command("trailboss tunnel delete empathy-agency-tunnel", "trailboss tunnel delete ssh-access --force --yes")
@click.argument("name")
@click.option("--force", is_flag=True, help="Also when it is connected: its connections are ended.")
def delete(run: Run, name: str, force: bool) -> None:
    """Delete a tunnel. What trailboss.toml has of it goes too: the tunnel, its rules, the records of its host
    names. Other DNS records that lead to it stay, and answer with an error from then on.
    """
    from trailboss.cli.developing import files_of
    from trailboss.develop import routing
    from trailboss.develop.tunnels import find_tunnel

    run.announce("")
    files = files_of(run, "tunnel delete")
    declared = files.tunnel(name) if files else None
    name = declared.spec.name if declared else name
    found = run.call(lambda cloud: find_tunnel(cloud, name))
    ask = run.confirm()
    if ask is not None and not ask(f"Delete the tunnel {found.name}?"):
        raise RefusedError("TB9476", f"the tunnel {found.name} was not deleted", hint="You answered no.")
    run.call(lambda cloud: routing.delete(cloud, found, files, force=force))
    run.result({"id": found.id, "name": found.name, "deleted": True}, lambda output: _deleted(output, found))


def _deleted(output: Output, found: Tunnel) -> None:
    from trailboss.cli import views

    views.tick(output, f"Tunnel {found.name} deleted")


@command(
    "trailboss tunnel route empathy-agency-tunnel app.example.com --service http://localhost:8787",
    "trailboss tunnel route empathy-agency-tunnel app.example.com --delete",
)
@click.argument("words", nargs=-1, required=True, metavar="[dns] TUNNEL HOSTNAME")
@click.option("--service", metavar="URL", help="Where its requests go, seen from the connector.")
@click.option("--delete", "remove", is_flag=True, help="Take the DNS record and the rule away.")
@click.option("--force", "-f", is_flag=True, help="Replace what the host name leads to now.")
def route(run: Run, words: tuple[str, ...], service: str | None, remove: bool, force: bool) -> None:
    """Lead a public host name to a tunnel: the DNS record, and with --service the tunnel's own rule.

    `tunnel route dns TUNNEL HOSTNAME`, as cloudflared has it, means the same without --service. Where
    trailboss.toml has the tunnel, both are written there.
    """
    from trailboss.cli.developing import files_of
    from trailboss.develop import routing

    named = words[1:] if words[:1] == ("dns",) and len(words) == 3 else words
    if len(named) != 2:
        raise click.UsageError("give the tunnel and the host name, and nothing else")
    tunnel, hostname = named
    run.announce("")
    files = files_of(run, "tunnel route")
    done = run.call(
        lambda cloud: (
            routing.unroute(cloud, tunnel, hostname, files)
            if remove
            else routing.route(cloud, tunnel, hostname, service, force=force, files=files)
        )
    )
    run.result(done, lambda output: _routed(output, done, remove))


def _routed(output: Output, done: Routed, removed: bool) -> None:
    from trailboss.cli import views

    if removed:
        views.tick(output, f"{done.hostname} no longer leads to {done.tunnel}")
        return
    through = f"{done.tunnel} and there to {done.service}" if done.service else done.tunnel
    views.tick(output, f"{done.url} leads to {through}" + ("" if done.changed else " already"))


@command("trailboss tunnel run empathy-agency-tunnel", "trailboss tunnel run --log-level debug my-tunnel")
@click.argument("name")
@click.option(
    "--log-level",
    "--loglevel",
    "level",
    type=click.Choice(["debug", "info", "warn", "error", "fatal"]),
    default="info",
    help="How much cloudflared says.",
)
def run_(run: Run, name: str, level: str) -> None:
    """Run the tunnel from this machine with cloudflared, until Ctrl-C.

    Its token is fetched and given to cloudflared in its environment: it is in no command line and no file.
    """
    from trailboss.cli.developing import Log
    from trailboss.develop.running import run_tunnel

    run.announce("")
    run.call(lambda cloud: run_tunnel(cloud, name, Log(run), level=level))
    sys.stdout.flush()


@command(
    "trailboss tunnel forward --hostname db.example.com --listen 15432",
    "ssh -o 'ProxyCommand trailboss tunnel forward --hostname %h' ssh.example.com",
)
@click.option("--hostname", required=True, metavar="HOST", help="The public host name at the tunnel.")
@click.option("--listen", type=click.IntRange(0, 65535), metavar="PORT", help="Listen there.")
def forward(run: Run, hostname: str, listen: int | None) -> None:
    """Carry a TCP connection through a tunnel, over standard input and output or a local port.

    This is what `cloudflared access tcp` does, for where it is not installed, and for a sandbox. Access is
    shown the service token of CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET, or CF_ACCESS_TOKEN.
    """
    import os

    from trailboss.develop.forwarding import forward as carry

    def tell(port: int) -> None:
        run.output.note(f"listening on 127.0.0.1:{port}, until Ctrl-C")

    try:
        known = run.target.is_sandbox
    except AuthenticationError:  # a host name of Cloudflare's needs no API token
        known = False
    if known:
        run.call(lambda cloud: carry(cloud, hostname, os.environ, listen=listen, tell=tell))
    else:
        run.wait(carry(None, hostname, os.environ, listen=listen, tell=tell))
