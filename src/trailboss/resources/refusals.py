"""Refusals of single products that mean what others say with a status."""

from __future__ import annotations

from trailboss.errors import AlreadyExists, CloudError


def taken(error: CloudError, hint: str) -> AlreadyExists:
    """The refusal `error` as the one of a name that is in use."""
    return AlreadyExists(
        "TB2302", error.message, hint=hint, status=error.status, errors=error.errors, ray=error.ray
    )
