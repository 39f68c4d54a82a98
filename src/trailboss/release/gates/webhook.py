"""webhook: somebody is asked over HTTP, by a POST of JSON.

A 2xx passes unless its body says {"outcome": "fail" | "undecided", "note": ...}; 202 is undecided, a 4xx is a
no, and everything else (5xx, no answer) is undecided.
"""

from __future__ import annotations

import json
from typing import Any

from trailboss.release.evidence.combine import Outcome
from trailboss.release.gates.base import Answer, Asking, failed, undecided
from trailboss.release.rollout.policy import Gate


async def ask(gate: Gate, asking: Asking) -> Answer:
    """One POST; redirects are not followed."""
    import httpx

    try:
        async with httpx.AsyncClient(timeout=gate.timeout) as client:
            answer = await client.post(gate.target, json=question(gate, asking))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return undecided(f"no answer: {type(error).__name__}")
    return read(answer.status_code, answer.content)


def question(gate: Gate, asking: Asking) -> dict[str, Any]:
    """The body that is posted."""
    return {
        "gate": gate.name,
        "rollout": asking.rollout,
        "environment": asking.environment,
        "phase": asking.phase,
        "share": asking.share,
        "workers": [
            {"name": one.worker, "stable": one.stable, "canary": one.canary, "url": one.address}
            for one in asking.workers
        ],
    }


def read(status: int, body: bytes) -> Answer:
    """The answer in a reply."""
    said = _said(body)
    note = str(said.get("note") or f"status {status}")[:200]
    if 200 <= status < 300:
        outcome = said.get("outcome", "undecided" if status == 202 else "pass")
        if outcome in tuple(Outcome):
            return Answer(Outcome(outcome), note)
        return undecided(f'it answered with the outcome "{str(outcome)[:40]}"')
    if 400 <= status < 500 and status not in (404, 408, 429):
        return failed(note)
    return undecided(note)


def _said(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body) if body else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
