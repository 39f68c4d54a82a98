"""Variables, secrets, and what a Worker is told about itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trailboss.build.metadata.table import Family, Fields, listed, plain, single


def _vars(value: Any) -> Iterator[tuple[str, str, Fields]]:
    for name, item in (value or {}).items():
        if isinstance(item, str):
            yield name, "plain_text", {"value": item}
        else:
            yield name, "json", {"value": item}


def _text(kind: str) -> Any:
    def wire(name: str, fields: Fields) -> dict[str, Any]:
        return {"name": name, "type": kind, "text": fields["value"]}

    return wire


def _json(name: str, fields: Fields) -> dict[str, Any]:
    return {"name": name, "type": "json", "json": fields["value"]}


FAMILY = Family(
    read={
        "vars": _vars,
        "secrets_store_secrets": listed("secrets_store_secret"),
        "version_metadata": single("version_metadata"),
    },
    wire={
        "inherit": plain("inherit"),
        "plain_text": _text("plain_text"),
        "json": _json,
        "secret_text": _text("secret_text"),
        "secrets_store_secret": plain("secrets_store_secret", "store_id", "secret_name"),
        "version_metadata": plain("version_metadata"),
    },
)
