"""AI, search, memory and media: mostly a name and nothing else."""

from __future__ import annotations

from typing import Any

from trailboss.build.metadata.table import Family, Fields, listed, plain, single, some


def _ai(name: str, fields: Fields) -> dict[str, Any]:
    return {"name": name, **some(fields, "staging"), "type": "ai", **some(fields, "raw")}


FAMILY = Family(
    read={
        "ai": single("ai"),
        "browser": single("browser"),
        "images": single("images"),
        "stream": single("stream"),
        "media": single("media"),
        "ai_search_namespaces": listed("ai_search_namespace"),
        "ai_search": listed("ai_search"),
        "agent_memory": listed("agent_memory"),
        "artifacts": listed("artifacts"),
        "flagship": listed("flagship"),
    },
    wire={
        "ai": _ai,
        "browser": plain("browser", "raw"),
        "images": plain("images", "raw"),
        "stream": plain("stream"),
        "media": plain("media"),
        "ai_search_namespace": plain("ai_search_namespace", "namespace"),
        "ai_search": plain("ai_search", "instance_name"),
        "agent_memory": plain("agent_memory", "namespace"),
        "artifacts": plain("artifacts", "namespace"),
        "flagship": plain("flagship", "app_id"),
    },
)
