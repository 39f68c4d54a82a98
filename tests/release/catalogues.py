"""Catalogues for tests, from a few words."""

from __future__ import annotations

import hashlib
from typing import Any

from trailboss.release.model import Deployment, Share, Version
from trailboss.release.naming import Catalogue


def identifier(seed: str) -> str:
    """A version id that is always the same for a seed."""
    text = hashlib.sha256(seed.encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:32]}"


def version(number: int, **fields: Any) -> Version:
    """Version `number`, with sensible values for what is not given."""
    given: dict[str, Any] = {
        "id": identifier(f"version {number}"),
        "number": number,
        "created": f"2026-11-{number % 28 + 1:02}T10:00:00Z",
        "author": "me@example.com",
        "source": "upload",
        "message": None,
        "tag": None,
        "alias": None,
        "git_sha": None,
        "digest": None,
    }
    return Version(**{**given, **fields})


def deployment(number: int, *shares: tuple[Version, float]) -> Deployment:
    """Deployment `number` with these shares."""
    return Deployment(
        id=identifier(f"deployment {number}"),
        created="2026-11-01T10:00:00Z",
        author=None,
        source="wrangler",
        message=None,
        shares=tuple(Share(item.id, percentage) for item, percentage in shares),
    )


def catalogue(*versions: Version, deployments: tuple[Deployment, ...] = ()) -> Catalogue:
    """Versions newest first, as the account lists them."""
    return Catalogue(tuple(sorted(versions, key=lambda item: -item.number)), deployments)
