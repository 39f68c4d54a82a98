"""Wanted and observed become a graph, a plan, and an apply. Knows no kind by name."""

from trailboss.plan.provision import Bound, Provisioned, provision
from trailboss.plan.titles import titles

__all__ = ["Bound", "Provisioned", "provision", "titles"]
