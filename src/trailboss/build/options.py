"""What a command line may change about a build or an upload: wrangler's own flags, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Options:
    """Wrangler's deploy flags; a value of None or an empty mapping leaves the configuration as it is.

    `script` is the positional entry file, `bundle=False` is `--no-bundle`. `dry_run` is for the caller, who
    then uploads nothing (see `preview`).
    """

    name: str | None = None
    script: Path | None = None
    minify: bool | None = None
    bundle: bool | None = None
    keep_vars: bool | None = None
    upload_source_maps: bool | None = None
    var: Mapping[str, str] = field(default_factory=dict)
    define: Mapping[str, str] = field(default_factory=dict)
    alias: Mapping[str, str] = field(default_factory=dict)
    compatibility_date: str | None = None
    compatibility_flags: tuple[str, ...] | None = None
    latest: bool = False
    assets: Path | None = None
    tsconfig: Path | None = None
    jsx_factory: str | None = None
    jsx_fragment: str | None = None
    logpush: bool | None = None
    tag: str | None = None
    message: str | None = None
    preview_alias: str | None = None
    durable_objects_code_update_mode: Mapping[str, Any] | None = None
    dry_run: bool = False

    def build_arguments(self) -> list[str]:
        """The flags that change the bundle, spelled for wrangler's command line."""
        arguments: list[str] = []
        for flag, value in (
            ("--compatibility-date", self.compatibility_date),
            ("--tsconfig", self.tsconfig),
            ("--jsx-factory", self.jsx_factory),
            ("--jsx-fragment", self.jsx_fragment),
        ):
            if value is not None:
                arguments += [flag, str(value)]
        for flag, pairs in (("--define", self.define), ("--alias", self.alias)):
            for key, text in pairs.items():
                arguments += [flag, f"{key}:{text}"]
        for compatibility_flag in self.compatibility_flags or ():
            arguments += ["--compatibility-flags", compatibility_flag]
        return arguments + self._switches()

    def _switches(self) -> list[str]:
        arguments = []
        if self.latest:
            arguments.append("--latest")
        if self.minify is not None:
            arguments.append("--minify" if self.minify else "--no-minify")
        if self.bundle is not None:
            arguments.append("--bundle" if self.bundle else "--no-bundle")
        if self.upload_source_maps is not None:
            arguments.append(f"--upload-source-maps={str(self.upload_source_maps).lower()}")
        return arguments

    def over(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The resolved wrangler configuration `settings` with these flags laid over it."""
        merged = dict(settings)
        simple = {
            "name": self.name,
            "minify": self.minify,
            "keep_vars": self.keep_vars,
            "upload_source_maps": self.upload_source_maps,
            "compatibility_date": self.compatibility_date,
            "jsx_factory": self.jsx_factory,
            "jsx_fragment": self.jsx_fragment,
            "logpush": self.logpush,
        }
        merged.update({key: value for key, value in simple.items() if value is not None})
        if self.compatibility_flags is not None:
            merged["compatibility_flags"] = list(self.compatibility_flags)
        if self.bundle is not None:
            merged["no_bundle"] = not self.bundle
        if self.tsconfig is not None:
            merged["tsconfig"] = str(self.tsconfig)
        for key, extra in (("define", self.define), ("alias", self.alias)):
            if extra:
                merged[key] = {**merged.get(key, {}), **extra}
        if self.assets is not None:
            merged["assets"] = {**(merged.get("assets") or {}), "directory": str(self.assets)}
        return merged
