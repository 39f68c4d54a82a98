"""A Worker's bindings in one line each, for the report: the name in the code, the type, what it points to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trailboss.build.subject import Subject

_VALUES = ("plain_text", "json", "secret_text", "secret_key")


def describe_bindings(subject: Subject) -> tuple[str, ...]:
    """`env.CACHE (kv_namespace 0f2a…)`; values of variables are never shown. Raises BuildError TB3401."""
    from trailboss.build.metadata.bindings import collect

    found = collect(subject.settings, subject.config)
    return tuple(f"env.{name} ({_target(kind, fields)})" for name, (kind, fields) in found.items())


def _target(kind: str, fields: Any) -> str:
    if kind in _VALUES:
        return kind
    named = [str(value) for value in dict(fields).values() if isinstance(value, str) and value]
    return " ".join([kind, *named[:2]])
