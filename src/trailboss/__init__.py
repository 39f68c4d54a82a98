"""Trailboss takes a Cloudflare Workers application through every environment and looks after it there."""

from trailboss.version import __version__

__all__ = ["__version__"]
