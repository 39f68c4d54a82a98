"""`trailboss schema`: the JSON Schema of trailboss.toml."""

from __future__ import annotations

from trailboss.cli.declare import command
from trailboss.cli.run import Run


@command("trailboss schema > trailboss.schema.json", "trailboss schema --json")
def schema(run: Run) -> None:
    """Print the JSON Schema of trailboss.toml: what editors complete and check it with."""
    from trailboss.config.settings import json_schema

    run.output.document(json_schema())
