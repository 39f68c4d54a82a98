"""What our uploader leaves to wrangler."""

from __future__ import annotations

from trailboss.build.options import Options
from trailboss.build.subject import Subject, WorkerLike
from trailboss.config.keys import KNOWN, RETIRED

_LEFT_TO_WRANGLER = {
    "containers": "its container images are built and rolled out by wrangler",
    "site": "Workers Sites keeps its files in a KV namespace that wrangler fills",
    "first_party_worker": "it is a first-party Worker",
    "addresses": "its e-mail routing rules are planned by wrangler",
    "cloudchamber": "Cloudchamber is only known to wrangler",
    "connect": "the `connect` settings are only known to wrangler",
    "access": "the `access` settings are only known to wrangler",
}


def needs_wrangler(worker: WorkerLike, options: Options | None = None) -> str | None:
    """Why this Worker must be uploaded by wrangler, as the end of a sentence; None when ours can do it."""
    subject = Subject.of(worker, options)
    settings = subject.settings
    for key, reason in _LEFT_TO_WRANGLER.items():
        if settings.get(key):
            return reason
    unsafe = settings.get("unsafe") or {}
    for key in ("metadata", "capnp"):
        if unsafe.get(key):
            return f"`unsafe.{key}` is passed on by wrangler only"
    if subject.main is not None and subject.main.suffix == ".py" and _has_packages(subject):
        return "its Python packages are vendored by wrangler"
    unknown = sorted(key for key, value in settings.items() if key not in KNOWN | RETIRED.keys() and value)
    if unknown:
        return f"`{unknown[0]}` is not known to this version of Trailboss"
    return None


def _has_packages(subject: Subject) -> bool:
    places = ("python_modules", "cf-requirements.txt")
    return any((subject.directory / name).exists() for name in places)
