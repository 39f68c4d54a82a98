"""The API paths of one Worker, spelled once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailboss.cloud import segment

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.errors import CloudError

NO_SUCH_WORKER = (10007, 10090)
"""Cloudflare's codes for a Worker that is not there: script not found, service not found."""


def script(cloud: Cloud, name: str, *rest: str) -> str:
    """`/accounts/<id>/workers/scripts/<name>[/rest...]`."""
    return "/".join((cloud.account, "workers/scripts", segment(name), *rest))


def worker(cloud: Cloud, name: str, *rest: str) -> str:
    """`/accounts/<id>/workers/workers/<name>[/rest...]`: the newer resource, which carries the
    workers.dev state, the script settings and what refers to the Worker in one reply."""
    return "/".join((cloud.account, "workers/workers", segment(name), *rest))


def service(cloud: Cloud, name: str) -> str:
    """`/accounts/<id>/workers/services/<name>`: migration tag, and deletion."""
    return "/".join((cloud.account, "workers/services", segment(name)))


def is_missing(error: CloudError) -> bool:
    """Whether `error` says the Worker does not exist, as opposed to any other failure."""
    return error.has_code(*NO_SUCH_WORKER)
