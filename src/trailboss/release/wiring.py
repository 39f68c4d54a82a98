"""The fingerprint of everything in an upload that is not code.

Together with the artifact's digest it says whether uploading again would change anything. It is taken
from the resolved settings, before ids are filled in, so that a binding whose resource we look up has the
same fingerprint every time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_NOT_IN_A_VERSION = frozenset(
    {
        *(
            "$schema",
            "account_id",
            "env",
            "environments",
            "send_metrics",
            "dev",
            "build",
            "main",
            "minify",
            "rules",
        ),
        *(
            "no_bundle",
            "base_dir",
            "find_additional_modules",
            "preserve_file_names",
            "tsconfig",
            "define",
            "alias",
        ),
        *("jsx_factory", "jsx_fragment", "upload_source_maps", "keep_names", "python_modules", "secrets"),
        *("route", "routes", "workers_dev", "preview_urls", "triggers", "addresses", "previews"),
        *("observability", "logpush", "tail_consumers", "streaming_tail_consumers"),
        *("configPath", "userConfigPath", "definedEnvironments", "targetEnvironment", "topLevelName"),
        *("compliance_region", "legacy_env", "pages_build_output_dir"),
    }
)
"""Settings that change no version: they steer the build (the digest covers it), are triggers, or are
unversioned. A key that is not here counts: better an upload too many than a change left behind."""


def fingerprint(settings: Mapping[str, Any]) -> str:
    """16 hexadecimal digits for the versioned part of a Worker's resolved settings."""
    kept = {key: _versioned(key, value) for key, value in settings.items() if key not in _NOT_IN_A_VERSION}
    kept = {key: value for key, value in kept.items() if value not in (None, [], {}, False)}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _versioned(key: str, value: Any) -> Any:
    if key == "queues" and isinstance(value, Mapping):
        return value.get("producers")
    return value
