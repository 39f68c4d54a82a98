"""probe: our own requests to the new version, by the override header: status, body, time.

They count for the certificate of a step, never in the comparison: the stable version did not get the like.
"""

from __future__ import annotations

from trailboss.release.gates.base import Answer, Asked, Asking, failed, passed, undecided
from trailboss.release.rollout.policy import Gate


async def ask(gate: Gate, asking: Asking) -> Answer:
    """All requests of the probe, to every Worker it is meant for; after a rollback to the stable version."""
    probe = asking.policy.probe(gate.target)
    workers = [one for one in asking.workers if probe.worker in (None, one.worker)]
    reachable = [one for one in workers if one.address or probe.url]
    if not reachable:
        return undecided("there is no address to send it to: give the probe a `url`")
    good, bad, unknown, note = 0, 0, 0, ""
    for one in reachable:
        for _ in range(probe.count):
            shot = await asking.prober.send(
                probe, one.address or "", worker=one.worker, version=_version(one, asking)
            )
            good, bad = good + (shot.good is True), bad + (shot.good is False)
            unknown += shot.good is None
            note = shot.note if not shot.good or not note else note
    worker = reachable[0].worker if len(reachable) == 1 else ""
    if bad:
        return failed(note, good=good, bad=bad, worker=worker)
    if unknown:
        return undecided(note, good=good, worker=worker)
    return passed(note, good=good, worker=worker)


def _version(one: Asked, asking: Asking) -> str | None:
    return None if asking.phase == "after" else one.canary
