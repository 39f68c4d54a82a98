"""Resource tags: key-value pairs that Cloudflare keeps beside its own resources.

A write replaces all tags of a resource, so it always follows a read, and an ETag guards what happened in
between. Source: the Resource Tagging API (public beta), as typed by the official SDK.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailboss.errors import CloudError, ConflictError

if TYPE_CHECKING:
    from trailboss.cloud.cloud import Cloud, Reply

PRECONDITION_FAILED = 412


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of one resource and the ETag that a write must still find."""

    values: Mapping[str, str]
    etag: str


@dataclass(frozen=True, slots=True)
class TaggedResource:
    """One row of a search by tags; `zone_id` is empty for resources of the account."""

    type: str
    id: str
    name: str
    tags: Mapping[str, str]
    etag: str
    zone_id: str = ""


async def read_tags(cloud: Cloud, type: str, id: str, *, zone: str = "") -> Tags:
    """The tags of one resource; `zone` is the path '/zones/<id>' for a zone's resources.

    Raises:
        CloudError: NotFound when there is no such resource, PermissionDenied where tagging is refused.
    """
    where = {"resource_type": type, "resource_id": id}
    return _tags(await cloud.call("GET", f"{zone or cloud.account}/tags", params=where))


async def write_tags(
    cloud: Cloud,
    type: str,
    id: str,
    values: Mapping[str, str],
    *,
    etag: str | None = None,
    zone: str = "",
    extra: Mapping[str, str] | None = None,
) -> Tags:
    """Replace all tags of one resource, if they still are those of `etag` (None: whatever they are).

    Raises:
        ConflictError: TB6501 somebody else wrote them in between.
    """
    body: dict[str, Any] = {"resource_type": type, "resource_id": id, "tags": dict(values), **(extra or {})}
    headers = {"If-Match": etag} if etag is not None else {}
    try:
        return _tags(await cloud.call("PUT", f"{zone or cloud.account}/tags", json=body, headers=headers))
    except CloudError as error:
        if error.status != PRECONDITION_FAILED:
            raise
    raise ConflictError("TB6501", f"the tags of {type} {id} were changed by somebody else", hint="Try again.")


async def find_tagged(
    cloud: Cloud, conditions: Iterable[str], *, types: Iterable[str] = (), ids: Iterable[str] = ()
) -> AsyncIterator[TaggedResource]:
    """Every resource (of these types and of these at most 50 ids, if any) whose tags meet all `conditions`:
    `key`, `key=value`, `key=a,b`, `!key`."""
    params = {"tag": list(conditions), "type": list(types), "id": list(ids)}
    async for row in cloud.pages(f"{cloud.account}/tags/resources", style="cursor", params=params):
        yield TaggedResource(
            str(row["type"]),
            str(row["id"]),
            str(row.get("name") or ""),
            row.get("tags") or {},
            str(row.get("etag") or ""),
            str(row.get("zone_id") or ""),
        )


def _tags(reply: Reply) -> Tags:
    shape = reply.result or {}
    return Tags(shape.get("tags") or {}, str(shape.get("etag") or reply.headers.get("etag", "").strip('"')))
