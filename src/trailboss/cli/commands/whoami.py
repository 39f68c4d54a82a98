"""`trailboss whoami`: which account and token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trailboss.cli.declare import command
from trailboss.cli.output import Output, table
from trailboss.cli.run import Run
from trailboss.errors import AuthenticationError

if TYPE_CHECKING:
    from trailboss.release.whoami import Account, Identity


@command("trailboss whoami", "trailboss whoami --target sandbox --json")
@click.option("--account", metavar="ID or NAME", help="Show the roles in this account.")
def whoami(run: Run, account: str | None) -> None:
    """Show which credentials and which account this project acts with, read from the account itself."""
    from trailboss.release.whoami import whoami as read_identity

    run.announce("")
    found = run.call(read_identity)
    chosen = _chosen(found, account)
    document = {
        "loggedIn": True,
        "authType": {"global key": "Global API Key"}.get(found.kind, "User API Token"),
        "email": found.email,
        "accounts": [item for item in found.accounts if account is None or item in chosen],
        "tokenPermissions": None,
        "kind": found.kind,
        "status": found.status,
        "token_id": found.token_id,
        "expires": found.expires,
        "notes": found.notes,
        "base_url": run.target.base_url,
    }
    run.result(document, lambda output: _show(output, found, chosen, run.target.base_url))


def _chosen(found: Identity, account: str | None) -> tuple[Account, ...]:
    if account is None:
        return found.accounts
    chosen = tuple(item for item in found.accounts if account in (item.id, item.name))
    if not chosen:
        raise AuthenticationError(
            "TB9012",
            f"these credentials do not reach an account {account}",
            hint="`trailboss whoami` lists the accounts they reach.",
        )
    return chosen


def _show(output: Output, found: Identity, accounts: tuple[Account, ...], base_url: str) -> None:
    facts = (
        ("Token", f"{found.kind}, {found.status}" + (f", until {found.expires}" if found.expires else "")),
        ("E-mail", found.email or ""),
        ("API", base_url),
    )
    output.show(table((), [[output.style(name, "2", output.out), text] for name, text in facts if text]))
    output.line()
    mark = output.style("●", "32;1", output.out)
    rows = [[mark if item.active else " ", item.name, item.id, ", ".join(item.roles)] for item in accounts]
    output.show(table(("", "account", "id", "roles"), rows))
    for note in found.notes:
        output.note(output.style(f"Not shown: {note}", "2"))
