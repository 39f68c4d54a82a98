"""What the settings of an R2 bucket have in common: their paths, and rules as tables.

In a file rules are written with Cloudflare's words in snake_case (`max_age`); camelCase, as wrangler's JSON
files have it, is understood too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

DEFAULT = "default"
_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")


def bucket_path(cloud: Cloud, bucket: str, part: str) -> str:
    """`/accounts/<id>/r2/buckets/<bucket>/<part>`."""
    from trailboss.cloud import segment

    return f"{cloud.account}/r2/buckets/{segment(bucket)}/{part}"


def jurisdiction_headers(jurisdiction: str) -> dict[str, str]:
    """The header that chooses a jurisdiction; none for the usual one."""
    return {} if jurisdiction == DEFAULT else {"cf-r2-jurisdiction": jurisdiction}


def snake(value: Any) -> Any:
    """`value` with all keys in snake_case, without keys that hold nothing, dates as text in UTC."""
    if isinstance(value, Mapping):
        return {
            _HUMP.sub(lambda hump: f"_{hump[1].lower()}", str(name)): snake(inner)
            for name, inner in value.items()
            if inner is not None
        }
    if isinstance(value, list | tuple):
        return [snake(inner) for inner in value]
    return moment(value) if isinstance(value, date) else value


def camel(value: Any) -> Any:
    """`value` with all keys in camelCase."""
    if isinstance(value, Mapping):
        return {
            re.sub(r"_([a-z])", lambda found: found[1].upper(), name): camel(inner)
            for name, inner in value.items()
        }
    return [camel(inner) for inner in value] if isinstance(value, list | tuple) else value


def moment(value: date | str) -> str:
    """A date as `2027-01-31T00:00:00Z`; a text that is no date stays as it is."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            return str(value)
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    known = value if value.tzinfo else value.replace(tzinfo=UTC)
    return known.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def unknown_keys(table: Any, known: Iterable[str], place: str) -> Iterator[str]:
    """A text per key of a rule that means nothing, and one for a rule that is no table."""
    if not isinstance(table, Mapping):
        yield f"{place} is no table"
        return
    for name in table:
        if name not in known:
            yield f"{place} has the unknown key '{name}'; it may have {', '.join(known)}"
