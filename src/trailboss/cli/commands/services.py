"""`hyperdrive create`, `mtls enable`, `analytics create`: what a Worker reaches beyond its own storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from trailboss.cli.declare import command
from trailboss.cli.editing import make_resource, show_made
from trailboss.cli.run import Run

if TYPE_CHECKING:
    pass

binding = click.option("--binding", metavar="NAME", help="How the Worker calls it; else made from the name.")


@command(
    'trailboss hyperdrive create gcp-postgres --connection-string "op://Production/GCP_DB_CONNECTION"',
    "trailboss hyperdrive create orders --connection-string '${ORDERS_URL}' --max-age 30",
)
@click.argument("name")
@click.option("--connection-string", required=True, metavar="URL", help="op://…, ${NAME}, or the URL itself.")
@click.option("--caching-disabled", is_flag=True, default=None, help="Do not cache answers of queries.")
@click.option("--max-age", type=int, metavar="SECONDS", help="How long answers may be cached.")
@click.option("--swr", type=int, metavar="SECONDS", help="How long a stale answer serves meanwhile.")
@click.option("--origin-connection-limit", type=int, metavar="N", help="Connections to the database.")
@click.option("--sslmode", metavar="MODE", help="require, verify-ca or verify-full.")
@binding
def hyperdrive(
    run: Run,
    *,
    name: str,
    connection_string: str,
    caching_disabled: bool | None,
    max_age: int | None,
    swr: int | None,
    origin_connection_limit: int | None,
    sslmode: str | None,
    binding: str | None,
) -> None:
    """Create a Hyperdrive for a database: written into the files with its binding, then made in the account.

    The connection string is resolved when it is sent, and never written down: a reference stays a reference,
    and of a URL the password becomes `${NAME_PASSWORD}`, which later runs have to find in the environment.
    """
    from trailboss.cli.connection_string import split

    origin, known = split(name, connection_string)
    options: dict[str, Any] = {
        "caching_disabled": caching_disabled,
        "max_age": max_age,
        "stale_while_revalidate": swr,
        "origin_connection_limit": origin_connection_limit,
        "sslmode": sslmode,
    }
    table = {**origin, **{key: value for key, value in options.items() if value is not None}}
    doing = f"hyperdrive create {name}"
    made = make_resource(run, "hyperdrive_config", name, table, binding=binding, doing=doing, known=known)
    for reference in known:
        run.output.note(f"  the password is not written down: set {reference[2:-1]} for later runs")
    run.result(made, lambda output: show_made(output, made))


@command(
    "trailboss mTls enable --certificate enterprise-cert --env production",
    "trailboss mtls enable --certificate partner --hostname api.example.com --zone production-zone",
)
@click.option("--certificate", required=True, metavar="NAME", help="Its name in the account, or its key.")
@click.option("--hostname", metavar="HOST", help="Ask visitors of this hostname for a client certificate.")
@click.option("--zone", metavar="ZONE", help="The hostname's zone: a domain or a name in [zones].")
@binding
def mtls_enable(
    run: Run, *, certificate: str, hostname: str | None, zone: str | None, binding: str | None
) -> None:
    """Bind a client certificate to the Worker, so that its fetches show it; the next deploy ships that.

    The certificate is one of the account (`trailboss mtls-certificate upload`) or one that trailboss.toml
    declares. With --hostname the zone also asks visitors of that hostname for a certificate it signed.
    """
    from trailboss.cli.certificates import certificate_id
    from trailboss.cli.editing import bind_only, zone_of

    run.announce(certificate)
    found = certificate_id(run, certificate)
    bound, files = bind_only(run, "mtls_certificate", certificate, binding, found)
    document: dict[str, Any] = {"certificate": certificate, "binding": bound, "files": files}
    if hostname is not None:
        written, _ = zone_of(run, zone)
        table = {"zone": written, "certificate": certificate, "hostnames": [hostname]}
        made = make_resource(
            run, "mtls_hostname_association", certificate, table, doing=f"mtls enable {certificate}"
        )
        document["association"] = made
    run.result(document, lambda output: _show_bound(output, certificate, bound, files))


@command(
    "trailboss analytics create ai-platform-analytics --dataset ai-usage-metrics --env production",
    "trailboss analytics create page-views",
)
@click.argument("name")
@click.option("--dataset", metavar="NAME", help="The dataset; else NAME.")
def analytics(run: Run, name: str, dataset: str | None) -> None:
    """Bind an Analytics Engine dataset to the Worker; the next deploy ships the binding.

    A dataset comes to be with the first data point written to it; there is nothing to create in the account.
    """
    from trailboss.cli.editing import bind_entry

    run.announce(name)
    bound = name.upper().replace("-", "_")
    files = bind_entry(
        run, ("analytics_engine_datasets",), {"binding": bound, "dataset": dataset or name}, own=True
    )
    document = {"name": name, "dataset": dataset or name, "binding": bound, "files": files}
    run.result(document, lambda output: _show_bound(output, dataset or name, bound, files))


def _show_bound(output: Any, name: str, bound: str, files: tuple[str, ...]) -> None:
    from trailboss.cli import views

    how = f"bound as {bound} in {' and '.join(files)}" if files else f"bound as {bound} already"
    views.tick(output, f"{output.style(name, '1', output.out)} is {how}; a deploy ships it")
