"""R2 event notifications: what changed in a bucket, whoever changed it, becomes messages in queues.

The bucket's own list of objects is compared with how it was, so writes of the REST API, of S3 clients and of
Workers' bindings are all noticed, once. Source: https://developers.cloudflare.com/r2/buckets/event-notifications/
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trailboss.sandbox.products.files import fingerprint

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to an object."""

    action: str
    key: str
    size: int = 0
    etag: str = ""
    source: tuple[str, str] | None = None
    """Bucket and key an object was copied from."""


class BucketWatch:
    """One bucket's objects as last seen. `hints` tells copies (by key) from plain writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: dict[str, str] = {}
        self._print: tuple[int, ...] | None = None
        self.hints: dict[str, tuple[str, str]] = {}
        self.changes()

    def changes(self) -> list[Change]:
        """What happened since the last call."""
        now = fingerprint(self._path)
        if now == self._print:
            return []
        objects = _objects(self._path)
        found = [
            self._written(key, *facts) for key, facts in objects.items() if self._seen.get(key) != facts[0]
        ]
        found += [Change("DeleteObject", key) for key in self._seen if key not in objects]
        self._seen = {key: facts[0] for key, facts in objects.items()}
        self._print = now
        return found

    def _written(self, key: str, _version: str, size: int, etag: str) -> Change:
        source = self.hints.pop(key, None)
        if source is not None:
            return Change("CopyObject", key, size, etag, source)
        return Change("CompleteMultipartUpload" if "-" in etag else "PutObject", key, size, etag)


def _objects(path: Path) -> dict[str, tuple[str, int, str]]:
    if not path.exists():
        return {}
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)) as database:
        try:
            rows = database.execute("select key, version, size, etag from _mf_objects").fetchall()
        except sqlite3.OperationalError:  # the bucket has not been written to
            return {}
    return {key: (version, size, etag) for key, version, size, etag in rows}


def wanted(rule: Record, change: Change) -> bool:
    """Whether a rule asks for this change."""
    return (
        change.action in rule["actions"]
        and change.key.startswith(rule.get("prefix") or "")
        and change.key.endswith(rule.get("suffix") or "")
    )


def message(account: str, bucket: str, change: Change, at: str) -> bytes:
    """The body Cloudflare sends."""
    body: Record = {
        "account": account,
        "action": change.action,
        "bucket": bucket,
        "object": {"key": change.key},
        "eventTime": at,
    }
    if change.action != "DeleteObject":
        body["object"] |= {"size": change.size, "eTag": change.etag}
    if change.source is not None:
        body["copySource"] = {"bucket": change.source[0], "object": change.source[1]}
    return json.dumps(body, separators=(",", ":")).encode()
