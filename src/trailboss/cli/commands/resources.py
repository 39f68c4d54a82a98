"""`d1 create`, `kv namespace create`, `r2 bucket create`, `queues create`, `vectorize create`: the resource
and its binding in the files, and then in the account."""

from __future__ import annotations

from typing import Any

import click

from trailboss.cli.declare import command
from trailboss.cli.editing import make_resource, show_made
from trailboss.cli.run import Run

binding = click.option("--binding", metavar="NAME", help="How the Worker calls it; else made from the name.")


def _make(run: Run, kind: str, name: str, binding: str | None, **options: Any) -> None:
    table = {key: value for key, value in options.items() if value is not None}
    made = make_resource(run, kind, name, table, binding=binding, doing=f"create {kind} {name}")
    run.result(made, lambda output: show_made(output, made))


@command(
    "trailboss d1 create agency-ai-sessions --env development", "trailboss d1 create shop --location weur"
)
@click.argument("name")
@click.option("--location", metavar="HINT", help="weur, eeur, apac, oc, wnam or enam.")
@click.option("--jurisdiction", metavar="NAME", help="eu or fedramp: data stays there.")
@binding
def d1(run: Run, name: str, location: str | None, jurisdiction: str | None, binding: str | None) -> None:
    """Create a D1 database: written into the files with its binding, then made in the account.

    In an environment it is called NAME-ENV, as everything that environments do not share. Run again it
    changes nothing.
    """
    _make(run, "d1_database", name, binding, primary_location_hint=location, jurisdiction=jurisdiction)


@command(
    "trailboss kv namespace create agency-cache --env development",
    "trailboss kv namespace create sessions --binding SESSIONS",
)
@click.argument("name")
@binding
def kv_namespace(run: Run, name: str, binding: str | None) -> None:
    """Create a KV namespace: written into the files with its binding, then made in the account.

    A binding that the files have already, and that stands for a namespace of this name, is used.
    """
    _make(run, "kv_namespace", name, binding)


@command(
    "trailboss r2 bucket create agency-generated-content --env development",
    "trailboss r2 bucket create invoices --jurisdiction eu --storage-class InfrequentAccess",
)
@click.argument("name")
@click.option("--location", metavar="HINT", help="weur, eeur, apac, oc, wnam or enam.")
@click.option("--storage-class", "-s", metavar="CLASS", help="Standard or InfrequentAccess.")
@click.option("--jurisdiction", "-J", metavar="NAME", help="eu or fedramp: data stays there.")
@binding
def r2_bucket(
    run: Run,
    *,
    name: str,
    location: str | None,
    storage_class: str | None,
    jurisdiction: str | None,
    binding: str | None,
) -> None:
    """Create an R2 bucket: written into the files with its binding, then made in the account."""
    options = {"location_hint": location, "storage_class": storage_class, "jurisdiction": jurisdiction}
    _make(run, "r2_bucket", name, binding, **options)


@command(
    "trailboss queues create agency-ai-jobs --env development",
    "trailboss queues create jobs --delivery-delay-secs 60",
)
@click.argument("name")
@click.option("--delivery-delay-secs", type=int, metavar="SECONDS", help="How long messages wait.")
@click.option("--message-retention-period-secs", type=int, metavar="SECONDS", help="How long they are kept.")
@binding
def queues(
    run: Run,
    *,
    name: str,
    delivery_delay_secs: int | None,
    message_retention_period_secs: int | None,
    binding: str | None,
) -> None:
    """Create a queue: written into the files with a producer's binding, then made in the account."""
    options = {
        "delivery_delay": delivery_delay_secs,
        "message_retention_period": message_retention_period_secs,
    }
    _make(run, "queue", name, binding, **options)


@command(
    "trailboss vectorize create agency-knowledge-base --dimensions 1024 --env development",
    "trailboss vectorize create articles --preset @cf/baai/bge-base-en-v1.5",
)
@click.argument("name")
@click.option("--dimensions", type=int, metavar="N", help="Length of its vectors.")
@click.option("--metric", metavar="NAME", help="cosine (the default), euclidean or dot-product.")
@click.option("--preset", metavar="MODEL", help="Both, as an embedding model needs them.")
@click.option("--description", metavar="TEXT", help="What it is for.")
@binding
def vectorize(
    run: Run,
    *,
    name: str,
    dimensions: int | None,
    metric: str | None,
    preset: str | None,
    description: str | None,
    binding: str | None,
) -> None:
    """Create a Vectorize index: written into the files with its binding, then made in the account."""
    metric = metric or ("cosine" if dimensions else None)
    options = {"dimensions": dimensions, "metric": metric, "preset": preset, "description": description}
    _make(run, "vectorize_index", name, binding, **options)
