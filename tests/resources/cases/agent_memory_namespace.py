"""A agent_memory_namespace for the suites over all kinds."""

from trailboss.resources.agent_memory_namespace import AgentMemoryNamespace

BARE = AgentMemoryNamespace("shop-memory")
FULL = AgentMemoryNamespace("shop-memory")
BEFORE: tuple[tuple[str, object], ...] = ()
