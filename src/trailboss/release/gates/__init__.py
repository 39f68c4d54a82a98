"""The gates, one file each: those that count (`make`), and those that ask (`ask`).

    errors, exceptions   more failures than the stable version?      streams.py is what they share
    wall, cpu            slower than the stable version's quantiles?  times.py is what they share
    ceiling              too many failures, whoever is at fault?
    probe                our own requests: status, body, time
    command, webhook     what you run, or ask over HTTP
    tunnel, load_balancer  is what it depends on healthy?

An answer is pass, fail or undecided; undecided never moves traffic.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING

from trailboss.release.rollout.policy import Gate, Judgement

if TYPE_CHECKING:
    from trailboss.release.gates.base import Answer, Asking, Statistic


def make(gate: Gate, judgement: Judgement) -> Statistic:
    """The statistic of a gate that counts, at its start."""
    module = import_module(f"trailboss.release.gates.{gate.kind}")
    found: Statistic = module.make(gate, judgement)
    return found


async def ask(gate: Gate, asking: Asking) -> Answer:
    """One answer of a gate that asks. Never raises for what it asked: no answer is undecided."""
    module = import_module(f"trailboss.release.gates.{gate.kind.replace('-', '_')}")
    question: Callable[[Gate, Asking], Awaitable[Answer]] = module.ask
    return await question(gate, asking)
