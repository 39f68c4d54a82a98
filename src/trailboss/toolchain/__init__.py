"""Node, wrangler and Miniflare: found in the project, or installed once from a committed lock file."""

from trailboss.toolchain.install import Toolchain, cache_root, ensure
from trailboss.toolchain.node import node_binary

__all__ = ["Toolchain", "cache_root", "ensure", "node_binary"]
