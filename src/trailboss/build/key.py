"""What a bundle depends on besides files: the key of its place in the build cache."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from typing import Any

from trailboss.build.artifact import SCHEMA
from trailboss.build.subject import Subject
from trailboss.build.wrangler import Wrangler

SETTINGS = (
    "alias",
    "base_dir",
    "build",
    "compatibility_date",
    "compatibility_flags",
    "data_blobs",
    "define",
    "dependencies_instrumentation",
    "exports",
    "find_additional_modules",
    "jsx_factory",
    "jsx_fragment",
    "keep_names",
    "minify",
    "no_bundle",
    "preserve_file_names",
    "python_modules",
    "rules",
    "site",
    "text_blobs",
    "tsconfig",
    "upload_source_maps",
    "wasm_modules",
    "workflows",
)
"""The configuration keys wrangler's bundler reads."""

VARIABLES = (
    "NODE_ENV",
    "NODE_OPTIONS",
    "NODE_PATH",
    "ESBUILD_BINARY_PATH",
    "WRANGLER_BUILD_CONDITIONS",
    "WRANGLER_BUILD_PLATFORM",
)
COMMAND_PREFIXES = (
    "CLOUDFLARE_ENV",
    "NODE_",
    "npm_config_",
    "VITE_",
    "PUBLIC_",
    "NEXT_PUBLIC_",
    "REACT_APP_",
)
"""Variables a custom build command is taken to read, besides those it names itself."""


def cache_key(subject: Subject, wrangler: Wrangler, environ: Mapping[str, str]) -> str:
    """A hash over settings, tools, flags and variables.

    The same Worker in another folder at the same depth has the same key (what is looked for in the folders
    above is found alike), unless its bundle may tell where it was made.
    """
    settings, base = subject.settings, subject.base
    told = subject.build_command is not None or settings.get("upload_source_maps")
    described: dict[str, Any] = {
        "schema": SCHEMA,
        "base": str(base) if told else len(base.parts),
        "directory": os.path.relpath(subject.directory, base),
        "main": os.path.relpath(subject.main or base, base),
        # What was built before an edit of it is found again when the edit is taken back.
        "entry": _content(subject),
        "config": os.path.relpath(subject.config, base),
        # Only a build command can see it: without one, the environments share a bundle.
        "environment": subject.wrangler_environment if subject.build_command else None,
        "settings": {key: settings[key] for key in SETTINGS if settings.get(key) is not None},
        # A class that is bound must be exported: wrangler checks it while bundling.
        "classes": sorted(_own_classes(settings)),
        "flags": subject.options.build_arguments(),
        "assets": subject.assets_directory is not None,
        "wrangler": [str(wrangler.script), wrangler.version, str(wrangler.node)],
        "environ": _variables(subject.build_command, environ),
    }
    text = json.dumps(described, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def _content(subject: Subject) -> str | None:
    if subject.main is None or subject.build_command is not None:
        return None
    try:
        return hashlib.sha256(subject.main.read_bytes()).hexdigest()
    except OSError:
        return None


def _own_classes(settings: Mapping[str, Any]) -> set[str]:
    bindings = (settings.get("durable_objects") or {}).get("bindings") or []
    return {str(entry.get("class_name")) for entry in bindings if not entry.get("script_name")}


def _variables(command: str | None, environ: Mapping[str, str]) -> dict[str, str]:
    wanted = {name: environ[name] for name in VARIABLES if name in environ}
    if command:
        named = set(re.findall(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)", command))
        wanted |= {
            name: hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()
            for name, value in environ.items()
            if name in named or name.startswith(COMMAND_PREFIXES)
        }
    return wanted
