"""Versions and deployments in JSON: every field wrangler's `--json` has under its own name, and ours
beside them.

A script written for `wrangler versions list --json` reads ours unchanged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trailboss.release.deployments import DeploymentView
    from trailboss.release.model import Version


def version(value: Version) -> dict[str, Any]:
    """One version: `id`, `number`, `metadata`, `annotations` as wrangler prints them; the rest is ours."""
    annotations = {"workers/message": value.message, "workers/tag": value.tag, "workers/alias": value.alias}
    return {
        "id": value.id,
        "number": value.number,
        "metadata": {"created_on": value.created, "author_email": value.author, "source": value.source},
        "annotations": {name: text for name, text in annotations.items() if text},
        "share": value.share,
        "git_sha": value.git_sha,
        "digest": value.digest,
    }


def deployment(value: DeploymentView) -> dict[str, Any]:
    """One deployment: wrangler's fields; `current` and each version's `number`, `git_sha`, `digest` are
    ours.
    """
    return {
        "id": value.id,
        "source": value.source,
        "strategy": "percentage",
        "author_email": value.author,
        "created_on": value.created,
        "annotations": {"workers/message": value.message} if value.message else {},
        "versions": [
            {
                "version_id": item.id,
                "percentage": item.percentage,
                "number": item.version.number if item.version else None,
                "git_sha": item.version.git_sha if item.version else None,
                "digest": item.version.digest if item.version else None,
            }
            for item in value.versions
        ],
        "current": value.current,
    }
